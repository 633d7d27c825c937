"""The rows of removed hosts are deleted: a part after the other, each portion a short transaction, the host at last.

Nobody writes rows for such a host any more: its removal raised the generation, as forgetting instances does. So a part
without rows of it stays so, and whoever is killed begins again with the first part and finds nothing in those that are
done. Roll-ups run between portions, in the same task, so none is under way for a host whose rows go.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from infra.storage.database import Connection, row_count
from infra.storage.engine import Engine, Part, tables_of
from schemas.catalogue import Family
from services.retention import sql_erase as sql
from services.retention.strays import stray_tables

logger = logging.getLogger(__name__)

PORTION_ROWS = 100_000
"""About as many rows are deleted in one transaction, which takes some tenths of a second."""
SLICES = 24
"""A part with more of a host is deleted in so many slices of time: raw rows by the hour."""
TIMEOUT_S = 600.0
NEWS = "2 hours"
"""How long a removal waits for notifications that the host's alerts are over; the alert service gives up sooner."""

Between = Callable[[], Awaitable[None]]


async def erase_removed(database: Connection, engine: Engine, catalogue: Sequence[Family], between: Between) -> int:
    """Delete the rows of all removed hosts, and the hosts; how many are left, as something holds them up.

    `between` is awaited between two portions. What fails is left for the next run.
    """
    left = 0
    for removal in await database.fetch(sql.REMOVALS):
        try:
            left += not await _erase_host(database, engine, catalogue, removal, between)
        except (TimeoutError, asyncpg.LockNotAvailableError, asyncpg.UndefinedTableError) as error:
            # Such as a part that is being compressed, or was dropped since it was listed.
            problem = f"{type(error).__name__}: {error}"[:300]
            logger.warning("deletion of a removed host interrupted", extra={"host": removal["name"], "error": problem})
            left += 1
    return left


async def _erase_host(
    database: Connection, engine: Engine, catalogue: Sequence[Family], removal: asyncpg.Record, between: Between
) -> bool:
    """Delete what there is of one host; False when notifications hold up its end."""
    started = time.perf_counter()
    host_id: int = removal["host_id"]
    if not removal["parts"] or removal["done"] < removal["parts"]:
        for statement in (sql.CLEAN_SLOTS, sql.CLEAN_HOURS):  # else they would be rolled up anew
            await database.execute(statement, host_id)
        tables = [*tables_of(catalogue), *await stray_tables(database, catalogue)]
        parts = await engine.parts(database, tables)
        for number, part in enumerate(parts):
            await database.execute(sql.NOTE_PROGRESS, host_id, len(parts), number, 0)
            await _erase_part(database, host_id, part, between)
        # One more than there are when there are none: begun and done.
        await database.execute(sql.NOTE_PROGRESS, host_id, max(1, len(parts)), max(1, len(parts)), 0)
    if await database.fetchval(sql.NEWS_WAITING, host_id, NEWS):
        return False
    rows = await database.fetchval(sql.ROWS, host_id)
    for statement in (sql.FORGET_TRANSITIONS, sql.FORGET_INCIDENTS, sql.FORGET_INSTANCES):
        while row_count(await database.execute(statement, host_id, timeout=TIMEOUT_S)):
            await between()
    await database.execute(sql.FORGET_HOST, host_id, timeout=TIMEOUT_S)
    seconds = round(time.perf_counter() - started, 3)
    logger.info("removed host deleted", extra={"host": removal["name"], "rows": rows, "seconds": seconds})
    return True


async def _erase_part(database: Connection, host_id: int, part: Part, between: Between) -> None:
    """Delete the host's rows of one part, counting them in the same transactions."""
    there = await database.fetchval(sql.some_rows(part), host_id, PORTION_ROWS + 1, timeout=TIMEOUT_S)
    if not there:
        return
    # Of compressed rows whole batches go by their host, as long as nothing is said of time.
    if there > PORTION_ROWS and not part.compressed:
        length = (part.last - part.first) / SLICES
        for number in range(SLICES):
            begin = part.first + number * length
            await _delete(database, host_id, sql.delete_slice(part), begin, begin + length)
            await between()
    await _delete(database, host_id, sql.delete_rows(part))
    await between()


async def _delete(database: Connection, host_id: int, statement: str, *bounds: object) -> None:
    async with database.transaction():
        await database.execute(sql.PLENTY)
        rows = row_count(await database.execute(statement, host_id, *bounds, timeout=TIMEOUT_S))
        await database.execute(sql.COUNT_ROWS, host_id, rows)
