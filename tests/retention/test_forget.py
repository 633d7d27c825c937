"""Instances go with their last row, and ingest never writes a row for one that is gone."""

from __future__ import annotations

import asyncio

import pytest

from infra.storage.database import Connection, connection
from services.retention import sql
from services.retention.forget import forget_instances
from services.retention.job import prune
from tests.infra.families import HOUSE, house
from tests.retention.house import PLENTY, ago, now, put, set_
from tests.waiting import eventually


async def instances(database: Connection) -> list[str]:
    return [row["name"] for row in await database.fetch("SELECT name FROM instances ORDER BY name")]


async def generation(database: Connection) -> int:
    number: int = await database.fetchval("SELECT generation FROM horizons WHERE name = 'raw'")
    return number


async def rename(database: Connection, name: str) -> None:
    """Call the instance of the rows that are there something else: rows from now on are of another."""
    await database.execute("UPDATE instances SET name = $1 WHERE name = 'a'", name)


async def test_an_instance_goes_when_its_last_hour_is_dropped(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(70))
        await rename(database, "long gone")
        await put(database, engine, ago(20))
        await rename(database, "in hours")
        await put(database, engine, now())
        await set_(database, minute_days=7, hour_days=30)
        run = await prune(database, HOUSE, now(), PLENTY)
        assert run is not None
        assert run.report.instances == 1
        assert await instances(database) == ["a", "in hours"]


@pytest.mark.parametrize("table", ["shelf", "shelf_1m", "shelf_1h"])
async def test_an_instance_with_a_row_in_any_table_stays(blank_database_url: str, table: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(2), now())
        await prune(database, HOUSE, now(), PLENTY)
        for other in {"shelf", "shelf_1m", "shelf_1h"} - {table}:
            await database.execute(f"TRUNCATE {other}")
        assert await forget_instances(database, HOUSE) == 0
        assert await instances(database) == ["a"]


async def test_without_anything_to_forget_the_generation_stays(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        await forget_instances(database, HOUSE)
        assert await generation(database) == 0
        await database.execute("DELETE FROM shelf")
        await forget_instances(database, HOUSE)
        assert await generation(database) == 1


async def test_an_instance_that_a_flush_under_way_writes_rows_of_stays(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "flush") as flushing:
        await put(database, engine, now())
        await database.execute("DELETE FROM shelf")
        async with flushing.transaction():
            await flushing.execute(f"{sql.HORIZON} FOR SHARE")
            forgetting = asyncio.ensure_future(forget_instances(database, HOUSE))
            await eventually(lambda: waits_for_the_horizon(blank_database_url))
            await put_shelf(flushing)
        assert await forgetting == 0
        assert await instances(database) == ["a"]


async def waits_for_the_horizon(url: str) -> bool:
    """Asked on a connection of its own: within a transaction the answer stays the same."""
    query = """
        SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%generation%'
        AND datname = current_database()
    """
    async with connection(url, "watcher") as database:
        return bool(await database.fetchval(query))


async def put_shelf(database: Connection) -> None:
    await database.execute(
        "INSERT INTO shelf (time, host_id, instance_id) SELECT $1, host_id, id FROM instances", now()
    )


async def test_a_flush_that_begins_while_instances_are_forgotten_sees_another_generation(
    blank_database_url: str,
) -> None:
    async with house(blank_database_url) as (database, _), connection(blank_database_url, "flush") as flushing:
        async with database.transaction():
            await database.execute(sql.NEXT_GENERATION)
            holding = asyncio.ensure_future(
                flushing.fetchval("SELECT generation FROM horizons WHERE name = 'raw' FOR SHARE")
            )
            await eventually(lambda: waits_for_the_horizon(blank_database_url))
        assert await holding == 1


async def test_ingest_that_holds_on_for_too_long_costs_only_the_forgetting(
    blank_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "flush") as flushing:
        await put(database, engine, now())
        await database.execute("DELETE FROM shelf")
        await database.execute("SET lock_timeout = '100ms'")
        async with flushing.transaction():
            await flushing.execute(f"{sql.HORIZON} FOR SHARE")
            assert await forget_instances(database, HOUSE) == 0
        assert caplog.messages == ["instance clean-up failed"]
        assert await forget_instances(database, HOUSE) == 1


async def test_many_instances_go_in_portions(blank_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.retention.forget.PORTION", 40)
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        await database.execute(
            "INSERT INTO instances (host_id, family, name) SELECT host_id, family, 'job-' || n "
            "FROM instances, generate_series(1, 100) n"
        )
        assert await forget_instances(database, HOUSE) == 100
        assert (await instances(database), await generation(database)) == (["a"], 3)
