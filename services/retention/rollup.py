"""Roll-ups: raw rows to minutes, minutes to hours, and sketches of every hour's counts.

Ingest dirty the ten minutes (slot) of a host that get rows, in the transaction that writes them. A slot is due once it
has ended a while ago, or at once when rows come late; then its minutes are computed anew from all of its raw rows, its
hour is marked, and the mark is taken away unless a flush has raised its version since it was read. Marks are read
before rows: what comes in between is rolled up once too often rather than not at all. An hour is due when it has ended
and none of its slots is marked. Everything of one portion is one transaction, so readers never see half of it, and
doing it again changes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from infra.storage import packed
from infra.storage.database import Connection
from infra.storage.engine import Engine, Table, tables_of
from infra.storage.sketch import sketch
from schemas.catalogue import Family
from schemas.slots import SLOT_MS
from services.retention import sql_rollup as sql

logger = logging.getLogger(__name__)

SLOT = timedelta(milliseconds=SLOT_MS)
HOUR = timedelta(hours=1)
GRACE = timedelta(seconds=60)
"""How long after its end a slot is left to agents that send every 10 s."""
PORTION_SLOTS = 200
PORTION_HOURS = 20
TIMEOUT_S = 600.0


class RolledUp(Struct, frozen=True):
    """What was done."""

    slots: int = 0
    hours: int = 0
    seconds: float = 0.0


async def roll_up(
    database: Connection, engine: Engine, catalogue: Sequence[Family], now: datetime, until: datetime | None = None
) -> RolledUp:
    """Roll up everything that is due at `now`, and what begins before `until`, an hour's begin, due or not.

    One process at a time: the caller sees to that. What is cut off is done by the next run.
    """
    started = time.perf_counter()
    slots = hours = 0
    slots_before, hours_before = due_before(now, until)
    while done := await _minutes(database, engine, catalogue, slots_before):
        slots += done
    while done := await _hours(database, engine, catalogue, hours_before):
        hours += done
    seconds = time.perf_counter() - started
    if slots or hours:
        logger.debug("rolled up", extra={"slots": slots, "hours": hours, "ms": round(seconds * 1000, 1)})
    return RolledUp(slots, hours, seconds)


def due_before(now: datetime, until: datetime | None = None) -> tuple[datetime, datetime]:
    """The last begins of a slot and of an hour to roll up at `now`: those that have ended, and those before `until`."""
    slot, hour = now - GRACE - SLOT, now - GRACE - HOUR
    return (slot, hour) if until is None else (max(slot, until - SLOT), max(hour, until - HOUR))


async def _minutes(database: Connection, engine: Engine, catalogue: Sequence[Family], before: datetime) -> int:
    """A portion of slots that begin at or before `before`; how many there were."""
    async with database.transaction():
        dirty = await database.fetch(sql.DUE_SLOTS, before, PORTION_SLOTS)
        if not dirty:
            return 0
        hosts, slots = [one["host_id"] for one in dirty], [one["slot"] for one in dirty]
        first, last = min(slots), max(slots) + SLOT
        keys = (hosts, slots, first, last)
        await _open(database, engine, tables_of(catalogue, "minute"), slots)
        for family in catalogue:
            await database.execute(sql.forget(Table(family, "minute")), *keys, timeout=TIMEOUT_S)
            await database.execute(sql.fill_minutes(family), *keys, timeout=TIMEOUT_S)
        await database.execute(sql.DIRTY_HOURS, hosts, slots)
        await database.execute(sql.CLEAN_SLOTS, hosts, slots, [one["version"] for one in dirty])
    return len(dirty)


async def _hours(database: Connection, engine: Engine, catalogue: Sequence[Family], before: datetime) -> int:
    """A portion of hours that begin at or before `before`; how many there were."""
    async with database.transaction():
        dirty = await database.fetch(sql.DUE_HOURS, before, PORTION_HOURS)
        if not dirty:
            return 0
        hosts, hours = [one["host_id"] for one in dirty], [one["hour"] for one in dirty]
        first, last = min(hours), max(hours) + HOUR
        keys = (hosts, hours, first, last)
        await _open(database, engine, tables_of(catalogue, "hour"), hours)
        for family in catalogue:
            sketches = await _sketches(database, family, keys)
            await database.execute(sql.forget(Table(family, "hour")), *keys, timeout=TIMEOUT_S)
            await database.execute(sql.fill_hours(family), *keys, *sketches, timeout=TIMEOUT_S)
        await database.execute(sql.CLEAN_HOURS, hosts, hours, [one["version"] for one in dirty])
    return len(dirty)


async def _open(database: Connection, engine: Engine, tables: Sequence[Table], times: Sequence[datetime]) -> None:
    await database.execute(sql.PLENTY)
    await engine.make_room(database, tables, times)


async def _sketches(database: Connection, family: Family, keys: tuple[object, ...]) -> list[list[Any]]:
    """Hosts, instances, hours, and per metric the sketches of the family's hours that have rows."""
    columns: list[list[Any]] = [[] for _ in range(3 + len(family.metrics))]
    async for row in database.cursor(sql.raw_hours(family), *keys, prefetch=10, timeout=TIMEOUT_S):
        host, instance, hour, *counts = row
        for column, value in zip(columns, (host, instance, hour, *map(_sketch, counts)), strict=True):
            column.append(value)
    return columns


def _sketch(column: bytes) -> bytes | None:
    """The sketch of a packed column; None where nothing is known."""
    counts = packed.ints(column)
    there = counts != packed.NO_VALUE
    if not there.all():
        counts = counts[there]
    return sketch(counts) if len(counts) else None
