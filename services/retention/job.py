"""One run: room ahead, old days dropped whole, cold days compressed, and a row and a line that say so."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from infra.database import Connection
from infra.engine import Dropped, detect
from schemas.catalogue import Family
from schemas.settings import settings_from_rows
from services.retention import sql
from services.retention.policy import cold_before, cutoff, room_until

logger = logging.getLogger(__name__)


class Run(Struct, frozen=True):
    """What one run did."""

    dropped: list[Dropped]
    compressed: int
    """Days of families made columnar."""
    raw_days: int


async def prune(database: Connection, catalogue: Sequence[Family], now: datetime) -> Run | None:
    """Do what is due at `now`; None when another process is at it.

    Every drop commits by itself, so a run that is cut off has done part of its work and the next one does the rest.
    """
    if not await database.fetchval(sql.TRY_LOCK):
        logger.info("another retention process is at work")
        return None
    try:
        return await _prune(database, catalogue, now)
    finally:
        if not database.is_closed():
            await database.execute(sql.UNLOCK)


async def _prune(database: Connection, catalogue: Sequence[Family], now: datetime) -> Run:
    started = time.perf_counter()
    raw_days = await _raw_days(database)
    before = cutoff(now, raw_days)
    engine = await detect(database, catalogue)
    await engine.make_room(database, catalogue, now, room_until(now))
    dropped = await engine.drop_before(database, catalogue, before)
    compressed = await engine.compress_before(database, catalogue, cold_before(now))
    seconds = time.perf_counter() - started
    freed_bytes = sum(part.bytes for part in dropped)
    await database.execute(sql.NOTE_RUN, now, seconds, msgspec.json.encode(dropped).decode(), freed_bytes)
    logger.info(
        "pruned",
        extra={
            "engine": engine.name,
            "raw_days": raw_days,
            "before": before.date().isoformat(),
            "dropped": len(dropped),
            "freed_bytes": freed_bytes,
            "rows_estimate": sum(part.rows_estimate for part in dropped),
            "compressed": compressed,
            "ms": round(seconds * 1000, 1),
        },
    )
    return Run(dropped, compressed, raw_days)


async def _raw_days(database: Connection) -> int:
    value = await database.fetchval(sql.RAW_DAYS)
    return settings_from_rows({} if value is None else {"raw_days": value}).raw_days
