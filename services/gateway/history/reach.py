"""How far back the rows of each kind go: retention notes from where on they are whole before it drops any."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from infra.storage.database import Connection
from services.gateway.history import sql as sql_history
from services.gateway.history.resolution import LENGTH_MS, Reach
from services.gateway.history.series import to_ms


async def read_reach(database: Connection) -> Reach:
    """Where raw, minute and hour rows begin, as far as any were dropped; readies the transaction, see `OPENING`."""
    [(names, befores, *_)] = await database.fetch(sql_history.OPENING)
    return reach_of(dict(zip(names, befores, strict=True)))


def reach_of(horizons: Mapping[str, datetime]) -> Reach:
    """The reach by kind of rows and the moment before which those are dropped; a kind without lost nothing. Pure.

    Not by the oldest partition or chunk: those of roll-ups are for weeks, and begin earlier though nothing was dropped.
    """
    return Reach(*(to_ms(horizons[kind]) if kind in horizons else 0 for kind in LENGTH_MS))
