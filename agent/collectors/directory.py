"""Size of configured directories, from a walk in a thread of the lowest priority.

The walk works a few milliseconds and sleeps several times as long; and a tree that costs much is walked less often, so
that all walking together stays below `MOST_LOAD` of one core. Between two walks the last result is repeated with its
age.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import platform
import sys
import threading
import time
from collections.abc import Callable

from msgspec import Struct

from agent.readings import Instances, Values
from agent.walk import Usage, walk
from agent.worker import Worker

logger = logging.getLogger(__name__)

WORK_S = 0.002
REST_S = 0.018
MOST_LOAD = 0.002
"""Highest share of one core that walking may take over time."""
MOST_WALK_S = 3600.0
"""A walk that takes longer is given up."""

_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30}
_IDLE_CLASS = 3 << 13


class Scan(Struct, frozen=True):
    """Result of a complete walk."""

    usage: Usage
    seconds: float
    cpu_seconds: float
    ended_s: float
    """Monotonic clock."""


def lower_priority() -> None:
    """Give the calling thread nice 19 and idle I/O priority, as far as this system can."""
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):  # a sandbox may forbid it, and the walk is slow enough without
        os.setpriority(os.PRIO_PROCESS, thread, 19)
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None:
        import ctypes  # 0.7 MiB that an agent without a directory to walk does not need

        # Refused in some sandboxes; nice 19 alone then lowers the I/O priority, too.
        ctypes.CDLL(None).syscall(number, 1, thread, _IDLE_CLASS)


def scan(path: str, stop: threading.Event) -> Scan | None:
    """Walk `path` slowly; None when it does not exist or `stop` was set.

    Raises OSError when it cannot be looked at, TimeoutError after `MOST_WALK_S`.
    """
    usage = Usage()
    began, cpu_began = time.monotonic(), time.thread_time()
    rest_at = began + WORK_S
    try:
        for _ in walk(path, usage):
            now = time.monotonic()
            if now >= rest_at:
                if now - began > MOST_WALK_S:
                    raise TimeoutError(f"walk took longer than {MOST_WALK_S:.0f} s")
                if stop.wait(REST_S):
                    return None
                rest_at = time.monotonic() + WORK_S
    except (FileNotFoundError, NotADirectoryError):
        return None
    ended = time.monotonic()
    return Scan(usage, ended - began, time.thread_time() - cpu_began, ended)


def values(scan: Scan, now_s: float) -> Values:
    return {
        "size": scan.usage.bytes,
        "files": scan.usage.files,
        "scan_seconds": scan.seconds,
        "scan_age": max(0.0, now_s - scan.ended_s),
        "unreadable": scan.usage.unreadable,
    }


def pause_s(interval_s: float, cpu_seconds: float) -> float:
    """Time from the end of one walk to the start of the next."""
    return max(interval_s, cpu_seconds / MOST_LOAD)


async def watch(path: str, interval_s: float, post: Callable[[Instances], None]) -> None:
    """Walk `path` for ever and `post` its values once per interval; nothing while there is no such directory."""
    worker = Worker("directory")
    stop = threading.Event()
    name = path.encode("utf-8", "replace").decode()
    last: Scan | None = None

    def repeat() -> None:
        if last is not None:
            post({name: values(last, time.monotonic())})

    await worker.run(lower_priority)
    try:
        while True:
            walking = worker.submit(scan, path, stop)
            while not (await asyncio.wait([walking], timeout=interval_s))[0]:
                repeat()
            last = _result(walking, path)
            repeat()
            due_s = time.monotonic() + pause_s(interval_s, last.cpu_seconds if last else 0)
            while True:
                await asyncio.sleep(min(interval_s, max(0.0, due_s - time.monotonic())))
                if time.monotonic() >= due_s:
                    break
                repeat()
    finally:
        stop.set()
        worker.close()


def _result(walked: asyncio.Future[Scan | None], path: str) -> Scan | None:
    try:
        return walked.result()
    except Exception as error:  # forbidden, failing, endless or no path at all: absent until it can be walked
        logger.warning("directory could not be measured", extra={"path": path, "error": f"{error!r}"})
        return None
