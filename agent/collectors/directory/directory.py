"""Size of configured directories, from a walk in a thread of the lowest priority.

The walk works a few milliseconds and sleeps several times as long; and a tree that costs much is walked less often, so
that all walking together stays below `MOST_LOAD` of one core. A walk that takes longer than a turn rests for an
interval and goes on where it stopped. Between two walks the last result is repeated with its age.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import platform
import sys
import threading
import time
from collections.abc import Callable

from msgspec import Struct

from agent.collectors.directory.walk import walk
from agent.collectors.readings import Instances, Values
from agent.system.state import Usage, WalkProgress
from agent.system.worker import Worker

logger = logging.getLogger(__name__)

WORK_S = 0.002
REST_S = 0.018
MOST_LOAD = 0.002
"""Highest share of one core that walking may take over time."""
TURN_S = 900.0
"""A walk that takes longer rests in between."""

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


class Walk:
    """One walk through a tree, which can stop anywhere and go on there."""

    def __init__(self, path: str, usage: Usage) -> None:
        """`usage` is added to as the walk goes on."""
        self._usage = usage
        self._steps = walk(path, usage)
        self._seconds = 0.0
        self._cpu_seconds = 0.0

    def go_on(self, stop: threading.Event, within_s: float = TURN_S) -> Scan | None:
        """Walk slowly until the end; None when `stop` was set or the time is up before that.

        Raises FileNotFoundError or NotADirectoryError when there is no such directory, OSError when it cannot be
        looked at.
        """
        began, cpu_began = time.monotonic(), time.thread_time()
        rest_at = began + WORK_S
        try:
            for _ in self._steps:
                now = time.monotonic()
                if now >= rest_at:
                    if now - began > within_s or stop.wait(REST_S):
                        return None
                    rest_at = time.monotonic() + WORK_S
        finally:
            ended = time.monotonic()
            self._seconds += ended - began
            self._cpu_seconds += time.thread_time() - cpu_began
        return Scan(self._usage, self._seconds, self._cpu_seconds, ended)


def below(root: str, path: str) -> str:
    """Where `path` of a system is whose root directory is mounted at `root`."""
    return path if root == "/" else root.rstrip("/") + path


def scan(path: str, stop: threading.Event) -> Scan | None:
    """Walk `path` from begin to end; None when there is no such directory or `stop` was set. Raises OSError."""
    try:
        return Walk(path, Usage()).go_on(stop, math.inf)
    except (FileNotFoundError, NotADirectoryError):
        return None


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


async def watch(
    path: str,
    interval_s: float,
    post: Callable[[Instances], None],
    progress: WalkProgress,
    turn_s: float = TURN_S,
    root: str = "/",
) -> None:
    """Walk `path` below `root` for ever and `post` its values once per interval; nothing while there is none.

    `progress` is kept up to date.
    """
    watched = _Watched(path, root, interval_s, post, progress)
    await watched.worker.run(lower_priority)
    try:
        while True:
            progress.again.clear()
            try:
                watched.last = await watched.walk_whole(turn_s)
                progress.end(watched.last.usage, watched.last.seconds)
                watched.repeat()
            except Exception as error:  # missing, forbidden or failing: without values until it can be walked
                watched.last = None
                progress.fail(error)
                if not isinstance(error, FileNotFoundError | NotADirectoryError):
                    logger.warning("directory not measured", extra={"path": path, "error": f"{error!r}"})
            await watched.until_due()
    finally:
        watched.stop.set()
        watched.worker.close()


class _Watched:
    """One directory: who walks it and what the last walk found."""

    def __init__(
        self, path: str, root: str, interval_s: float, post: Callable[[Instances], None], progress: WalkProgress
    ) -> None:
        self._path = below(root, path)
        self._name = path.encode("utf-8", "replace").decode()
        self._interval_s = interval_s
        self._post = post
        self._progress = progress
        self.worker = Worker("directory")
        self.stop = threading.Event()
        self.last: Scan | None = None

    def repeat(self) -> None:
        """Post what the last walk found, with its age."""
        if self.last is not None:
            self._post({self._name: values(self.last, time.monotonic())})

    async def walk_whole(self, turn_s: float) -> Scan:
        """Walk to the end, in turns; meanwhile the last result is repeated. Raises OSError."""
        walking = Walk(self._path, self._progress.begin())
        while True:
            turn = self.worker.submit(walking.go_on, self.stop, turn_s)
            while not (await asyncio.wait([turn], timeout=self._interval_s))[0]:
                self.repeat()
            scanned = turn.result()
            if scanned is not None:
                return scanned
            self.repeat()
            await asyncio.sleep(self._interval_s)

    async def until_due(self) -> None:
        """Wait until the next walk is due or asked for; meanwhile the last result is repeated."""
        again = self._progress.again
        due_s = time.monotonic() + pause_s(self._interval_s, self.last.cpu_seconds if self.last else 0)
        self._progress.next_at = time.time() + due_s - time.monotonic()
        while (left_s := due_s - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(self._interval_s, left_s)):
                    await again.wait()
                    return
            if time.monotonic() < due_s:
                self.repeat()
