"""Native partitions: names and bounds, and what happens when flushes and drops meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from asyncpg.connection import LoggedQuery

from infra.storage.database import Connection, connection
from infra.storage.engine import NativeEngine, tables_of
from infra.storage.migrate import migrate
from schemas.catalogue import CATALOGUE
from tests.infra.families import HOUSE, ROOM, at, put, times_in
from tests.waiting import eventually, lock_awaited

ENGINE = NativeEngine()


@asynccontextmanager
async def house(url: str) -> AsyncIterator[Connection]:
    async with connection(url, "test") as database:
        await migrate(database, ENGINE, HOUSE)
        yield database


async def partitions(database: Connection) -> set[str]:
    rows = await database.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'room'::regclass"
    )
    return {row["name"] for row in rows}


async def test_rows_far_apart_get_their_days_and_none_in_between(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await ENGINE.make_room(database, tables_of(HOUSE, "raw"), [at(1), at(21)])
        assert await partitions(database) == {"room_p20261101", "room_p20261121"}


async def test_partitions_are_named_after_their_utc_day(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await ENGINE.make_room(database, tables_of(HOUSE, "raw"), [at(21, 0), at(22, 23)])
        assert await partitions(database) == {"room_p20261121", "room_p20261122"}


async def test_days_are_utc_whatever_the_sessions_time_zone(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await database.execute("SET timezone = 'Asia/Kathmandu'")
        await put(database, ENGINE, at(21, 0), at(21, 23))
        assert await partitions(database) == {"room_p20261121"}
        await ENGINE.drop_before(database, tables_of(HOUSE, "raw"), at(21, 0))
        assert len(await times_in(database, ROOM)) == 2


async def test_rows_are_found_by_host_and_time_through_the_index(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await ENGINE.make_room(database, tables_of(HOUSE, "raw"), [at(21)])
        rows = await database.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = 'shelf_p20261121'")
    assert ['(host_id, instance_id, "time")' in row["indexdef"] for row in rows] == [True]


async def test_several_processes_may_make_the_same_room_at_once(blank_database_url: str) -> None:
    async def make(_: int) -> None:
        async with connection(blank_database_url, "test") as database:
            await ENGINE.make_room(database, tables_of(HOUSE, "raw"), map(at, range(10, 17)))

    async with house(blank_database_url) as database:
        await asyncio.gather(*(make(number) for number in range(6)))
        assert len(await partitions(database)) == 7


async def test_room_that_is_there_costs_one_query(blank_database_url: str) -> None:
    asked: list[LoggedQuery] = []
    async with connection(blank_database_url, "test") as database:
        await migrate(database, ENGINE)
        await ENGINE.make_room(database, tables_of(CATALOGUE, "raw"), [at(21), at(22)])
        with database.query_logger(asked.append):
            await ENGINE.make_room(database, tables_of(CATALOGUE, "raw"), [at(21), at(22)])
    assert len(asked) == 1


async def test_a_dropped_day_is_made_again_for_whoever_needs_it(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await put(database, ENGINE, at(10))
        await ENGINE.drop_before(database, tables_of(HOUSE, "raw"), at(20))
        await put(database, ENGINE, at(10, 7))
        assert await times_in(database, ROOM) == [at(10, 7)]


async def test_a_flush_under_way_keeps_its_partitions_from_being_dropped(blank_database_url: str) -> None:
    async with house(blank_database_url) as flushing, connection(blank_database_url, "test") as dropping:
        await ENGINE.make_room(flushing, tables_of(HOUSE, "raw"), [at(10)])
        async with asyncio.TaskGroup() as group, flushing.transaction():
            await ENGINE.make_room(flushing, tables_of(HOUSE, "raw"), [at(10)])
            drop = group.create_task(ENGINE.drop_before(dropping, tables_of(HOUSE, "raw"), at(20)))
            await eventually(lambda: lock_awaited(blank_database_url))
            await flushing.execute("INSERT INTO room (time, host_id) VALUES ($1, 1)", at(10))
        assert [part.table for part in drop.result()] == ["room", "shelf"]


async def test_a_drop_gives_way_to_a_long_reader_and_is_made_up_for_later(blank_database_url: str) -> None:
    async with house(blank_database_url) as reader, connection(blank_database_url, "test") as dropping:
        await put(dropping, ENGINE, at(10))
        async with reader.transaction():
            await times_in(reader, ROOM)
            async with asyncio.timeout(30):
                dropped = await ENGINE.drop_before(dropping, tables_of(HOUSE, "raw"), at(20))
            assert [part.table for part in dropped] == ["shelf"]
            assert await times_in(reader, ROOM) == [at(10)]
        assert [part.table for part in await ENGINE.drop_before(dropping, tables_of(HOUSE, "raw"), at(20))] == ["room"]


async def test_flushes_lose_nothing_while_days_are_dropped_around_them(blank_database_url: str) -> None:
    """Writers fill old and new days; a dropper drops the old ones over and over; every row of a new day stays."""
    flushes = 40

    async def write(number: int) -> None:
        async with connection(blank_database_url, "test") as database:
            for flush in range(flushes):
                moment = timedelta(seconds=number * flushes + flush)
                await put(database, ENGINE, at(10 + flush % 5) + moment, at(20) + moment)

    dropped = []

    async def drop(done: asyncio.Event) -> None:
        async with connection(blank_database_url, "test") as database:
            while not done.is_set():
                dropped.extend(await ENGINE.drop_before(database, tables_of(HOUSE, "raw"), at(16, 0)))

    async with house(blank_database_url) as database:
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(drop(done))
            async with asyncio.TaskGroup() as writers:
                for number in range(3):
                    writers.create_task(write(number))
            done.set()
        assert len(dropped) > 10
        kept = [moment for moment in await times_in(database, ROOM) if moment >= at(20, 0)]
        assert kept == [at(20) + timedelta(seconds=second) for second in range(3 * flushes)]
