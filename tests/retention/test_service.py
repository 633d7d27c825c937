"""The retention service on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from infra.bus import connection as bus
from infra.servers.embedded import postgres_server
from infra.settings import ServerSettings
from infra.storage.database import Connection, connection
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.retention.service import changed_key, run
from tests.infra.families import HOUSE, house
from tests.retention.house import put, set_, times_of
from tests.waiting import eventually


@asynccontextmanager
async def service(database_url: str, nats_url: str) -> AsyncIterator[None]:
    """The service, running until the block ends; it must then end by itself."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run(ServerSettings(database_url=database_url, nats_url=nats_url), stop, HOUSE))
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(40):
                await asyncio.wait([task])


async def runs(database: Connection) -> int:
    number: int = await database.fetchval("SELECT count(*) FROM retention_runs")
    return number


async def test_the_service_prunes_at_start(blank_database_url: str, bus_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        now = datetime.now(UTC)
        await put(database, engine, now - timedelta(days=9), now)
        async with service(blank_database_url, bus_url):
            await eventually(lambda: runs(database))
        assert await times_of(database, "room") == [now]


async def test_what_storage_takes_is_measured_anew_after_a_pruning(blank_database_url: str, bus_url: str) -> None:
    async with house(blank_database_url) as (database, engine), bus.connection(bus_url, "test") as client:
        await put(database, engine, datetime.now(UTC))

        async def raw_days() -> object:
            return await database.fetchval("SELECT body -> 'kept' ->> 'raw_days' FROM storage_use")

        async def says(days: str) -> bool:
            return await raw_days() == days

        async with service(blank_database_url, bus_url):
            await eventually(lambda: says("7"))
            await set_(database, raw_days=3)
            await client.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged("raw_days", 1)))
            await eventually(lambda: says("3"))


async def test_a_changed_setting_takes_effect_at_once(blank_database_url: str, bus_url: str) -> None:
    async with house(blank_database_url) as (database, engine), bus.connection(bus_url, "test") as client:
        now = datetime.now(UTC)
        await put(database, engine, now - timedelta(days=5), now)
        async with service(blank_database_url, bus_url):
            await eventually(lambda: runs(database))
            await set_(database, raw_days=3)

            async def dropped() -> bool:
                await client.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged("raw_days", 2)))
                return await times_of(database, "room") == [now]

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


GONE = """
CREATE SEQUENCE tries;
CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('tries'); RAISE 'no such host' USING ERRCODE = 'foreign_key_violation'; END $$;
CREATE TRIGGER gone BEFORE INSERT ON dirty_hours FOR EACH ROW EXECUTE FUNCTION gone();
"""


async def test_a_host_deleted_during_its_roll_up_does_not_end_the_service(
    blank_database_url: str, bus_url: str
) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, datetime.now(UTC) - timedelta(hours=3))
        await database.execute(GONE)

        async def tried() -> bool:
            return bool(await database.fetchval("SELECT is_called FROM tries"))

        async with service(blank_database_url, bus_url):
            await eventually(tried)
            await database.execute("DROP TRIGGER gone ON dirty_hours")
            await eventually(lambda: times_of(database, "room_1h"))


def test_only_a_settings_change_wakes() -> None:
    assert changed_key(b'{"key": "raw_days", "version": 2}') == "raw_days"
    assert changed_key(b'{"key": "max_viewers", "version": 2}') == "max_viewers"
    assert changed_key(b"garbage") == ""
