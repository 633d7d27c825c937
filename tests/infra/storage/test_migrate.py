"""Migrations: applied once, in order, by any number of processes; refused when they do not fit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import msgspec
import pytest

from infra.storage.database import connection
from infra.storage.engine import detect
from infra.storage.migrate import MIGRATIONS, Migration, MigrationError, migrate, pending, read_migrations
from schemas.rules import Rule, default_rules
from tests.infra.families import HOUSE

ONE = Migration("0001_one", "", "a")
TWO = Migration("0002_two", "", "b")
THREE = Migration("0003_three", "", "c")


def test_what_was_applied_is_not_pending() -> None:
    assert pending([ONE, TWO], {"0001_one": "a"}) == [TWO]


def test_a_changed_migration_is_refused() -> None:
    with pytest.raises(MigrationError, match="0001_one was changed"):
        pending([ONE, TWO], {"0001_one": "other"})


def test_a_migration_of_a_newer_version_is_refused() -> None:
    with pytest.raises(MigrationError, match="0002_two of the database is unknown to this version"):
        pending([ONE], {"0001_one": "a", "0002_two": "b"})


def test_a_migration_between_applied_ones_is_refused() -> None:
    with pytest.raises(MigrationError, match="0002_two comes before 0003_three"):
        pending([ONE, TWO, THREE], {"0001_one": "a", "0003_three": "c"})


def test_a_migration_without_a_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "add_things.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match="0001_what_it_does"):
        read_migrations(tmp_path)


async def upgrade(url: str, directory: Path = MIGRATIONS) -> None:
    async with connection(url, "test") as database:
        await migrate(database, await detect(database, HOUSE), HOUSE, directory)


async def names(url: str) -> list[str]:
    async with connection(url, "test") as database:
        rows = await database.fetch("SELECT name FROM schema_migrations ORDER BY name")
    return [row["name"] for row in rows]


async def test_a_second_run_changes_nothing(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        before = await database.fetch("SELECT * FROM schema_migrations")
        await migrate(database, await detect(database))
        assert await database.fetch("SELECT * FROM schema_migrations") == before


async def test_several_processes_at_once_apply_each_migration_once(blank_database_url: str) -> None:
    await asyncio.gather(*(upgrade(blank_database_url) for _ in range(5)))
    assert await names(blank_database_url) == [*(one.name for one in read_migrations()), "default rules"]


async def test_a_migration_that_fails_leaves_nothing_of_itself_and_stops_there(
    blank_database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE good ()")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE bad (); SELECT 1 / 0")
    (tmp_path / "0003_next.sql").write_text("CREATE TABLE next ()")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await upgrade(blank_database_url, tmp_path)
    assert await names(blank_database_url) == ["0001_good"]
    async with connection(blank_database_url, "test") as database:
        there = await database.fetchrow("SELECT to_regclass('good'), to_regclass('bad'), to_regclass('next')")
    assert there is not None
    assert list(there) == ["good", None, None]


async def test_a_failed_migration_goes_on_once_it_is_mended(blank_database_url: str, tmp_path: Path) -> None:
    base = (MIGRATIONS / "0001_base.sql").read_text()
    (tmp_path / "0001_base.sql").write_text(base + "; SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await upgrade(blank_database_url, tmp_path)
    (tmp_path / "0001_base.sql").write_text(base)
    await upgrade(blank_database_url, tmp_path)
    assert await names(blank_database_url) == ["0001_base", "default rules"]


async def test_a_first_start_has_the_default_rules(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        rows = await database.fetch("SELECT body, version FROM rules")
    rules = [msgspec.json.decode(row["body"], type=Rule) for row in rows]
    assert sorted(rules, key=lambda rule: rule.id) == sorted(default_rules(), key=lambda rule: rule.id)
    assert {row["version"] for row in rows} == {1}


async def test_deleted_default_rules_stay_deleted(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await database.execute("DELETE FROM rules")
        await migrate(database, await detect(database))
        assert await database.fetchval("SELECT count(*) FROM rules") == 0


async def test_the_lock_is_free_afterwards(database_url: str) -> None:
    async with connection(database_url, "test") as one, connection(database_url, "test") as two:
        await migrate(one, await detect(one))
        async with asyncio.timeout(40):
            await migrate(two, await detect(two))
