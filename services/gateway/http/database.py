"""Connections of the pool: for routes, to whom a database that is away is a 503, and for tasks, who try again."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from typing import cast

import asyncpg

from infra.storage.database import DATABASE_TRANSIENT, UNMIGRATED, Connection, Pool
from services.gateway.http.problems import unavailable

logger = logging.getLogger(__name__)

AWAY = "/problems/database-away"
NOT_READY: tuple[type[Exception], ...] = (*DATABASE_TRANSIENT, *UNMIGRATED)
"""What a database raises that is away, or not migrated: try again."""


@contextlib.asynccontextmanager
async def borrowed(pool: Pool, wait_s: float = 5) -> AsyncIterator[Connection]:
    """A connection of `pool`. Raises what the database raises."""
    async with pool.acquire(timeout=wait_s) as connection:
        yield cast("Connection", connection)


@contextlib.asynccontextmanager
async def connected(pool: Pool, wait_s: float = 5) -> AsyncIterator[Connection]:
    """A connection of `pool`; nothing but the database may be used within. Raises ProblemError 503 when it is away."""
    try:
        async with borrowed(pool, wait_s) as connection:
            yield connection
    except (asyncpg.DataError, asyncpg.InterfaceError) as error:
        # A value or a call that the driver refuses is our bug, unless the connection went away under it.
        if isinstance(error, asyncpg.DataError) or "closed" not in str(error):
            raise
        raise unavailable("the database connection was lost; retry", AWAY) from error
    except UNMIGRATED as error:
        logger.error("database tables missing", extra={"error": str(error)})
        raise unavailable("database tables or columns are missing; run `sonde migrate`", AWAY, 10) from error
    except DATABASE_TRANSIENT as error:
        logger.warning("database unavailable", extra={"error": f"{type(error).__name__}: {error}"[:300]})
        detail = (
            "the database did not answer in time" if isinstance(error, TimeoutError) else "the database is unavailable"
        )
        raise unavailable(f"{detail}; retry, and see the gateway's log if it persists", AWAY) from error
