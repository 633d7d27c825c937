"""`sonde up`: both servers, all services and a local agent in one process that starts and ends as a whole."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sys
from collections.abc import Awaitable
from pathlib import Path

import asyncpg
import msgspec

from agent import service as local_agent
from infra.addresses import is_loopback
from infra.authority.adoption import adopt_open_streams
from infra.authority.authority import (
    RESOLVER,
    Authority,
    AuthorityError,
    ensure_authority,
    hand_accounts,
    server_access,
)
from infra.bus.connection import first_fault
from infra.certificates.listening import require_encryption
from infra.cli import process, reach
from infra.cli.migrate import migrate_all
from infra.cli.process import CommandError
from infra.cli.terminal import Terminal
from infra.cli.watch import watch_disk, watch_servers
from infra.log import for_people, log_everything_to, set_up_logging
from infra.servers.embedded import EmbeddedServerError, nats_server, postgres_server
from infra.settings import AgentSettings, ServerSettings, SettingError
from schemas.version import VERSION
from services.alerts import service as alerts
from services.gateway import service as gateway
from services.gateway.http.server import bind
from services.ingest import service as ingest
from services.retention import service as retention

logger = logging.getLogger(__name__)


BUS_PORT = 4222
"""Where the bus listens for other machines, unless settings say otherwise: agents keep its address."""


class PartEnded(Exception):
    """A part of the whole ended by itself, so the rest must end too."""


def up(server: ServerSettings, local: AgentSettings) -> int:
    """Run everything until a signal or the first part that ends by itself; returns the exit status."""
    data = Path(server.data).absolute()
    try:
        data.mkdir(parents=True, exist_ok=True)
        _log(data / "sonde.log", server.log_format)
    except OSError as error:
        remedy = "set SONDE_DATA to a directory that this user may write"
        raise CommandError(f"up: {error.filename or data}: {reach.reason(error)}; {remedy}") from None

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
        return _failed(first_fault(faults), data)
    except Exception as error:
        return _failed(error, data)
    logger.info("stopped")
    return 0


def _failed(error: BaseException, data: Path) -> int:
    if isinstance(error, PartEnded | EmbeddedServerError | AuthorityError | SettingError | CommandError):
        text = str(error)
    elif isinstance(error, asyncpg.DiskFullError) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        text = f"disk full: {data}: {reach.reason(error)}; free space there, or set SONDE_DATA to another disk"
    elif isinstance(error, OSError):
        text = f"{error.filename or data}: {reach.reason(error)}; see {data / 'sonde.log'}"
    else:
        logger.critical("crashed", exc_info=error)
        text = f"{process.describe(error)}; see {data / 'sonde.log'}"
    print(f"sonde: {text}", file=sys.stderr)
    return 1


async def _run_all(data: Path, server: ServerSettings, local: AgentSettings, stop: asyncio.Event) -> None:
    require_encryption("http_host", server.http_host, server)
    require_encryption("bus_host", server.bus_host, server)
    listener = bind(server.http_host, server.port)
    with listener:
        port = listener.getsockname()[1]
        logger.info("starting", extra={"version": VERSION, "data": str(data)})
        authority = ensure_authority(Path(server.authority) if server.authority else data / "authority")
        bus_port = server.bus_port or (0 if is_loopback(server.bus_host) else BUS_PORT)
        async with (
            nats_server(
                data / "nats",
                bus_port,
                server.bus_host,
                access=server_access(authority, data / "nats" / RESOLVER),
                before=lambda directory: _hand_over(authority, directory),
            ) as bus,
            postgres_server(data / "postgres") as database,
        ):
            logger.info("server started", extra={"server": "nats-server", "address": f"127.0.0.1:{bus.port}"})
            logger.info("server started", extra={"server": "PostgreSQL", "address": f"127.0.0.1:{database.port}"})
            urls = {"nats_url": bus.url, "database_url": database.url, "data": str(data)}
            server = msgspec.structs.replace(
                server, port=port, bus_port=bus.port, authority=str(authority.directory), **urls
            )
            local = msgspec.structs.replace(local, nats_url=bus.url, data=str(data))

            def user(role: str) -> ServerSettings:
                return msgspec.structs.replace(server, nats_credentials=str(authority.credentials_path(role)))

            await migrate_all(user("migrate"), quiet=True)
            users = str(authority.credentials_path("tools").parent)
            _write_running(data, process.Running(os.getpid(), bus.url, database.url, port, users))
            parts: dict[str, Awaitable[None]] = {
                "ingest": ingest.run(user("ingest"), stop),
                "alerts": alerts.run(user("alerts"), stop),
                "gateway": gateway.run(user("gateway"), stop, sockets=[listener]),
                "retention": retention.run(user("retention"), stop),
                "agent": local_agent.run(local, stop),
            }
            try:
                async with asyncio.TaskGroup() as group:
                    for name, part in parts.items():
                        group.create_task(_part(name, part, stop))
                    watchers = [
                        group.create_task(_end_with(bus.exited())),
                        group.create_task(_end_with(database.exited())),
                        group.create_task(watch_servers(user("tools"))),
                        group.create_task(watch_disk(data)),
                    ]
                    logger.info("parts started", extra={"parts": list(parts)})
                    host = f"[{server.http_host}]" if ":" in server.http_host else server.http_host
                    logger.info("running", extra={"address": f"http://{host}:{port}/"})
                    await stop.wait()
                    logger.info("stopping")
                    for watcher in watchers:
                        watcher.cancel()
            finally:
                process.running_file(str(data)).unlink(missing_ok=True)


def _hand_over(authority: Authority, directory: Path) -> None:
    """What the server is to know before it starts: the accounts, and whose the streams of an open bus are now."""
    hand_accounts(authority, directory / RESOLVER)
    adopt_open_streams(directory / "jetstream", authority.account("services"))


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


def _write_running(data: Path, running: process.Running) -> None:
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
