"""Hypertables: chunks, columnar form, late rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from infra.storage.database import Connection, connection
from infra.storage.engine import TimescaleEngine, detect, tables_of
from infra.storage.migrate import migrate
from schemas.catalogue import Metric
from tests.infra.families import HOUSE, ROOM, at, put, times_in
from tests.waiting import eventually

ENGINE = TimescaleEngine()


@asynccontextmanager
async def house(url: str) -> AsyncIterator[Connection]:
    async with connection(url, "test") as database:
        if (await detect(database, HOUSE)).name != "timescale":
            pytest.skip("no TimescaleDB: set SONDE_TEST_DATABASE_URL to a server that has it")
        await migrate(database, ENGINE, HOUSE)
        yield database


async def compressed(database: Connection) -> list[bool]:
    rows = await database.fetch(
        "SELECT is_compressed FROM timescaledb_information.chunks WHERE hypertable_name = 'room' ORDER BY range_start"
    )
    return [row["is_compressed"] for row in rows]


async def test_an_empty_database_gets_the_extension_and_hypertables(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        rows = await database.fetch(
            "SELECT hypertable_name, compression_enabled FROM timescaledb_information.hypertables"
        )
    names = {name + suffix for name in ("room", "shelf") for suffix in ("", "_1m", "_1h")}
    assert {(row["hypertable_name"], row["compression_enabled"]) for row in rows} == {(name, True) for name in names}


async def test_nothing_runs_by_itself(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        jobs = await database.fetch("SELECT * FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL")
    assert jobs == []


async def test_chunks_are_utc_days(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await put(database, ENGINE, at(20, 0), at(20, 23), at(21, 0))
        rows = await database.fetch(
            "SELECT range_start FROM timescaledb_information.chunks WHERE hypertable_name = 'room' ORDER BY 1"
        )
    assert [row["range_start"] for row in rows] == [at(20, 0), at(21, 0)]


async def test_only_days_that_are_over_become_columnar(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await put(database, ENGINE, at(18), at(19), at(20))
        assert await ENGINE.compress_before(database, tables_of(HOUSE, "raw"), at(20, 0)) == 4
        assert await compressed(database) == [True, True, False]
        assert await times_in(database, ROOM) == [at(18), at(19), at(20)]


async def test_a_columnar_day_is_left_alone_until_late_rows_come(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await put(database, ENGINE, at(18))
        await ENGINE.compress_before(database, tables_of(HOUSE, "raw"), at(20, 0))
        assert await ENGINE.compress_before(database, tables_of(HOUSE, "raw"), at(20, 0)) == 0
        await put(database, ENGINE, at(18, 13))
        assert await ENGINE.compress_before(database, tables_of(HOUSE, "raw"), at(20, 0)) == 2
        assert await times_in(database, ROOM) == [at(18), at(18, 13)]
        assert (await database.fetchrow("SELECT count(*), avg(temperature) FROM metrics_room")) == (2, 21.5)


async def test_columnar_days_are_dropped_like_others(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await put(database, ENGINE, at(17), at(18), at(20))
        await ENGINE.compress_before(database, tables_of(HOUSE, "raw"), at(18, 0))
        dropped = await ENGINE.drop_before(database, tables_of(HOUSE, "raw"), at(19, 0))
        assert [(part.table, part.bytes > 0) for part in dropped] == [("room", True)] * 2 + [("shelf", True)] * 2
        assert await times_in(database, ROOM) == [at(20)]


@asynccontextmanager
async def dropping(url: str) -> AsyncIterator[Callable[[], Coroutine[Any, Any, bool]]]:
    """Drops the chunks before the 18th, and commits on leaving; yields whether somebody waits for that."""
    async with connection(url, "test") as other, connection(url, "watcher") as watcher, other.transaction():
        await other.execute("SELECT drop_chunks('room', older_than => $1::timestamptz)", at(18, 0))

        async def awaited() -> bool:
            query = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
            return bool(await watcher.fetchval(query, other.get_server_pid()))

        yield awaited


async def test_a_chunk_dropped_while_sizes_are_read_is_no_part(blank_database_url: str) -> None:
    async with house(blank_database_url) as database, asyncio.TaskGroup() as group:
        await put(database, ENGINE, at(17), at(18))
        async with dropping(blank_database_url) as awaited:
            reading = group.create_task(ENGINE.parts(database, tables_of([ROOM], "raw")))
            await eventually(awaited)
        assert [part.first for part in await reading] == [at(18, 0)]


async def test_a_chunk_dropped_before_its_turn_to_be_compressed_is_skipped(blank_database_url: str) -> None:
    async with house(blank_database_url) as database, asyncio.TaskGroup() as group:
        await put(database, ENGINE, at(17), at(18))
        async with dropping(blank_database_url) as awaited:
            compressing = group.create_task(ENGINE.compress_before(database, tables_of([ROOM], "raw"), at(19, 0)))
            await eventually(awaited)
        assert await compressing == 1
        assert await compressed(database) == [True]


async def test_a_metric_can_be_added_while_days_are_columnar(blank_database_url: str) -> None:
    async with house(blank_database_url) as database:
        await put(database, ENGINE, at(18))
        await ENGINE.compress_before(database, tables_of(HOUSE, "raw"), at(20, 0))
        larger = (
            replace(ROOM, metrics=(*ROOM.metrics, Metric(3, "humidity", "%", 0.01, "int2", "Relative."))),
            *HOUSE[1:],
        )
        await migrate(database, ENGINE, larger)
        assert await database.fetchval("SELECT humidity FROM metrics_room") is None


async def test_flushes_lose_nothing_while_days_are_dropped_around_them(blank_database_url: str) -> None:
    """As on native partitions, but a flush may find itself in a deadlock with the drop, and is then done again."""
    flushes = 30

    async def flush(database: Connection, *times: datetime) -> None:
        while True:
            try:
                return await put(database, ENGINE, *times)
            except asyncpg.TransactionRollbackError:
                continue

    async def write(number: int) -> None:
        async with connection(blank_database_url, "test") as database:
            for done in range(flushes):
                moment = timedelta(seconds=number * flushes + done)
                await flush(database, at(10 + done % 5) + moment, at(20) + moment)

    async def drop(done: asyncio.Event) -> None:
        async with connection(blank_database_url, "test") as database:
            while not done.is_set():
                await ENGINE.drop_before(database, tables_of(HOUSE, "raw"), at(16, 0))

    async with house(blank_database_url) as database:
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(drop(done))
            async with asyncio.TaskGroup() as writers:
                for number in range(3):
                    writers.create_task(write(number))
            done.set()
        kept = [moment for moment in await times_in(database, ROOM) if moment >= at(20, 0)]
        assert kept == [at(20) + timedelta(seconds=second) for second in range(3 * flushes)]
