"""One run: room ahead, roll-ups, old parts dropped whole, cold ones compressed, and a row and a line that say so.

The order is what makes it safe. The horizon moves first, which waits for the flushes under way and makes later ones
refuse rows below it; then everything dirty below it is rolled up; only then raw parts go. Whatever cannot be rolled up
keeps its day and all later ones.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from infra.storage.database import Connection, row_count
from infra.storage.engine import Dropped, Engine, Table, days_between, detect, tables_of
from infra.storage.engines.tables import Kind
from schemas.catalogue import Family
from schemas.settings import RuntimeSettings
from services.retention import sql
from services.retention.compress import compress
from services.retention.forget import forget_instances
from services.retention.guard import ReadSpace, early_horizons, read_space, shortage
from services.retention.policy import (
    OWN,
    RUNS_KEPT,
    droppable_before,
    guard_limit,
    horizons,
    kept_days,
    room_until,
    settings_of,
    trusted_now,
)
from services.retention.report import Done, Report, Run, by_table
from services.retention.rollup import RolledUp, roll_up

logger = logging.getLogger(__name__)

REMOVED_KEPT = timedelta(days=45)
"""Longer than any stream keeps a message."""
_HELD_BACK = timedelta(hours=1)
"""How far the trusted time may be behind the clock before it is worth a warning."""


class _Work(Struct):
    """A run under way: what it works on, and what it has done so far."""

    database: Connection
    engine: Engine
    catalogue: Sequence[Family]
    now: datetime
    done: list[Done] = []
    dropped: list[Dropped] = []
    rolled_up: dict[str, Any] = {}
    waiting_since: datetime | None = None


async def prune(
    database: Connection,
    catalogue: Sequence[Family],
    now: datetime,
    space: ReadSpace = read_space,
    columnar: bool = True,
) -> Run | None:
    """Do what is due at `now`, by our clock; None when another process is at it. Raises InvalidSetting.

    Without `columnar` compressing is left to somebody else. Every drop commits by itself, so a run that is cut off has
    done part of its work and the next one does the rest.
    """
    if not await database.fetchval(sql.TRY_LOCK):
        logger.info("retention already running in another process")
        return None
    try:
        return await _prune(database, catalogue, now, space, columnar)
    finally:
        if not database.is_closed():
            await database.execute(sql.UNLOCK)


async def read_settings(database: Connection) -> RuntimeSettings:
    """The settings that a run goes by, as they are now. Raises InvalidSetting."""
    return settings_of({row["key"]: row["value"] for row in await database.fetch(sql.SETTINGS, OWN)})


async def moment(database: Connection, now: datetime) -> datetime:
    """The moment to decide by, when our clock says `now`."""
    [clocks] = await database.fetch(sql.CLOCKS)
    trusted = trusted_now(now, clocks["database"], clocks["newest_sample"], clocks["previous"])
    if now - trusted > _HELD_BACK:
        logger.warning(
            "clock ahead of the newest sample, pruning by an earlier time",
            extra={"now": now.isoformat(), "moment": trusted.isoformat()} | {k: str(v) for k, v in clocks.items()},
        )
    return trusted


async def _prune(
    database: Connection, catalogue: Sequence[Family], clock: datetime, space: ReadSpace, columnar: bool
) -> Run:
    started = time.perf_counter()
    now = await moment(database, clock)
    engine = await detect(database, catalogue)
    for at in (now, clock):  # not from one to the other: they may be years apart
        await engine.make_room(database, tables_of(catalogue), days_between(at, room_until(at)))
    settings = await read_settings(database)  # after that: an invalid one ends the dropping, never the room for rows
    kept = kept_days(settings)
    work = _Work(database, engine, catalogue, now)
    before = horizons(now, kept, await database.fetchval(sql.HORIZON))
    await _drop_raw(work, before["raw"])
    await _drop_rolled(work, "minute", before["minute"])
    await _drop_rolled(work, "hour", before["hour"])
    guard = await _guard(work, settings, space)
    if columnar:
        work.done += await compress(database, engine, catalogue, now)
    await database.execute(sql.FORGET_REMOVED, now - REMOVED_KEPT)
    report = Report(
        now,
        await database.fetchval(sql.HORIZON),
        kept.raw_days,
        kept.minute_days,
        kept.hour_days,
        work.rolled_up,
        work.done,
        work.waiting_since,
        guard,
        await _forget(database, sql.FORGET_TRANSITIONS, before["hour"]),
        row_count(await database.execute(sql.FORGET_RUNS, now - RUNS_KEPT)),
        await forget_instances(database, catalogue) if work.dropped else 0,  # only then may one have lost its last row
        await _forget(database, sql.FORGET_INCIDENTS, before["hour"]),
        await _forget(database, sql.FORGET_NOTIFICATIONS, before["hour"]),
        await _forget(database, sql.FORGET_SILENCES, before["hour"]),
        await _forget(database, sql.FORGET_EVENTS, before["hour"]),
    )
    run = Run(report, work.dropped)
    await _note(database, engine, run, clock, time.perf_counter() - started)
    return run


async def _note(database: Connection, engine: Engine, run: Run, clock: datetime, seconds: float) -> None:
    report = msgspec.json.encode(run.report).decode()
    await database.execute(
        sql.NOTE_RUN, clock, seconds, msgspec.json.encode(run.dropped).decode(), run.dropped_bytes, report
    )
    logger.info(
        "pruned",
        extra={
            "engine": engine.name,
            "raw_days": run.report.raw_days,
            "before": run.report.raw_before.date().isoformat(),
            "dropped": len(run.dropped),
            "freed_bytes": run.freed_bytes,
            "rows_estimate": sum(part.rows_estimate for part in run.dropped),
            "compressed": run.compressed,
            "tables": by_table(run.report.done),
            "instances": run.report.instances,
            "guard": run.report.guard,
            "ms": round(seconds * 1000, 1),
        },
    )


async def _drop_raw(work: _Work, before: datetime) -> None:
    """Move the horizon to `before` unless it is beyond, roll up what is below it, drop what may go."""
    database = work.database
    await database.execute(sql.MOVE_HORIZON, "raw", before)
    horizon: datetime = await database.fetchval(sql.HORIZON)
    try:
        rolled = await roll_up(database, work.engine, work.catalogue, work.now, until=horizon)
    except asyncpg.InsufficientResourcesError as error:  # a full disk: only dropping what needs no roll-up helps
        logger.error("roll-up failed, disk full", extra={"error": f"{type(error).__name__}: {error}"[:300]})
        rolled = RolledUp()
    for name, value in msgspec.to_builtins(rolled).items():
        work.rolled_up[name] = work.rolled_up.get(name, 0) + value
    oldest: datetime | None = await database.fetchval(sql.OLDEST_DIRTY)
    work.waiting_since = oldest if oldest is not None and oldest < horizon else None
    if work.waiting_since is not None:
        logger.error(
            "raw rows not rolled up yet, their days are kept",
            extra={"since": work.waiting_since.isoformat(), "horizon": horizon.isoformat()},
        )
    await _drop(work, tables_of(work.catalogue, "raw"), droppable_before(horizon, work.waiting_since))


async def _drop_rolled(work: _Work, kind: Kind, before: datetime) -> None:
    """Say that roll-ups before `before` are gone, then drop them."""
    await work.database.execute(sql.MOVE_HORIZON, kind, before)
    await _drop(work, tables_of(work.catalogue, kind), before)


async def _drop(work: _Work, tables: Sequence[Table], before: datetime) -> None:
    for table in tables:
        started = time.perf_counter()
        gone = await work.engine.drop_before(work.database, [table], before)
        if gone:
            rows, size = sum(part.rows_estimate for part in gone), sum(part.bytes for part in gone)
            seconds = round(time.perf_counter() - started, 3)
            work.done.append(Done(table.family.name, table.kind, "dropped", len(gone), rows, size, seconds))
            work.dropped += gone


async def _guard(work: _Work, settings: RuntimeSettings, space: ReadSpace) -> str:
    """While space is short, drop raw days early, the oldest first; says why, or nothing."""
    missing = shortage(await space(work.database), settings)
    if missing is None:
        return ""
    raw = tables_of(work.catalogue, "raw")
    horizon: datetime = await work.database.fetchval(sql.HORIZON)
    parts = await work.engine.parts(work.database, raw)
    steps = early_horizons(parts, horizon, guard_limit(work.now), missing.bytes)
    facts = {"reason": missing.text, "missing_bytes": missing.bytes, "setting": missing.setting}
    if not steps:
        remedy = "give the database a larger disk, free what else is on it, or keep fewer days"
        logger.error("disk guard cannot free enough space", extra=facts | {"remedy": remedy})
        return f"{missing.text}: no more raw days may be dropped"
    for before in steps:
        logger.error("disk guard drops raw rows early", extra=facts | {"before": before.isoformat()})
        await _drop_raw(work, before)
        held = any(part.last <= before for part in await work.engine.parts(work.database, raw))
        if held or shortage(await space(work.database), settings) is None:
            break
    return f"{missing.text}: raw rows before {before.date()} dropped early"


async def _forget(database: Connection, statement: str, before: datetime) -> int:
    """Delete what `statement` says of before that moment, portion by portion; how many."""
    total = 0
    while gone := row_count(await database.execute(statement, before)):
        total += gone
    return total
