"""Running coroutines as a process: the event loop, signals, and what a running `sonde up` tells other commands."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import psutil
from msgspec import Struct

from infra.addresses import redact
from infra.log import set_up_logging
from infra.settings import LogFormat, ServerSettings, SettingError

logger = logging.getLogger(__name__)

_CLOCK_STEP_S = 60.0


class CommandError(Exception):
    """A command cannot do what it was asked; its text is the one line to show."""


class OutputClosed(Exception):
    """Whoever read our output is gone, as `head` is after its lines: nothing more is to be said."""


class Gone(CommandError):
    """The `sonde up` of a data directory ended without removing what it wrote."""


class Running(Struct):
    """Where a running `sonde up` has its servers: `running.json` of its data directory, for its user only."""

    pid: int
    nats_url: str
    database_url: str
    port: int
    users: str = ""
    """Directory of the .creds files, one for each service and one for commands (`tools`)."""
    nats_ca: str = ""
    """Path of certificates that vouch for the bus; empty: it has no TLS, or the system's do."""
    nats_server_name: str = ""
    http_host: str = "127.0.0.1"
    tls: Literal["none", "own", "files", "in-front"] = "none"


def running_file(data: str) -> Path:
    return Path(data) / "running.json"


def read_running(data: str) -> Running | None:
    """What the `sonde up` of this data directory wrote; None when none was started. Raises CommandError.

    Raises also when that `sonde up` is gone without having removed its file, as after SIGKILL.
    """
    path = running_file(data)
    try:
        running = msgspec.json.decode(path.read_bytes(), type=Running)
        written_s = path.stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CommandError(
            f"{path}: {str(error.strerror).lower()}; run this command as the user of `sonde up`, "
            f"or set SONDE_NATS_URL and SONDE_DATABASE_URL"
        ) from None
    except msgspec.MsgspecError:
        raise CommandError(f"{path}: not written by this version of sonde; restart `sonde up`") from None
    if not _lives(running.pid, written_s):
        raise Gone(
            f"{path}: `sonde up` (process {running.pid}) is not running any more; start it again, or delete this file"
        )
    return running


def _lives(pid: int, since_s: float) -> bool:
    """True when the process `pid` runs and began before `since_s`, give or take a step of the clock."""
    try:
        process = psutil.Process(pid)
        began_s: float = process.create_time()
        return bool(process.status() != psutil.STATUS_ZOMBIE) and began_s < since_s + _CLOCK_STEP_S
    except psutil.NoSuchProcess:
        return False


def say(text: str) -> None:
    """Print a line at once. Raises OutputClosed."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise OutputClosed from None


def run(coroutine: Coroutine[Any, Any, int]) -> int:
    """Run a short command to its exit status."""
    set_up_logging("pretty", logging.ERROR, light=True)
    with runner() as loop:
        return loop.run(coroutine)


def run_service(name: str, settings: ServerSettings) -> int:
    """Run one service by its room's name until a signal ends it."""
    service = importlib.import_module(f"services.{name}.service")
    return run_until_signal(name, lambda stop: service.run(settings, stop), settings.log_format)


def run_until_signal(name: str, main: Callable[[asyncio.Event], Awaitable[None]], log_format: LogFormat) -> int:
    """Run `main(stop)`: the first SIGTERM or SIGINT sets `stop`, the second cancels. A crash: one line, status 1."""
    set_up_logging(log_format)

    async def body() -> None:
        stop = asyncio.Event()
        with stop_on_signals(stop):
            logger.info("starting", extra={"service": name})
            await main(stop)
            logger.info("stopped", extra={"service": name})

    try:
        with runner() as loop:
            loop.run(body())
    except asyncio.CancelledError:
        return 130
    except SettingError as error:
        print(f"sonde: {name}: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        logger.critical("crashed", extra={"service": name}, exc_info=error)
        print(f"sonde: {name}: {describe(error)}", file=sys.stderr)
        return 1
    return 0


def describe(error: BaseException) -> str:
    """One line for people, without secrets."""
    return redact(f"{type(error).__name__}: {error}".splitlines()[0])[:500]


@contextlib.contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Within: the first SIGINT or SIGTERM sets `stop`, the second cancels the current task, the third kills."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    signals = (signal.SIGINT, signal.SIGTERM)
    asked = False

    def received() -> None:
        nonlocal asked
        if asked and task is not None:
            task.cancel()
            give_back()
        asked = True
        stop.set()

    def give_back() -> None:
        for number in signals:
            try:
                loop.remove_signal_handler(number)
            except NotImplementedError:
                signal.signal(number, signal.SIG_DFL)

    for number in signals:
        try:
            loop.add_signal_handler(number, received)
        except NotImplementedError:  # loops on Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(received))
    try:
        yield
    finally:
        give_back()


def runner() -> asyncio.Runner:
    """An event loop, uvloop's where it is installed: servers have it, agents do without."""
    # Decoding makes many small objects that all die young; looking for cycles every 700 of them took a tenth of ingest.
    gc.set_threshold(50_000, 20, 50)
    try:
        import uvloop
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
