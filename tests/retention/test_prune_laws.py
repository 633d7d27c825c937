"""Pruning never removes what has no roll-up, whatever batches, settings and clocks come together."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from infra.storage.database import Connection, connection, ensure_hosts
from infra.storage.engine import Engine, tables_of
from services.retention import sql
from services.retention.job import prune
from tests.infra.families import HOUSE, house
from tests.retention.house import PLENTY, a_disk, mark, now, set_, today

MIDDAY = today() - timedelta(hours=12)
"""Where true time ends at the latest: the database's clock is right or ahead of it by weeks, ours wherever."""
FIRST = MIDDAY - timedelta(days=20)


class Batch(NamedTuple):
    """Rows of the small catalogue's host, some minutes apart, back from the true time."""

    back_minutes: int
    step_s: int
    rows: int


class Settings(NamedTuple):
    raw_days: int
    more: int
    still_more: int

    @property
    def days(self) -> tuple[int, int, int]:
        """Of raw, minute and hour."""
        minute_days = self.raw_days + self.more
        return self.raw_days, minute_days, minute_days + self.still_more


class Pass(NamedTuple):
    """True time goes by."""

    hours: int


class Run(NamedTuple):
    """A run by a clock that is so far off, on a disk with so much free."""

    off_hours: int
    free_percent: int


BACK = st.builds(lambda days, minutes: 1440 * days + minutes, st.integers(0, 12), st.sampled_from([0, 3, 60]))
"""Few enough moments that late rows meet minutes whose rows have gone."""
LATE = [Batch(9 * 1440, 1, 2), Batch(0, 1, 1), Run(0, 50), Batch(9 * 1440 + 1, 1, 2)]
STEPS = st.lists(
    st.one_of(
        st.builds(Batch, BACK, st.sampled_from([1, 30, 1200, 43_200]), st.integers(1, 12)),
        st.builds(Settings, st.integers(1, 9), st.integers(0, 9), st.integers(0, 9)),
        st.builds(Pass, st.sampled_from([1, 24, 72])),
        st.builds(Run, st.sampled_from([-30, -1, 0, 1, 24, 24 * 30]), st.sampled_from([0, 5, 50])),
    ),
    min_size=3,
    max_size=9,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(STEPS)
@example(LATE)
def test_pruning_never_removes_what_has_no_roll_up(blank_database_url: str, steps: list[Any]) -> None:
    asyncio.run(_follow(blank_database_url, [*steps, Run(0, 50)]))


class Allowed(NamedTuple):
    """Before when rows of each kind may be gone, by all runs so far."""

    raw: datetime = FIRST - timedelta(days=400)
    minute: datetime = FIRST - timedelta(days=400)
    hour: datetime = FIRST - timedelta(days=400)


async def _follow(url: str, steps: list[Any]) -> None:
    async with house(url) as (database, engine):
        await _empty(database, engine)
        true = FIRST
        taken: list[datetime] = []
        kept = Settings(7, 23, 700)
        allowed = Allowed()
        for step in steps:
            match step:
                case Batch():
                    taken += await _flush(database, engine, step, true)
                case Settings():
                    kept = step
                    days = dict(zip(("raw_days", "minute_days", "hour_days"), step.days, strict=True))
                    await set_(database, **days)
                case Pass():
                    true = min(true + timedelta(hours=step.hours), MIDDAY)
                case Run():
                    clock = true + timedelta(hours=step.off_hours)
                    run = await prune(database, HOUSE, clock, a_disk(step.free_percent))
                    assert run is not None
                    assert run.report.waiting_since is None
                    assert run.report.now <= min([clock, *(max(taken) + timedelta(days=1) for _ in taken[:1])])
                    cuts = [run.report.now - timedelta(days=days) for days in kept.days]
                    early = run.report.now - timedelta(days=1) if step.free_percent < 10 else cuts[0]
                    allowed = Allowed(*map(max, zip(allowed, (max(cuts[0], early), *cuts[1:]), strict=True)))
                    await _check(database, taken, allowed)


async def test_flushes_and_runs_at_the_same_time_lose_nothing(blank_database_url: str) -> None:
    """Writers with rows of the last days and a retention that keeps ever fewer of them, all at once."""
    taken: list[datetime] = []

    async def write(number: int) -> None:
        async with connection(blank_database_url, "test") as database:
            for flush in range(30):
                batch = Batch((1 + (flush + number) % 9) * 1440 + 7 * number, 13, 8)
                taken.extend(await _flush(database, engine, batch, now() + timedelta(seconds=flush)))

    async def keep_fewer(done: asyncio.Event) -> None:
        async with connection(blank_database_url, "test") as database:
            for days in (8, 7, 6, 5, 4, 3, 2, 1):
                await set_(database, raw_days=days)
                run = await prune(database, HOUSE, now(), PLENTY)
                assert run is not None
                assert run.report.waiting_since is None
            done.set()

    async with house(blank_database_url) as (database, engine):
        await _flush(database, engine, Batch(0, 1, 1), now())
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_fewer(done))
            for number in range(3):
                group.create_task(write(number))
        await prune(database, HOUSE, now(), PLENTY)
        allowed = Allowed(now() - timedelta(days=1), now() - timedelta(days=30))
        await _check(database, taken, allowed)
    assert done.is_set()


async def _empty(database: Connection, engine: Engine) -> None:
    for table in tables_of(HOUSE):
        await engine.drop_before(database, [table], MIDDAY + timedelta(days=400))
    await database.execute("DELETE FROM hosts; DELETE FROM settings; DELETE FROM retention_runs")
    await database.execute("UPDATE horizons SET before = '1970-01-01Z'")


async def _flush(database: Connection, engine: Engine, batch: Batch, true: datetime) -> list[datetime]:
    """What ingest does: the horizon first, rows below it refused, marks with the rows; the times taken."""
    newest = true - timedelta(minutes=batch.back_minutes)
    async with database.transaction():
        horizon = await database.fetchval(f"{sql.HORIZON} FOR SHARE")
        times = [newest - timedelta(seconds=batch.step_s * number) for number in range(batch.rows)]
        times = [time for time in times if time >= horizon]
        if not times:
            return []
        host = (await ensure_hosts(database, ["web-1"]))["web-1"]
        await engine.make_room(database, tables_of(HOUSE, "raw"), times)
        records = [(time, host, 1) for time in times]
        await database.copy_records_to_table("room", records=records, columns=["time", "host_id", "temperature"])
        await mark(database, times)
        await database.execute("UPDATE hosts SET last_sample = greatest(last_sample, $1)", max(times))
    return times


async def _check(database: Connection, taken: list[datetime], allowed: Allowed) -> None:
    """Every row taken is there raw, or else its minute and its hour have counted it, unless those may be gone too."""
    raw = Counter(row["time"] for row in await database.fetch("SELECT time FROM room"))
    minutes = await _counts(database, "room_1m")
    hours = await _counts(database, "room_1h")
    of_minute = Counter(time.replace(second=0, microsecond=0) for time in taken)
    of_hour = Counter(time.replace(minute=0, second=0, microsecond=0) for time in taken)
    for time, number in Counter(taken).items():
        if raw[time] == number:
            continue
        assert raw[time] == 0, f"a part of the rows of {time} is gone"
        assert time < allowed.raw, f"{time} is gone before its time"
        minute, hour = time.replace(second=0, microsecond=0), time.replace(minute=0, second=0, microsecond=0)
        assert minute in minutes or minute < allowed.minute, f"{minute} is gone before its time"
        assert minutes.get(minute, of_minute[minute]) == of_minute[minute], f"{minute} is not whole"
        assert hour in hours or hour < allowed.hour, f"{hour} is gone before its time"
        assert hours.get(hour, of_hour[hour]) == of_hour[hour], f"{hour} is not whole"


async def _counts(database: Connection, table: str) -> dict[datetime, int]:
    rows = await database.fetch(f"SELECT time, temperature_n FROM {table}")  # noqa: S608
    return {row["time"]: row["temperature_n"] for row in rows}
