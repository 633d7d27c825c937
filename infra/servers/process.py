"""A server process of our own: started on a port, watched, stopped; it neither outlives us nor shares its directory.

Oddities, on purpose:
* `subprocess.Popen`, not asyncio's: tests use one server from many event loops.
* The lock on the directory is inherited by the server. It is free again only when every process of the server is gone,
  so whoever holds it may take a leftover pid file for stale.
* Ports are tried rather than reserved: only the server itself can say that it got one.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import psutil
from msgspec import Struct

_LAUNCH = Path(__file__).with_name("launch.py")
LOG_BYTES = 32 * 2**20
"""Most of a log of a running server: an agent that may not do what it tries has a line written each time."""
_TRIES = 20
_ORPHAN_S = 5.0
"""How long a server may take to end whose Sonde was killed."""
_HELD_S = 0.5
"""How long to wait for a directory whose Sonde is alive: its server's last processes may just be leaving."""


class EmbeddedServerError(Exception):
    """An embedded server is not available; the text says what, where and what to do."""


class PortTakenError(EmbeddedServerError):
    """The port belongs to another process."""


class Plan(Struct, frozen=True):
    """How a kind of server is started, known to be ready, and ended."""

    name: str
    log: Path
    command: Callable[[int], Sequence[str]]
    """Program and arguments for a port."""
    ready: Callable[[int], bool]
    """Whether the process of this id serves."""
    ready_within_s: float
    identity: str
    """As launch.py takes it."""
    ending: tuple[tuple[signal.Signals, float], ...]
    """Signals to send in turn, each with the seconds it may take."""


class Server:
    """A running server. `url` is how to reach it; the rest is for supervisors and tests."""

    def __init__(self, plan: Plan, lock: int) -> None:
        self._plan = plan
        self._lock = lock
        self.url = ""
        self.port = 0
        self.process: subprocess.Popen[bytes]

    async def start(self, port: int) -> None:
        """Start on `port` and wait until it serves. Raises PortTakenError or EmbeddedServerError."""
        plan = self._plan
        rotate(plan.log)
        with plan.log.open("ab") as log:  # appending, so that `keep_log_small` may cut it
            self.process = subprocess.Popen(  # noqa: ASYNC220  (see the oddities above; it takes about a millisecond)
                launched(plan.identity, plan.ending[0][0], plan.command(port)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._lock,),
                start_new_session=True,
                cwd=plan.log.parent,  # ours may be closed to the user that the server runs as
                env=environment(),
            )
        self.port = port
        try:
            await self._until_ready()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    async def _until_ready(self) -> None:
        plan = self._plan
        deadline = time.monotonic() + plan.ready_within_s
        while not plan.ready(self.process.pid):
            if self.process.poll() is not None:
                if "address already in use" in log_text(plan.log).lower():
                    raise PortTakenError(f"{plan.name}: port {self.port} is in use by another process")
                raise EmbeddedServerError(f"{plan.name} did not start: {self._ending()} (log: {plan.log})")
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"{plan.name} was not ready within {plan.ready_within_s:g} s: "
                    f"{last_line(plan.log)} (log: {plan.log})"
                )
            await asyncio.sleep(0.005)

    async def exited(self) -> str:
        """Wait until the process ends without `stop` having been called; the reason, in one line."""
        while self.process.poll() is None:  # noqa: ASYNC110  (the kernel's news would need a loop of its own)
            await asyncio.sleep(0.1)
        return self._ending()

    def _ending(self) -> str:
        code = self.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        return f"{self._plan.name} {how}; last log line: {last_line(self._plan.log)}"

    async def stop(self) -> None:
        """End the process, gently first; returns when it is gone. Cancelled, it ends it at once."""
        try:
            for sign, wait_s in self._plan.ending:
                if self.process.poll() is None:
                    self.process.send_signal(sign)
                    await self._gone([], wait_s)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    async def kill(self) -> None:
        """SIGKILL to the server and all its children, as a crash; returns when they are gone."""
        processes = _with_children(self.process.pid)
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        await self._gone(processes, 10)

    async def restart(self) -> None:
        """Stop if it runs, and start again on the same port and data."""
        await self.stop()
        deadline = time.monotonic() + 10
        while True:
            try:
                return await self.start(self.port)
            except PortTakenError:
                # A client may have caught the free port as the source port of its own connection attempt.
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def _gone(self, others: Sequence[psutil.Process], within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while self.process.poll() is None or any(_alive(process) for process in others):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(0.005)


def launched(identity: str, death_signal: signal.Signals, command: Sequence[str]) -> list[str]:
    """The command line that runs `command` through launch.py."""
    return [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(death_signal)), identity, *command]


def environment() -> dict[str, str]:
    """Our environment without what would change a server's mind; messages in English, since some are read."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))} | {"LC_ALL": "C"}


async def start_somewhere(server: Server, port: int, remembered: Path) -> None:
    """Start on `port`; when that is 0, on the remembered port or any free one, and remember it."""
    if port:
        await server.start(port)
        return
    candidates = _number_in(remembered)
    for _ in range(_TRIES):
        candidates.append(free_port())
        try:
            await server.start(candidates.pop(0))
        except PortTakenError:
            continue
        _write_number(remembered, server.port)
        return
    raise EmbeddedServerError(f"no free port found in {_TRIES} attempts; stop programs that listen on many ports")


def _number_in(path: Path) -> list[int]:
    text = path.read_text().strip() if path.exists() else ""
    return [int(text)] if text.isdecimal() else []


def _write_number(path: Path, number: int) -> None:
    path.write_text(f"{number}\n")


def free_port() -> int:
    """A port free at this moment, below the range from which systems take source ports of outgoing connections."""
    while True:
        port = random.randint(15000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextlib.asynccontextmanager
async def locked(directory: Path) -> AsyncIterator[int]:
    """Hold `directory`, made if missing, for us and our server. Raises EmbeddedServerError when another has it."""
    lock = _open_lock(directory)
    try:
        started = time.monotonic()
        while not _try_lock(lock):
            holder = os.pread(lock, 20, 0).decode().strip()
            alive = holder.isdecimal() and psutil.pid_exists(int(holder))
            if time.monotonic() - started > (_HELD_S if alive else _ORPHAN_S):
                raise EmbeddedServerError(
                    f"{directory} is in use by another sonde (process {holder}); "
                    f"stop it, or set SONDE_DATA to another directory"
                )
            await asyncio.sleep(0.02)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield lock
    finally:
        os.close(lock)


def _open_lock(directory: Path) -> int:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        remedy = "set SONDE_DATA to a directory that this user may write"
        raise EmbeddedServerError(f"{directory}: {str(error.strerror).lower()}; {remedy}") from None


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def rotate(log: Path) -> None:
    """Set the log of the previous run aside; the one before that is gone."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))


async def keep_log_small(log: Path, most_bytes: int = LOG_BYTES, every_s: float = 2.0) -> None:
    """Cut the log of a running server whenever it is larger, its end set aside as that of the run before; for ever."""
    while True:
        with contextlib.suppress(OSError):
            cut_log(log, most_bytes)
        await asyncio.sleep(every_s)


def cut_log(log: Path, most_bytes: int) -> None:
    """Empty `log` if it is larger than that; its last part is in the place of the run before's. Raises OSError."""
    if log.stat().st_size <= most_bytes:
        return
    with log.open("rb") as file:
        file.seek(-most_bytes // 8, os.SEEK_END)
        log.with_suffix(".log.1").write_bytes(file.read())
    os.truncate(log, 0)


def log_text(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""


def last_line(log: Path) -> str:
    """The last line of `log` that says something."""
    lines = [line.strip() for line in log_text(log)[-4000:].splitlines() if line.strip()]
    return lines[-1][:300] if lines else "none"


def _with_children(pid: int) -> list[psutil.Process]:
    """The process and its descendants, as far as they still exist."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
