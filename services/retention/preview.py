"""What a run would do now, found without changing anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from asyncpg import Record
from msgspec import Struct

from infra.storage.database import Connection
from infra.storage.engine import Part, detect, tables_of
from infra.storage.engines.tables import Kind
from schemas.catalogue import Family
from services.retention import sql
from services.retention.guard import ReadSpace, early_horizons, read_space, shortage
from services.retention.job import moment, read_settings
from services.retention.policy import cold_before, guard_limit, horizons, kept_days
from services.retention.rollup import due_before


class Action(Struct, frozen=True):
    """What would happen to one partition or chunk."""

    what: Literal["drop", "compress"]
    why: str
    part: Part


class Preview(Struct, frozen=True):
    """A run that has not happened."""

    now: datetime
    """The moment it would decide by."""
    before: dict[Kind, datetime]
    """Kind of table -> rows before this go, as soon as their part ends there."""
    actions: list[Action]
    slots: int
    """Stretches of ten minutes of a host to roll up."""
    hours: int
    """Hours of a host to roll up, before those slots bring more."""
    shortage: str
    """Why raw days would go early; empty: they would not."""
    at_work: list[str]
    """Other processes that hold the lock of retention."""


async def preview(
    database: Connection, catalogue: Sequence[Family], now: datetime, space: ReadSpace = read_space
) -> Preview:
    """What `prune` would do at `now`, in a transaction that may not write."""
    async with database.transaction(isolation="repeatable_read", readonly=True):
        settings = await read_settings(database)
        kept = kept_days(settings)
        now = await moment(database, now)
        engine = await detect(database, catalogue)
        before = horizons(now, kept, await database.fetchval(sql.HORIZON))
        kinds = {table.name: table.kind for table in tables_of(catalogue)}
        parts = await engine.parts(database, tables_of(catalogue))
        missing = shortage(await space(database), settings)
        early = before["raw"]
        if missing is not None:
            raw = [part for part in parts if kinds[part.table] == "raw"]
            early = max([early, *early_horizons(raw, early, guard_limit(now), missing.bytes)])
        actions = []
        for part in parts:
            kind = kinds[part.table]
            if part.last <= before[kind]:
                actions.append(Action("drop", f"{kind}_days {getattr(kept, f'{kind}_days')}", part))
            elif kind == "raw" and missing is not None and part.last <= early:
                actions.append(Action("drop", missing.setting, part))
            elif engine.name != "native" and part.last <= cold_before(now) and (part.stale or not part.compressed):
                actions.append(Action("compress", "rows came since" if part.stale else "cold", part))
        slots_before, hours_before = due_before(now, early)
        return Preview(
            now,
            before,
            actions,
            await database.fetchval(sql.COUNT_SLOTS, slots_before),
            await database.fetchval(sql.COUNT_HOURS, hours_before),
            "" if missing is None else missing.text,
            [worker(row) for row in await database.fetch(sql.AT_WORK)],
        )


def worker(row: Record) -> str:
    """A row of AT_WORK for people."""
    where = f" from {row['address']}" if row["address"] else ""
    return f"{row['name']}{where}, server process {row['pid']}, since {row['since']:%Y-%m-%d %H:%M:%S} UTC"
