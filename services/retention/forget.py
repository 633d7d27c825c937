"""Instances without any row, such as containers long gone, are forgotten.

Ingest writes rows by ids that it read before. Each of its transactions holds the generation of instances, and begins
anew when that is another than its ids are of. So while we hold it to raise it, no row comes in, and no row comes later
for an id that we delete.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import asyncpg

from infra.storage.database import Connection, row_count
from infra.storage.engine import Table, tables_of
from schemas.catalogue import Family
from services.retention import sql

logger = logging.getLogger(__name__)

PORTION = 500
"""Ingest waits while so many are looked at once more."""
TIMEOUT_S = 600.0


async def forget_instances(database: Connection, catalogue: Sequence[Family]) -> int:
    """Delete the instances that have a row in none of their family's tables; how many.

    What takes too long, or waits too long for ingest, is left for another day: the run goes on and is noted.
    """
    forgotten = 0
    for family in catalogue:
        if family.instance:
            try:
                for ids in await _portions(database, family):
                    forgotten += await _forget(database, family, ids)
            except (TimeoutError, asyncpg.LockNotAvailableError, asyncpg.InsufficientResourcesError) as error:
                problem = f"{type(error).__name__}: {error}"[:300]
                logger.warning("instance clean-up failed", extra={"family": family.name, "error": problem})
    return forgotten


async def _portions(database: Connection, family: Family) -> list[list[int]]:
    """The ids of instances that look as if they could go."""
    without = sql.without_rows(tables_of([family]))
    rows = await database.fetch(f"SELECT i.id {without} ORDER BY 1", family.name, None, timeout=TIMEOUT_S)
    ids = [row["id"] for row in rows]
    return [ids[start : start + PORTION] for start in range(0, len(ids), PORTION)]


async def _forget(database: Connection, family: Family, ids: list[int]) -> int:
    """Those of `ids` that have got no row since; roll-ups are made from raw rows only, and by us."""
    async with database.transaction():
        await database.execute(sql.NEXT_GENERATION)
        still = sql.without_rows([Table(family, "raw")])
        statement = f"DELETE FROM instances WHERE id IN (SELECT i.id {still})"  # noqa: S608 - names of the catalogue
        return row_count(await database.execute(statement, family.name, ids))
