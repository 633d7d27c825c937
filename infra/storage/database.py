"""Connecting to PostgreSQL, and what its absence looks like."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Any, TypeAlias

import asyncpg

from infra.bus.connection import BUS_TRANSIENT

logger = logging.getLogger(__name__)

Connection: TypeAlias = "asyncpg.Connection[Any]"
Pool: TypeAlias = "asyncpg.Pool[Any]"


class StaleIds(Exception):
    """Names or ids that were read lead elsewhere by now, as a host was removed or instances forgotten: begin anew."""


DATABASE_TRANSIENT: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.ObjectInUseError,
    StaleIds,
)
"""What a database that is away, starting, full, contended or changed raises: try again, holding the position."""
UNMIGRATED = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
"""What a database raises that nobody has migrated yet, or not to the end."""

TRANSIENT = tuple(dict.fromkeys((*BUS_TRANSIENT, *DATABASE_TRANSIENT)))


async def connect(url: str, application: str) -> Connection:
    """One connection named `application`, in UTC, that gives up on a lock after 30 s."""
    return await asyncpg.connect(url, timeout=5, command_timeout=60, server_settings=_server_settings(application))


@contextlib.asynccontextmanager
async def connection(url: str, application: str) -> AsyncIterator[Connection]:
    """One connection, ended on leaving whatever state it is in."""
    database = await connect(url, application)
    try:
        yield database
    finally:
        try:
            await database.close(timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            database.terminate()


@contextlib.asynccontextmanager
async def pool(url: str, application: str, size: int = 4, least: int = 1) -> AsyncIterator[Pool]:
    """A pool of at most `size` connections; with `least` 0 it opens while the database is still away.

    Statements are planned anew for what each request asks: a plan for any arguments reads a hundred thousand incidents
    for a page of the newest, and every partition for a minute of samples.
    """
    opened = await asyncpg.create_pool(
        url,
        min_size=least,
        max_size=size,
        timeout=5,
        command_timeout=30,
        server_settings={**_server_settings(application), "plan_cache_mode": "force_custom_plan"},
    )
    try:
        yield opened
    finally:
        opened.terminate()


def _server_settings(application: str) -> dict[str, str]:
    return {
        "application_name": f"sonde {application}",
        "timezone": "UTC",
        "lock_timeout": "30s",
        # A session whose client vanished without a word ends after a minute, and with it the locks that it has.
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }


def row_count(status: str) -> int:
    """The number at the end of a statement's status, such as `DELETE 3`."""
    return int(status.split()[-1])


async def become_the_one(database: Connection, role: str, stop: asyncio.Event) -> None:
    """Wait, at most for `stop`, for the lock of `role`: one process has it at a time, while its connection lives."""
    waited = False
    while not stop.is_set() and not await database.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", role):
        if not waited:
            logger.info("another process is active, standing by", extra={"role": role})
            waited = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await stop.wait()


async def ensure_hosts(database: Connection, names: Iterable[str]) -> dict[str, int]:
    """Ids of the hosts called `names`, which are created where missing. Run it inside the caller's transaction.

    Raises StaleIds rather than create a host that was removed: only an enrolment brings that back, and messages of it
    are dropped where they are read (see `infra.storage.removed`).
    """
    wanted = sorted(set(names))
    rows = await database.fetch("SELECT name, id FROM hosts WHERE name = ANY($1)", wanted)
    ids = {row["name"]: row["id"] for row in rows}
    missing = [name for name in wanted if name not in ids]
    if missing:
        removed = await database.fetch("SELECT name FROM removed_hosts WHERE name = ANY($1) ORDER BY name", missing)
        if removed:
            raise StaleIds(f"removed since the hosts were read: {', '.join(row['name'] for row in removed)}"[:300])
        await database.execute("INSERT INTO hosts (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", missing)
        rows = await database.fetch("SELECT name, id FROM hosts WHERE name = ANY($1)", missing)
        ids.update({row["name"]: row["id"] for row in rows})
    return ids
