"""The retention service on real servers."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from infra import bus
from infra.database import Connection, connection
from infra.embedded import postgres_server
from infra.engine import Engine, detect
from infra.migrate import migrate
from infra.settings import ServerSettings
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.retention import sql
from services.retention.job import prune
from services.retention.service import changed_key, run
from tests.infra.families import HOUSE, ROOM, at, put, times_in
from tests.waiting import eventually


@asynccontextmanager
async def house(url: str) -> AsyncIterator[tuple[Connection, Engine]]:
    """A database with the small catalogue's tables."""
    async with connection(url, "test") as database:
        engine = await detect(database, HOUSE)
        await migrate(database, engine, HOUSE)
        yield database, engine


async def keep_days(database: Connection, days: int) -> None:
    await database.execute("INSERT INTO settings (key, value) VALUES ('raw_days', $1)", str(days))


@asynccontextmanager
async def service(database_url: str, nats_url: str) -> AsyncIterator[None]:
    """The service, running until the block ends; it must then end within 2 s."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run(ServerSettings(database_url=database_url, nats_url=nats_url), stop, HOUSE))
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(2):
                await asyncio.wait([task])


async def test_days_older_than_the_setting_go_and_the_others_stay(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, at(13), at(14, 0), at(21))
        done = await prune(database, HOUSE, at(21))
        assert done is not None
        assert done.raw_days == 7
        assert {part.table for part in done.dropped} == {"room", "shelf"}
        assert await times_in(database, ROOM) == [at(14, 0), at(21)]


async def test_the_setting_decides(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, at(18), at(19), at(20), at(21))
        await keep_days(database, 2)
        await prune(database, HOUSE, at(21))
        assert await times_in(database, ROOM) == [at(19), at(20), at(21)]


async def test_a_run_leaves_a_row_that_says_what_it_dropped(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, at(10))
        await prune(database, HOUSE, at(21))
        row = await database.fetchrow("SELECT * FROM retention_runs")
    assert row is not None
    dropped = json.loads(row["dropped"])
    assert [part["table"] for part in dropped] == ["room", "shelf"]
    assert row["bytes"] == sum(part["bytes"] for part in dropped) > 0
    assert row["started"] == at(21)


async def test_a_run_is_one_log_line(blank_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with house(blank_database_url) as (database, _):
        with caplog.at_level(logging.INFO, "services.retention"):
            await prune(database, HOUSE, at(21))
    assert [record.getMessage() for record in caplog.records] == ["pruned"]
    assert caplog.records[0].__dict__["before"] == "2026-11-14"


async def test_there_is_room_for_rows_of_two_days_ahead(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _):
        await prune(database, HOUSE, at(21))
        times = [at(21), at(22), at(23)]
        await database.executemany("INSERT INTO room (time, host_id) VALUES ($1, 1)", [(time,) for time in times])
        assert await times_in(database, ROOM) == times


async def test_one_process_prunes_at_a_time(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "test") as other:
        await put(database, engine, at(10))
        assert await other.fetchval(sql.TRY_LOCK)
        assert await prune(database, HOUSE, at(21)) is None
        assert await times_in(database, ROOM) == [at(10)]
        await other.execute(sql.UNLOCK)
        assert await prune(database, HOUSE, at(21)) is not None


async def runs(database: Connection) -> int:
    number: int = await database.fetchval("SELECT count(*) FROM retention_runs")
    return number


async def test_the_service_prunes_at_start(blank_database_url: str, bus_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        now = datetime.now(UTC)
        await put(database, engine, now - timedelta(days=9), now)
        async with service(blank_database_url, bus_url):
            await eventually(lambda: runs(database))
        assert await times_in(database, ROOM) == [now]


async def test_a_changed_setting_takes_effect_at_once(blank_database_url: str, bus_url: str) -> None:
    async with house(blank_database_url) as (database, engine), bus.connection(bus_url, "test") as client:
        now = datetime.now(UTC)
        await put(database, engine, now - timedelta(days=5), now)
        async with service(blank_database_url, bus_url):
            await eventually(lambda: runs(database))
            await keep_days(database, 3)

            async def dropped() -> bool:
                await client.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged("raw_days", 2)))
                return await times_in(database, ROOM) == [now]

            await eventually(dropped, every_s=0.1)


async def test_the_service_needs_no_bus(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _), service(blank_database_url, "nats://127.0.0.1:1"):
        await eventually(lambda: runs(database))


async def test_a_database_that_comes_back_is_pruned(data_dir: Path, bus_url: str) -> None:
    async with postgres_server(data_dir) as server:
        async with house(server.url):
            pass
        await server.kill()
        async with service(server.url, bus_url):
            await server.restart()
            async with connection(server.url, "test") as database:
                await eventually(lambda: runs(database))


def test_only_a_settings_change_wakes() -> None:
    assert changed_key(b'{"key": "raw_days", "version": 2}') == "raw_days"
    assert changed_key(b'{"key": "max_viewers", "version": 2}') == "max_viewers"
    assert changed_key(b"garbage") == ""
