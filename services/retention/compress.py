"""Cold parts become columnar, where the engine can; nobody writes to a part meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from infra.storage.database import Connection
from infra.storage.engine import Engine, tables_of
from schemas.catalogue import Family
from services.retention.policy import cold_before
from services.retention.report import Done, by_table

logger = logging.getLogger(__name__)


async def compress(database: Connection, engine: Engine, catalogue: Sequence[Family], now: datetime) -> list[Done]:
    """Compress what is cold at `now`, one part after the other; says by how much tables shrank.

    What takes too long or too much room stays as it is: a run goes on, else it would never be noted, and the moment to
    decide by never move on.
    """
    if engine.name == "native":
        return []
    compressed = []
    started = time.perf_counter()
    before = await _sizes(database, engine, catalogue)
    for table in tables_of(catalogue):
        begun = time.perf_counter()
        try:
            parts = await engine.compress_before(database, [table], cold_before(now))
        except (TimeoutError, asyncpg.InsufficientResourcesError) as error:
            problem = f"{type(error).__name__}: {error}"[:300]
            logger.error("compression failed", extra={"table": table.name, "error": problem})
            continue
        if parts:
            compressed.append((table, parts, round(time.perf_counter() - begun, 3)))
    if not compressed:
        return []
    after = await _sizes(database, engine, catalogue)
    done = []
    for table, parts, seconds in compressed:
        freed = before.get(table.name, 0) - after.get(table.name, 0)
        done.append(Done(table.family.name, table.kind, "compressed", parts, 0, freed, seconds))
    facts = {"tables": by_table(done), "freed_bytes": sum(each.bytes for each in done)}
    logger.info("compressed", extra=facts | {"ms": round((time.perf_counter() - started) * 1000, 1)})
    return done


async def _sizes(database: Connection, engine: Engine, catalogue: Sequence[Family]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for part in await engine.parts(database, tables_of(catalogue)):
        sizes[part.table] = sizes.get(part.table, 0) + part.bytes
    return sizes
