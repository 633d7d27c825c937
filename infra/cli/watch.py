"""Watches what all parts of `sonde up` need: bus, database, disk. One event when one fails, one when it is over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncpg

from infra.cli import reach
from infra.settings import ServerSettings
from infra.storage.database import TRANSIENT

logger = logging.getLogger(__name__)

EVERY_S = 2.0
FULL_BYTES = 32 * 2**20
"""PostgreSQL wants 16 MiB at once for a file of its log; without, it stops."""
ROOM_BYTES = 2 * FULL_BYTES

FAULTS: tuple[type[Exception], ...] = (reach.Unreachable, asyncpg.PostgresError, *TRANSIENT)
Probe = Callable[[], Awaitable[object]]


@contextlib.asynccontextmanager
async def _bus(settings: ServerSettings) -> AsyncIterator[Probe]:
    async with reach.bus(settings, "watch") as client:
        yield client.rtt


@contextlib.asynccontextmanager
async def _database(url: str) -> AsyncIterator[Probe]:
    async with reach.database(url, "watch") as connection:
        yield lambda: connection.fetchval("SELECT 1")


async def watch_servers(settings: ServerSettings) -> None:
    """Log when the bus or the database does not answer, and when it does again; until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_watch("bus", lambda: _bus(settings)))
        group.create_task(_watch("database", lambda: _database(settings.database_url)))


async def _watch(server: str, connect: Callable[[], AbstractAsyncContextManager[Probe]]) -> None:
    failed_s: float | None = None
    while True:
        try:
            async with connect() as probe:
                while True:
                    async with asyncio.timeout(reach.WITHIN_S):
                        await probe()
                    if failed_s is not None:
                        facts = {"server": server, "after_s": round(time.monotonic() - failed_s)}
                        logger.info("server available again", extra=facts)
                        failed_s = None
                    await asyncio.sleep(EVERY_S)
        except FAULTS as error:
            if failed_s is None:
                failed_s = time.monotonic()
                why = error.why if isinstance(error, reach.Unreachable) else reach.reason(error)
                logger.error("server not available", extra={"server": server, "error": why})
        await asyncio.sleep(EVERY_S)


async def watch_disk(directory: Path) -> None:
    """Log when the disk of `directory` is full, and when it has free space again; until cancelled."""
    full = False
    while True:
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(directory).free
            was, full = full, is_full(full, free)
            facts = {"directory": str(directory), "free_bytes": free}
            if full and not was:
                logger.error("disk full", extra=facts)
            if was and not full:
                logger.info("disk has free space again", extra=facts)
        await asyncio.sleep(EVERY_S)


def is_full(was: bool, free_bytes: int) -> bool:
    """Whether a disk counts as full; once it does, it needs more than a little to count as not."""
    return free_bytes < (ROOM_BYTES if was else FULL_BYTES)
