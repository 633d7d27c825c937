"""What a dry run foretells, and that it leaves everything as it is."""

from __future__ import annotations

from datetime import timedelta

from infra.cli.retention import foretold
from infra.storage.database import Connection, connection
from services.retention import sql
from services.retention.job import prune
from services.retention.preview import Preview, preview
from tests.infra.families import HOUSE, house
from tests.retention.house import PLENTY, a_disk, ago, now, put


def told(would: Preview, what: str) -> list[tuple[str, str]]:
    """Table and day of what would be dropped or compressed."""
    return [(each.part.table, f"{each.part.first:%m-%d}") for each in would.actions if each.what == what]


async def state(database: Connection) -> tuple[object, ...]:
    """What a run changes first."""
    return (
        await database.fetchval(sql.HORIZON),
        await database.fetchval("SELECT count(*) FROM dirty_minutes"),
        await database.fetchval("SELECT count(*) FROM retention_runs"),
        await database.fetch("SELECT time FROM room ORDER BY 1"),
    )


async def test_it_foretells_what_a_run_drops(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        for time in (ago(9), ago(8), ago(1), now()):
            await put(database, engine, time)
        would = await preview(database, HOUSE, now(), PLENTY)
        run = await prune(database, HOUSE, now(), PLENTY)
    assert run is not None
    names = {each.part.name for each in would.actions if each.what == "drop"}
    assert names == {part.name for part in run.dropped}
    assert len(names) == 4


async def test_it_foretells_what_a_run_compresses(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(3), now())
        would = await preview(database, HOUSE, now(), PLENTY)
        columnar = [] if engine.name == "native" else [("room", f"{ago(3):%m-%d}"), ("shelf", f"{ago(3):%m-%d}")]
        assert told(would, "compress") == columnar
        await prune(database, HOUSE, now(), PLENTY)
        assert told(await preview(database, HOUSE, now(), PLENTY), "compress") == []
        await put(database, engine, ago(3, 13))
        assert told(await preview(database, HOUSE, now(), PLENTY), "compress") == columnar


async def test_it_counts_what_is_to_be_rolled_up(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(9), ago(9) + timedelta(minutes=10), ago(1), now())
        assert (await preview(database, HOUSE, now(), PLENTY)).slots == 3


async def test_it_foretells_what_the_guard_drops(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        for time in (ago(4), ago(3), now()):
            await put(database, engine, time)
        would = await preview(database, HOUSE, now(), a_disk(9))
    assert told(would, "drop")[:2] == [("room", f"{ago(4):%m-%d}"), ("shelf", f"{ago(4):%m-%d}")]
    assert {each.why for each in would.actions if each.what == "drop"} == {"disk_free_percent"}
    assert "low disk space: 9.0 % of the disk is free" in foretold(would)


async def test_it_changes_nothing(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(9), ago(3), now())
        before = await state(database)
        async with connection(blank_database_url, "test") as looking:
            await preview(looking, HOUSE, now(), a_disk(1))
        assert await state(database) == before


async def test_it_does_not_wait_for_who_is_at_work_and_says_so(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "retention") as other:
        await put(database, engine, ago(9), now())
        await other.fetchval(sql.TRY_LOCK)
        would = await preview(database, HOUSE, now(), PLENTY)
    assert len(would.at_work) == 1
    assert would.at_work[0].startswith("sonde retention from 127.0.0.1, server process ")
    assert f"lock held by {would.at_work[0]}" in foretold(would)


async def test_nobody_at_work_is_not_said(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, _):
        would = await preview(database, HOUSE, now(), PLENTY)
    assert would.at_work == []
    assert foretold(would).splitlines()[-1] == "nothing to drop or compress"
