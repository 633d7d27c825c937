"""What storage takes is measured once for everybody who wants to know, and kept in a row of the database."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime

import msgspec

from infra.storage.database import Connection
from schemas.catalogue import Family
from services.retention import sql
from services.retention.guard import ReadSpace, read_space
from services.retention.policy import InvalidSetting
from services.retention.usage import measure

logger = logging.getLogger(__name__)


async def note_use(
    database: Connection, catalogue: Sequence[Family], now: datetime, space: ReadSpace = read_space
) -> None:
    """Measure, and keep what was found in place of what was kept. With a setting that makes no sense nothing is."""
    began_s = time.perf_counter()
    try:
        use = await measure(database, catalogue, now, space)
    except InvalidSetting:
        return  # which the pruning that goes by it logs
    await database.execute(sql.NOTE_USE, now, msgspec.json.encode(use).decode())
    ms = round((time.perf_counter() - began_s) * 1000, 1)
    logger.debug("storage measured", extra={"bytes": use.database_bytes, "parts": len(use.parts), "ms": ms})
