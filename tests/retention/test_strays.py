"""Families that the catalogue no longer has are shown, with what removes them."""

from __future__ import annotations

from infra.cli.storage import told
from services.retention.strays import strays
from services.retention.usage import measure
from tests.infra.families import HOUSE, ROOM, SHELF, house
from tests.retention.house import PLENTY, ago, now, put


async def test_the_tables_of_a_removed_family_are_found_with_their_size(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, ago(2), now())
        [stray] = await strays(database, engine, [ROOM])
    assert (stray.family, stray.tables) == ("shelf", ["shelf", "shelf_1m", "shelf_1h"])
    assert stray.bytes > 0


async def test_no_table_of_the_catalogue_nor_any_other_of_ours_is_one(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        await database.execute("CREATE TABLE theirs (time timestamptz NOT NULL, host_id int NOT NULL)")
        assert await strays(database, engine, HOUSE) == []


async def test_a_roll_up_alone_is_one(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await database.execute("DROP VIEW metrics_shelf")
        await database.execute("DROP TABLE shelf")
        [stray] = await strays(database, engine, [ROOM])
    assert stray.tables == ["shelf_1m", "shelf_1h"]


async def test_what_the_remedy_says_removes_everything(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        [stray] = await strays(database, engine, [ROOM])
        for statement in stray.remedy.split("; "):
            await database.execute(statement)
        assert await strays(database, engine, [ROOM]) == []
        left = await database.fetch("SELECT relname FROM pg_class WHERE relname LIKE '%shelf%'")
        assert left == []
        assert await database.fetchval("SELECT count(*) FROM instances WHERE family = $1", SHELF.name) == 0


async def test_storage_shows_them_and_how_to_be_rid_of_them(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await put(database, engine, now())
        lines = told(await measure(database, [ROOM], now(), PLENTY))
    assert any(line.startswith("shelf, shelf_1m, shelf_1h: ") for line in lines)
    assert any('DROP TABLE "shelf_1h";' in line for line in lines)
