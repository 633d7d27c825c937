"""Roll-ups on a real database: what they hold, when, and that nothing disturbs them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.storage.database import connect, connection
from infra.storage.engine import Table, tables_of
from services.retention import rollup
from services.retention.rollup import RolledUp, roll_up
from tests.infra.families import HOUSE, ROOM, at, house
from tests.retention.rollups import Row, check, snapshot, stored, write
from tests.waiting import eventually, lock_awaited

NOW = at(21, 15)
HOURS = [at(21, 9), at(21, 10), at(21, 11)]


def each_second(begin: datetime, seconds: int, host: str = "web-1") -> list[Row]:
    return [(host, begin + timedelta(seconds=n), (n * 37) % 500 - 100 if n % 11 else None) for n in range(seconds)]


async def test_minutes_and_hours_hold_count_sum_least_greatest_and_sketch(blank_database_url: str) -> None:
    rows = each_second(at(21, 9), 5000) + each_second(at(21, 9), 4000, "db-1")
    async with house(blank_database_url) as (database, engine):
        await write(database, engine, rows)
        done = await roll_up(database, engine, HOUSE, NOW)
        await check(database, rows)
        left = await database.fetchval(
            "SELECT (SELECT count(*) FROM dirty_minutes) + (SELECT count(*) FROM dirty_hours)"
        )
    assert (done.slots, done.hours, left) == (9 + 7, 4, 0)


async def test_a_slot_waits_until_it_has_ended_and_an_hour_likewise(blank_database_url: str) -> None:
    rows = each_second(at(21, 9), 3000)
    async with house(blank_database_url) as (database, engine):
        await write(database, engine, rows)
        early = await roll_up(database, engine, HOUSE, at(21, 9) + timedelta(minutes=10, seconds=59))
        some = await roll_up(database, engine, HOUSE, at(21, 9) + timedelta(minutes=11))
        late = await roll_up(database, engine, HOUSE, at(21, 10) + timedelta(seconds=59))
        last = await roll_up(database, engine, HOUSE, at(21, 10) + timedelta(minutes=1))
        await check(database, rows)
    assert [(each.slots, each.hours) for each in (early, some, late, last)] == [(0, 0), (1, 0), (4, 0), (0, 1)]


async def test_what_must_go_soon_is_rolled_up_before_it_is_due(blank_database_url: str) -> None:
    rows = each_second(at(21, 9), 3600)
    async with house(blank_database_url) as (database, engine):
        await write(database, engine, rows)
        done = await roll_up(database, engine, HOUSE, at(21, 9), until=at(21, 10))
        await check(database, rows)
    assert (done.slots, done.hours) == (6, 1)


async def test_doing_it_again_changes_nothing(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await write(database, engine, each_second(at(21, 9), 4000))
        await roll_up(database, engine, HOUSE, NOW)
        before = await snapshot(database)
        await database.execute(
            "INSERT INTO dirty_minutes SELECT host_id, time FROM room_1m WHERE date_part('minute', time) = 0"
        )
        await roll_up(database, engine, HOUSE, NOW)
        assert await snapshot(database) == before
        nothing = await roll_up(database, engine, HOUSE, NOW)
    assert (nothing.slots, nothing.hours) == (0, 0)


async def test_late_rows_change_their_minutes_and_hours_and_no_others(blank_database_url: str) -> None:
    rows = each_second(at(21, 9), 7200)
    late: list[Row] = [("web-1", at(21, 10) + timedelta(milliseconds=500), 9999)]
    async with house(blank_database_url) as (database, engine):
        await write(database, engine, rows)
        await roll_up(database, engine, HOUSE, NOW)
        await write(database, engine, late)
        done = await roll_up(database, engine, HOUSE, NOW)
        await check(database, rows + late)
    assert (done.slots, done.hours) == (1, 1)


async def test_a_flush_between_the_marks_and_the_end_leaves_its_slot_marked(blank_database_url: str) -> None:
    rows = each_second(at(21, 9), 600)
    late: list[Row] = [("web-1", at(21, 9) + timedelta(milliseconds=1), 1)]
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "flush") as other:
        await write(database, engine, rows)
        async with other.transaction():
            await write(other, engine, late)  # not committed yet: the job must wait for it at the mark
            job = asyncio.create_task(roll_up(database, engine, HOUSE, NOW))
            await eventually(lambda: lock_awaited(blank_database_url))
        done = await job
        await check(database, rows + late)
    assert done.slots == 2


async def test_a_job_that_is_cut_off_leaves_everything_marked(blank_database_url: str) -> None:
    rows = each_second(at(21, 9), 3600)
    async with house(blank_database_url) as (database, engine):
        await write(database, engine, rows)
        cut = await connect(blank_database_url, "job")
        async with connection(blank_database_url, "other") as other, other.transaction():
            await other.execute("LOCK TABLE dirty_hours")
            job = asyncio.create_task(roll_up(cut, engine, HOUSE, NOW))
            await eventually(lambda: lock_awaited(blank_database_url))
            cut.terminate()
            result = (await asyncio.gather(job, return_exceptions=True))[0]
        assert not isinstance(result, RolledUp)
        assert await stored(database, Table(ROOM, "minute")) == []
        await roll_up(database, engine, HOUSE, NOW)
        await check(database, rows)


async def test_late_rows_for_compressed_parts_are_rolled_up(blank_database_url: str) -> None:
    rows = each_second(at(21, 9) - timedelta(days=40), 4000)
    late: list[Row] = [("web-1", at(21, 9) - timedelta(days=40, milliseconds=-3), 77)]
    async with house(blank_database_url) as (database, engine):
        await write(database, engine, rows)
        await roll_up(database, engine, HOUSE, NOW)
        await engine.compress_before(database, tables_of(HOUSE), NOW)
        await write(database, engine, late)
        await roll_up(database, engine, HOUSE, NOW)
        await check(database, rows + late)


batches = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["web-1", "db-1"]),
            st.builds(
                lambda hour, s: hour + timedelta(seconds=s),
                st.sampled_from(HOURS),
                st.sampled_from([0, 1, 59, 60, 600, 3599]),
            ),
            st.one_of(st.none(), st.integers(-(2**15), 2**15 - 1)),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda row: row[:2],
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches, at_once=st.booleans())
def test_any_interleaving_of_late_batches_gives_the_roll_ups_of_all_rows(
    blank_database_url: str, batches: list[list[Row]], at_once: bool
) -> None:
    async def go() -> None:
        async with house(blank_database_url) as (database, engine):
            await database.execute("TRUNCATE hosts, room, shelf, room_1m, shelf_1m, room_1h, shelf_1h CASCADE")
            for number, batch in enumerate(batches):
                await write(database, engine, batch)
                if not at_once:
                    await roll_up(database, engine, HOUSE, HOURS[number % 3] + timedelta(minutes=25))
            await roll_up(database, engine, HOUSE, NOW)
            await check(database, [row for batch in batches for row in batch])

    asyncio.run(go())


async def test_portions_add_up(blank_database_url: str) -> None:
    rows: list[Row] = [(f"host-{h}", at(20, 0) + timedelta(minutes=10 * n), n) for h in range(4) for n in range(130)]
    async with house(blank_database_url) as (database, engine):
        await write(database, engine, rows)
        done = await roll_up(database, engine, HOUSE, NOW)
        await check(database, rows)
    assert done.slots == 520 > rollup.PORTION_SLOTS
    assert done.hours == 88 > rollup.PORTION_HOURS
