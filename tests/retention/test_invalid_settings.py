"""Stored settings that make no sense: those of others are no concern of retention's, its own stop the dropping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.storage.database import Connection
from infra.storage.engine import tables_of
from services.retention.job import prune, read_settings
from services.retention.policy import InvalidSetting
from tests.infra.families import HOUSE, house
from tests.retention.house import PLENTY, ago, now, put, times_of
from tests.retention.test_service import service
from tests.waiting import eventually


async def store(database: Connection, key: str, value: str) -> None:
    """As somebody with psql does."""
    await database.execute(
        "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        value,
    )


@pytest.mark.parametrize(("key", "value"), [("heartbeat_url", '"ftp://x"'), ("max_viewers", "null")])
async def test_an_invalid_setting_of_somebody_else_changes_nothing(
    blank_database_url: str, key: str, value: str
) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(9), now())
        await store(database, key, value)
        await prune(database, HOUSE, now(), PLENTY)
        assert await times_of(database, "room") == [now()]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("raw_days", '"x"'),
        ("minute_days", "0"),
        ("hour_days", "1.5"),
        ("raw_days", "1" * 5000),
        ("disk_free_percent", "91"),
    ],
)
async def test_while_a_setting_of_its_own_is_invalid_nothing_is_dropped(
    blank_database_url: str, key: str, value: str
) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(900), ago(9), now())
        await store(database, key, value)
        with pytest.raises(InvalidSetting, match=f"^{key} is stored as {value[:100]}: it must be "):
            await prune(database, HOUSE, now(), PLENTY)
        assert await times_of(database, "room") == [ago(900), ago(9), now()]
        assert await database.fetchval("SELECT before FROM horizons WHERE name = 'raw'") == datetime(
            1970, 1, 1, tzinfo=UTC
        )


async def test_while_a_setting_of_its_own_is_invalid_there_is_still_room_for_rows_to_come(
    blank_database_url: str,
) -> None:
    async with house(blank_database_url) as (database, engine):
        if engine.name != "native":
            pytest.skip("chunks are made with their rows")
        await put(database, engine, now())
        tables = tables_of(HOUSE, "raw")
        await store(database, "raw_days", "0")
        with pytest.raises(InvalidSetting):
            await prune(database, HOUSE, now(), PLENTY)
        assert max(part.last for part in await engine.parts(database, tables)) > now() + timedelta(days=1)


async def test_every_invalid_setting_is_named(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _):
        await store(database, "raw_days", "0")
        await store(database, "database_gib", "-1")
        with pytest.raises(InvalidSetting, match=r"database_gib.*raw_days"):
            await read_settings(database)


async def test_with_an_invalid_setting_the_service_rolls_up_says_so_and_prunes_once_it_is_mended(
    blank_database_url: str, bus_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.retention.service.PRUNE_EVERY_S", 0.0)
    monkeypatch.setattr("services.retention.service.ROLL_UP_EVERY_S", 0.1)
    async with house(blank_database_url) as (database, engine):
        old, new = datetime.now(UTC) - timedelta(days=9), datetime.now(UTC)
        await put(database, engine, old, new)
        await store(database, "raw_days", '"x"')
        async with service(blank_database_url, bus_url):
            await eventually(lambda: times_of(database, "room_1h"))
            assert await times_of(database, "room") == [old, new]
            told = [record for record in caplog.records if record.levelname == "ERROR"]
            assert told[0].message == "invalid setting, pruning paused"
            assert 'raw_days is stored as "x"' in told[0].__dict__["error"]
            await store(database, "raw_days", "7")

            async def dropped() -> bool:
                return await times_of(database, "room") == [new]

            await eventually(dropped)
