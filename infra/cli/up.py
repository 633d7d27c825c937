"""`sonde up`: both servers, all services and a local agent in one process that starts and ends as a whole.

`sonde demo` is the same with a simulated fleet in place of the agent.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from agent import service as local_agent
from agent.identity.state import IdentityError
from demo.directory import is_demonstration
from infra.addresses import local_address
from infra.authority.authority import AuthorityError, authority_directory, ensure_authority
from infra.bus.connection import first_fault
from infra.certificates.listening import local_gateway, require_encryption
from infra.cli import process, reach
from infra.cli.invite import invite
from infra.cli.localbus import LocalBus, local_bus
from infra.cli.migrate import migrate_all
from infra.cli.people import FIRST, first_link, nobody_came
from infra.cli.process import CommandError
from infra.cli.terminal import Terminal
from infra.cli.watch import watch_disk, watch_servers
from infra.log import for_people, log_everything_to, set_up_logging
from infra.servers.embedded import EmbeddedServerError, postgres_server
from infra.settings import AgentSettings, ServerSettings, SettingError
from schemas.version import VERSION
from services.alerts import service as alerts
from services.gateway import service as gateway
from services.gateway.http.server import bind
from services.ingest import service as ingest
from services.retention import service as retention

logger = logging.getLogger(__name__)


class PartEnded(Exception):
    """A part of the whole ended by itself, so the rest must end too."""


Part = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set."""
Companion = Callable[[LocalBus, ServerSettings], Coroutine[Any, Any, Part]]
"""Makes the part that sends samples, once both servers are there and migrated; the settings say where they are."""

EXPECTED = (PartEnded, EmbeddedServerError, AuthorityError, IdentityError, SettingError, CommandError)
"""What names its remedy itself."""


def up(server: ServerSettings, local: AgentSettings) -> int:
    """Run everything until a signal or the first part that ends by itself; returns the exit status."""

    if is_demonstration(Path(server.data)):
        raise CommandError(
            f"up: {server.data}: holds a demonstration, which `sonde demo` runs; set SONDE_DATA to another"
        )

    async def local_agent_of(_: LocalBus, server: ServerSettings) -> Part:
        invited = await invite(server, msgspec.structs.replace(local, data=server.data))
        return functools.partial(local_agent.run, invited)

    return run_everything(server, "up", "agent", local_agent_of, "set SONDE_DATA to another directory")


def run_everything(server: ServerSettings, command: str, name: str, companion: Companion, elsewhere: str) -> int:
    """Both servers, all services, and what `companion` makes, called `name`; returns the exit status.

    `command` says it, and `elsewhere` what to do where the data directory cannot be used.
    """
    data = Path(server.data).absolute()
    try:
        data.mkdir(parents=True, exist_ok=True)
        _log(data / "sonde.log", server.log_format)
    except OSError as error:
        raise CommandError(f"{command}: {error.filename or data}: {reach.reason(error)}; {elsewhere}") from None

    async def body() -> None:
        stop = asyncio.Event()
        with process.stop_on_signals(stop):
            await _run_all(data, server, stop, name, companion)

    try:
        with process.runner() as loop:
            loop.run(body())
    except asyncio.CancelledError:
        return 130
    except BaseExceptionGroup as faults:
        return _failed(first_fault(faults), data, elsewhere)
    except Exception as error:
        return _failed(error, data, elsewhere)
    logger.info("stopped")
    return 0


def _failed(error: BaseException, data: Path, elsewhere: str) -> int:
    if isinstance(error, EXPECTED):
        text = str(error)
    elif isinstance(error, asyncpg.DiskFullError) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        text = f"disk full: {data}: {reach.reason(error)}; free space there, or {elsewhere}"
    elif isinstance(error, OSError):
        text = f"{error.filename or data}: {reach.reason(error)}; see {data / 'sonde.log'}"
    else:
        logger.critical("crashed", exc_info=error)
        text = f"{process.describe(error)}; see {data / 'sonde.log'}"
    print(f"sonde: {text}", file=sys.stderr)
    return 1


async def _run_all(data: Path, server: ServerSettings, stop: asyncio.Event, name: str, companion: Companion) -> None:
    require_encryption("http_host", server.http_host, server)
    listener = bind(server.http_host, server.port)
    with listener:
        listener.listen()  # whoever comes before the gateway serves, such as our own agent, waits instead of failing
        port = listener.getsockname()[1]
        logger.info("starting", extra={"version": VERSION, "data": str(data)})
        server = msgspec.structs.replace(server, port=port, data=str(data))
        authority = ensure_authority(authority_directory(server))
        async with local_bus(data, server, authority) as bus, postgres_server(data / "postgres") as database:
            _say_started("nats-server", local_address(server.bus_host), bus.server.port)
            _say_started("PostgreSQL", "127.0.0.1", database.port)
            server = msgspec.structs.replace(bus.reach, database_url=database.url)
            await migrate_all(bus.user(server, "migrate"), quiet=True)
            beside = await _unless(stop, companion(bus, server))
            if beside is None:
                return
            _write_running(data, bus.user(server, "tools"))
            parts: dict[str, Awaitable[None]] = {
                "ingest": ingest.run(bus.user(server, "ingest"), stop),
                "alerts": alerts.run(bus.user(server, "alerts"), stop),
                "gateway": gateway.run(bus.user(server, "gateway"), stop, sockets=[listener], nats_log=bus.log),
                "retention": retention.run(bus.user(server, "retention"), stop),
                name: beside(stop),
            }
            try:
                async with asyncio.TaskGroup() as group:
                    for part_name, part in parts.items():
                        group.create_task(_part(part_name, part, stop))
                    watchers = [
                        group.create_task(_end_with(bus.server.exited())),
                        group.create_task(_end_with(database.exited())),
                        group.create_task(watch_servers(bus.user(server, "tools"))),
                        group.create_task(watch_disk(data)),
                        group.create_task(bus.keep()),
                    ]
                    logger.info("parts started", extra={"parts": list(parts)})
                    logger.info("running", extra={"address": f"{local_gateway(server)}/"})
                    await _invite_somebody(server)
                    await stop.wait()
                    logger.info("stopping")
                    for watcher in watchers:
                        watcher.cancel()
            finally:
                process.running_file(str(data)).unlink(missing_ok=True)


async def _unless(stop: asyncio.Event, making: Coroutine[Any, Any, Part]) -> Part | None:
    """What `making` makes, or None as soon as `stop` is set: making the past of a large fleet takes minutes."""
    made, stopped = asyncio.ensure_future(making), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({made, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return made.result() if made.done() else None
    finally:
        stopped.cancel()
        made.cancel()
        await asyncio.wait({made})


async def _invite_somebody(server: ServerSettings) -> None:
    """While nobody has ever logged in: show a person the way in. Logs only say how to get it."""
    if not for_people(server.log_format):
        if await nobody_came(server):
            logger.info("nobody has logged in yet", extra={"command": f"sonde user link {FIRST}"})
        return
    url = await first_link(server)
    for handler in logging.getLogger().handlers:
        if url and isinstance(handler, Terminal):
            handler.show("log in", url, "cyan")


def _say_started(name: str, host: str, port: int) -> None:
    logger.info("server started", extra={"server": name, "address": f"{host}:{port}"})


async def _part(name: str, part: Awaitable[None], stop: asyncio.Event) -> None:
    """One part of the whole; an end that nobody asked for ends everything, with one line."""
    try:
        await part
    except Exception as error:
        logger.critical("crashed", extra={"part": name}, exc_info=error)
        raise PartEnded(f"{name} crashed: {process.describe(error)}") from error
    if not stop.is_set():
        raise PartEnded(f"{name} ended by itself")


async def _end_with(exited: Awaitable[str]) -> None:
    raise PartEnded(await exited)


def _write_running(data: Path, server: ServerSettings) -> None:
    """Tell commands where the servers are; `server`: the settings of commands."""
    running = process.Running(
        os.getpid(),
        server.nats_url,
        server.database_url,
        server.port,
        str(Path(server.nats_credentials).parent),
        server.nats_ca,
        server.nats_server_name,
        server.http_host,
        server.tls,
    )
    path = process.running_file(str(data))
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(running))


def _log(path: Path, log_format: str) -> None:
    """Everything to a file; to standard output JSON lines, or for a person what terminal.py shows. Raises OSError."""
    set_up_logging(log_format if for_people(log_format) else "json")
    if for_people(log_format):
        logging.getLogger().handlers[:] = [Terminal()]
    log_everything_to(path)
