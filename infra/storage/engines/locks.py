"""Statements that need a table to themselves for a moment, on a database that is being written and read."""

from __future__ import annotations

import asyncio
import logging

import asyncpg

from infra.bus.backoff import Backoff
from infra.storage.database import Connection

logger = logging.getLogger(__name__)

_LOCK_WAIT_MS = 1500
"""Other sessions wait behind us for as long. More than `deadlock_timeout` (1 s), after which autovacuum gives way."""
_TRIES = 3


async def with_patience(database: Connection, statement: str, *arguments: object, timeout_s: float = 600) -> bool:
    """Run `statement` in its own transaction, with a short lock timeout and a few tries; False if none got it."""
    backoff = Backoff(0.25, 2)
    for number in range(_TRIES):
        if number:
            await asyncio.sleep(backoff.next_s())
        try:
            async with database.transaction():
                await database.execute(f"SET LOCAL lock_timeout = {_LOCK_WAIT_MS}")
                await database.execute(statement, *arguments, timeout=timeout_s)
            return True
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            logger.info("lock not acquired", extra={"statement": statement, "error": str(error), "try": number + 1})
    logger.warning("table locked by other sessions, will retry", extra={"statement": statement, "tries": _TRIES})
    return False
