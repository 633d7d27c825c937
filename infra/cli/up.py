"""`sonde up`: both servers, all services and a local agent in one process that starts and ends as a whole."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import os
import sys
from collections.abc import Awaitable
from pathlib import Path

import msgspec

from agent import service as local_agent
from infra.bus.connection import first_fault
from infra.cli import process
from infra.cli.migrate import migrate_all
from infra.log import KeyValueFormatter, set_up_logging
from infra.servers.embedded import EmbeddedServerError, nats_server, postgres_server
from infra.settings import AgentSettings, ServerSettings, SettingError
from services.alerts import service as alerts
from services.gateway import service as gateway
from services.gateway.http.guard import require_loopback
from services.gateway.http.server import bind
from services.ingest import service as ingest
from services.retention import service as retention


class PartEnded(Exception):
    """A part of the whole ended by itself, so the rest must end too."""


def up(server: ServerSettings, local: AgentSettings) -> int:
    """Run everything until a signal or the first part that ends by itself; returns the exit status."""
    data = Path(server.data).absolute()
    data.mkdir(parents=True, exist_ok=True)
    _log_to(data / "sonde.log", server.log_format)

    async def body() -> None:
        stop = asyncio.Event()
        with process.stop_on_signals(stop):
            await _run_all(data, server, local, stop)

    try:
        with process.runner() as loop:
            loop.run(body())
    except asyncio.CancelledError:
        return 130
    except BaseExceptionGroup as faults:
        return _failed(first_fault(faults))
    except (PartEnded, EmbeddedServerError, SettingError, OSError) as error:
        return _failed(error)
    print("sonde: stopped")
    return 0


def _failed(error: BaseException) -> int:
    known = isinstance(error, PartEnded | EmbeddedServerError | SettingError)
    print(f"sonde: {error if known else process.describe(error)}", file=sys.stderr)
    return 1


async def _run_all(data: Path, server: ServerSettings, local: AgentSettings, stop: asyncio.Event) -> None:
    require_loopback(server.http_host)
    listener = bind(server.http_host, server.port)
    with listener:
        port = listener.getsockname()[1]
        print(f"sonde: starting, data in {data}", flush=True)
        async with nats_server(data / "nats") as bus, postgres_server(data / "postgres") as database:
            urls = {"nats_url": bus.url, "database_url": database.url, "data": str(data)}
            server = msgspec.structs.replace(server, port=port, **urls)
            local = msgspec.structs.replace(local, nats_url=bus.url, data=str(data))
            await migrate_all(server, quiet=True)
            _write_running(data, process.Running(os.getpid(), bus.url, database.url, port))
            try:
                async with asyncio.TaskGroup() as group:
                    for name, part in (
                        ("ingest", ingest.run(server, stop)),
                        ("alerts", alerts.run(server, stop)),
                        ("gateway", gateway.run(server, stop, sockets=[listener])),
                        ("retention", retention.run(server, stop)),
                        ("agent", local_agent.run(local, stop)),
                    ):
                        group.create_task(_part(name, part, stop))
                    watchers = [
                        group.create_task(_watch(bus.exited())),
                        group.create_task(_watch(database.exited())),
                    ]
                    print(f"sonde: http://{server.http_host}:{port}/  (Ctrl-C ends it)", flush=True)
                    await stop.wait()
                    for watcher in watchers:
                        watcher.cancel()
            finally:
                process.running_file(str(data)).unlink(missing_ok=True)


async def _part(name: str, part: Awaitable[None], stop: asyncio.Event) -> None:
    """One part of the whole; an end that nobody asked for ends everything, with one line."""
    try:
        await part
    except Exception as error:
        logging.getLogger(__name__).critical("crashed", extra={"part": name}, exc_info=error)
        stop.set()  # besides the group's cancelling, which Python before 3.12 can lose in a `wait_for`
        raise PartEnded(f"{name} crashed: {process.describe(error)}") from error
    if not stop.is_set():
        raise PartEnded(f"{name} ended by itself")


async def _watch(exited: Awaitable[str]) -> None:
    raise PartEnded(await exited)


def _write_running(data: Path, running: process.Running) -> None:
    path = process.running_file(str(data))
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(running))


def _log_to(path: Path, log_format: str) -> None:
    """On a terminal, show warnings only and keep the full log in a file; otherwise log as every service does."""
    if log_format != "auto" or not sys.stdout.isatty():
        set_up_logging(log_format)
        return
    set_up_logging("pretty")
    root = logging.getLogger()
    root.handlers[0].setLevel(logging.WARNING)
    root.handlers[0].addFilter(lambda record: record.exc_info is None)  # a crash is one line here, the trace is filed
    file = logging.handlers.RotatingFileHandler(path, maxBytes=10 * 2**20, backupCount=2)
    file.setFormatter(KeyValueFormatter())
    root.addHandler(file)
