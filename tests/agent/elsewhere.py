"""`python -m tests.agent.elsewhere darwin|win32 WORDS...`: the agent in a process that believes to be on that system.

What the standard library and psutil lack there is missing, and no code of the agent may open anything below /proc or
/sys. `imports` instead of the agent's words imports every module of it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures  # noqa: F401  # whatever asks for the platform when it is imported is imported before
import ctypes  # noqa: F401
import functools
import http.client  # noqa: F401
import importlib
import json  # noqa: F401
import logging.handlers  # noqa: F401
import os
import pkgutil
import platform  # noqa: F401
import signal  # noqa: F401
import socket
import ssl  # noqa: F401
import subprocess  # noqa: F401
import sys
import tempfile  # noqa: F401
from collections import namedtuple
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec  # noqa: F401
import nats.aio.client  # noqa: F401
import psutil

POSIX_ONLY = ("fdatasync", "posix_fadvise", "sched_getaffinity")
UNIX_ONLY = (
    *("statvfs", "getloadavg", "setpriority", "sysconf", "pread", "pwrite", "O_CLOEXEC", "O_DIRECTORY", "ST_RDONLY"),
    *("geteuid", "getuid", "fork", "nice", "uname", "PRIO_PROCESS", "fchmod", "mkfifo"),
)
LINUX_SENSORS = ("sensors_temperatures", "sensors_fans")
TIMES = {"darwin": ("user", "nice", "system", "idle"), "win32": ("user", "system", "idle", "interrupt", "dpc")}
MEMORY = {
    "darwin": ("total", "available", "percent", "used", "free", "active", "inactive", "wired"),
    "win32": ("total", "available", "percent", "used", "free"),
}
DISK = ("read_count", "write_count", "read_bytes", "write_bytes", "read_time", "write_time")


def with_fields(call: Callable[..., Any], name: str, fields: tuple[str, ...]) -> Callable[..., Any]:
    """`call`, its answers with these fields only, 0 where this system has no such field."""
    answer = namedtuple(name, fields)  # type: ignore[misc]  # noqa: PYI024

    def fewer(found: Any) -> Any:
        return answer(*(getattr(found, field, 0) for field in fields))

    def wrapped(*args: Any, **named: Any) -> Any:
        found = call(*args, **named)
        if isinstance(found, list):
            return [fewer(one) for one in found]
        return {key: fewer(one) for key, one in found.items()} if isinstance(found, dict) else fewer(found)

    return wrapped


def become(system: str) -> None:
    """Take away what `system` lacks."""
    if system == "win32":
        psutil.disk_usage = functools.partial(disk_usage, os.statvfs)
    for name in POSIX_ONLY + (UNIX_ONLY if system == "win32" else ()):
        if hasattr(os, name):
            delattr(os, name)
    for name in LINUX_SENSORS:
        delattr(psutil, name)
    psutil.cpu_times = with_fields(psutil.cpu_times, "scputimes", TIMES[system])
    psutil.virtual_memory = with_fields(psutil.virtual_memory, "svmem", MEMORY[system])
    psutil.disk_io_counters = with_fields(psutil.disk_io_counters, "sdiskio", DISK)
    psutil.net_if_stats = with_fields(psutil.net_if_stats, "snicstats", ("isup", "duplex", "speed", "mtu"))
    if system == "win32":
        sys.modules["fcntl"] = None  # type: ignore[assignment]
        # The event loop's own pair of sockets is of this family here.
        socket.socketpair = functools.partial(socket.socketpair, socket.AF_UNIX)
        del socket.AF_UNIX
        for function in ("open_unix_connection", "start_unix_server"):
            delattr(asyncio, function)
        loop: Any = asyncio.SelectorEventLoop
        loop.add_signal_handler = loop.remove_signal_handler = not_here
    sys.platform = system
    sys.addaudithook(forbid_linux_files)


def disk_usage(statvfs: Callable[[str], Any], path: str) -> Any:
    """psutil's own, which needs no statvfs there."""
    found = statvfs(path)
    total, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    return psutil._ntuples.sdiskusage(total, total - free, free, 100 * (total - free) / total)


def not_here(*_: object) -> NoReturn:
    raise NotImplementedError


def forbid_linux_files(event: str, arguments: tuple[Any, ...]) -> None:
    """psutil itself has to read them, this being Linux after all."""
    if event not in {"open", "os.listdir", "os.scandir"}:
        return
    path = arguments[0]
    text = os.fsdecode(path) if isinstance(path, bytes | os.PathLike) else path
    if not isinstance(text, str) or not text.startswith(("/proc", "/sys")):
        return
    frame: Any = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("psutil"):
            return
        if module.startswith("agent"):
            print(f"{module} opens {text}", file=sys.stderr, flush=True)
            os._exit(70)
        frame = frame.f_back


def import_everything() -> None:
    import agent

    for module in pkgutil.walk_packages(agent.__path__, "agent."):
        if module.name != "agent.__main__":
            importlib.import_module(module.name)


def main() -> int:
    system, *words = sys.argv[1:]
    become(system)
    if words == ["imports"]:
        import_everything()
        return 0
    from agent.__main__ import main as agent_main

    return agent_main(words)


if __name__ == "__main__":
    sys.exit(main())
