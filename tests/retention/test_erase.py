"""The rows of removed hosts go, bit by bit, whatever happens meanwhile."""

# ruff: noqa: S608 -- names of tables of the test's own catalogue

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from infra.bus import connection as bus
from infra.storage.database import Connection, connection
from infra.storage.engine import Engine, tables_of
from schemas.settings import HOSTS_KEY, SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.gateway.agents.removal import remove_host
from services.retention import erase
from services.retention.erase import erase_removed
from services.retention.rollup import roll_up
from tests.gateway.incidents import open_incident
from tests.infra.families import HOUSE, house
from tests.retention.house import ago, now
from tests.retention.rollups import Row, write
from tests.retention.test_service import service
from tests.waiting import eventually

DAYS = range(5)
TABLES = [table.name for table in tables_of(HOUSE)]


async def nothing() -> None:
    """Between two portions."""


def rows_of(*hosts: str, each: int = 30) -> list[Row]:
    return [(host, ago(day) + timedelta(seconds=n), n) for host in hosts for day in DAYS for n in range(each)]


async def filled(database: Connection, engine: Engine, *hosts: str, columnar: bool = False, each: int = 30) -> None:
    """Rows of five days and their roll-ups, the older days compressed where the engine can."""
    await write(database, engine, rows_of(*hosts, each=each))
    await roll_up(database, engine, HOUSE, now())
    if columnar:
        await engine.compress_before(database, tables_of(HOUSE), ago(2, 0))


async def counts(database: Connection) -> dict[str, dict[str, int]]:
    """Table -> host -> rows."""
    found: dict[str, dict[str, int]] = {}
    for table in TABLES:
        query = f"SELECT h.name, count(*) AS n FROM {table} t LEFT JOIN hosts h ON h.id = t.host_id GROUP BY 1"
        found[table] = {row["name"]: row["n"] for row in await database.fetch(query)}
    return found


async def remove(database: Connection, host: str) -> int:
    departed = await remove_host(database, host, 1, keep_history=False)
    assert departed is not None
    return departed.host_id


async def removed_while_firing(database: Connection, engine: Engine) -> None:
    """A host that is removed, and the end of its alert, of which nobody has been told yet."""
    await filled(database, engine, "web-1")
    await open_incident(database)
    await remove(database, "web-1")


@pytest.mark.parametrize("columnar", [False, True])
async def test_every_row_of_a_removed_host_goes_and_no_other(columnar: bool, blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await filled(database, engine, "web-1", "web-2", columnar=columnar)
        before = await counts(database)
        await remove(database, "web-1")
        assert await erase_removed(database, engine, HOUSE, nothing) == 0
        assert await counts(database) == {table: {"web-2": of["web-2"]} for table, of in before.items()}
        assert [row["name"] for row in await database.fetch("SELECT name FROM hosts")] == ["web-2"]
        for table in ("instances", "dirty_minutes", "dirty_hours", "removals"):
            assert await database.fetchval(f"SELECT count(*) FROM {table} WHERE host_id = 1") == 0


async def test_late_rows_of_compressed_days_go_too(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await filled(database, engine, "web-1", "web-2", columnar=True)
        await write(database, engine, [("web-1", ago(4) + timedelta(hours=1), 5)])
        await remove(database, "web-1")
        await erase_removed(database, engine, HOUSE, nothing)
        assert all(set(of) == {"web-2"} for of in (await counts(database)).values())


async def test_progress_is_shown_while_it_lasts(blank_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erase, "PORTION_ROWS", 10)
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "test") as watcher:
        await filled(database, engine, "web-1", "web-2")
        total = sum(of["web-1"] for of in (await counts(database)).values())
        await remove(database, "web-1")
        seen: list[tuple[int, int, int]] = []

        async def look() -> None:
            seen.append(tuple(await watcher.fetchrow("SELECT parts, done, rows FROM removals")))  # type: ignore[arg-type]

        await erase_removed(database, engine, HOUSE, look)
    assert len(seen) > 2 * len(TABLES)
    assert seen == sorted(seen)
    assert {parts for parts, _, _ in seen} == {seen[0][0]}
    assert seen[-1][2] == total
    assert seen[-1][1] <= seen[-1][0]


async def test_slots_that_await_their_roll_up_are_not_rolled_up_any_more(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await write(database, engine, rows_of("web-1"))
        await remove(database, "web-1")

        async def roll() -> None:
            await roll_up(database, engine, HOUSE, now())

        await erase_removed(database, engine, HOUSE, roll)
        assert all(not of for of in (await counts(database)).values())


async def test_the_host_stays_until_people_were_told_that_its_alerts_are_over(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await removed_while_firing(database, engine)
        assert await erase_removed(database, engine, HOUSE, nothing) == 1
        assert all(not of for of in (await counts(database)).values())
        await database.execute("UPDATE alert_transitions SET published = true")
        assert await erase_removed(database, engine, HOUSE, nothing) == 1
        await database.execute("UPDATE incidents SET settled = true")
        assert await erase_removed(database, engine, HOUSE, nothing) == 0
        for table in ("alert_transitions", "incidents", "incident_steps"):
            assert await database.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_an_alert_service_that_is_away_holds_it_up_for_some_hours_only(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await removed_while_firing(database, engine)
        await database.execute("UPDATE removals SET asked = now() - interval '3 hours'")
        assert await erase_removed(database, engine, HOUSE, nothing) == 0


async def test_a_table_that_somebody_holds_is_done_later(
    blank_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "test") as holder:
        await filled(database, engine, "web-1")
        await remove(database, "web-1")
        [part, *_] = await engine.parts(database, tables_of(HOUSE, "raw"))
        await database.execute("SET lock_timeout = '100ms'")
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {part.relation} IN EXCLUSIVE MODE")
            assert await erase_removed(database, engine, HOUSE, nothing) == 1
        assert await erase_removed(database, engine, HOUSE, nothing) == 0
        assert all(not of for of in (await counts(database)).values())


async def test_families_that_the_catalogue_has_no_more_are_not_left_out(blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await filled(database, engine, "web-1", "web-2")
        await remove(database, "web-1")
        await erase_removed(database, engine, HOUSE[:1], nothing)
        assert all(set(of) == {"web-2"} for of in (await counts(database)).values())


ERASING = """
import asyncio, sys
from infra.storage.database import connection
from infra.storage.engine import detect
from services.retention import erase
from tests.gateway.incidents import open_incident
from tests.infra.families import HOUSE

async def between():
    print("portion", flush=True)

async def main(url):
    erase.PORTION_ROWS = 10
    async with connection(url, "test erasing") as database:
        await erase.erase_removed(database, await detect(database, HOUSE), HOUSE, between)

asyncio.run(main(sys.argv[1]))
"""


@asynccontextmanager
async def erasing(database_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that erases and says so after each portion; killed on leaving."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ERASING, database_url),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("columnar", [False, True])
async def test_killed_time_and_again_it_comes_to_its_end(columnar: bool, blank_database_url: str) -> None:
    async with house(blank_database_url) as (database, engine):
        await filled(database, engine, "web-1", "web-2", columnar=columnar)
        total = sum(of["web-1"] for of in (await counts(database)).values())
        await remove(database, "web-1")
        counted = 0
        for portions in (1, 2, 9, 30):
            async with erasing(blank_database_url) as process:
                assert process.stdout is not None
                for _ in range(portions):
                    if not await process.stdout.readline():
                        break
            counted = await database.fetchval("SELECT rows FROM removals") or counted
        await erase_removed(database, engine, HOUSE, nothing)
        assert 0 < counted <= total
        assert all(set(of) == {"web-2"} for of in (await counts(database)).values())
        assert [row["name"] for row in await database.fetch("SELECT name FROM hosts")] == ["web-2"]


async def test_the_service_deletes_when_a_removal_is_announced(blank_database_url: str, bus_url: str) -> None:
    async with house(blank_database_url) as (database, engine), bus.connection(bus_url, "test") as client:
        await filled(database, engine, "web-1", "web-2")
        async with service(blank_database_url, bus_url):
            await eventually(lambda: database.fetchval("SELECT count(*) > 0 FROM retention_runs"))
            runs: datetime = await database.fetchval("SELECT max(started) FROM retention_runs")
            await remove(database, "web-1")

            async def gone() -> bool:
                await client.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged(HOSTS_KEY, 1)))
                return bool(await database.fetchval("SELECT count(*) = 1 FROM hosts"))

            await eventually(gone, every_s=0.1)
            assert await database.fetchval("SELECT max(started) FROM retention_runs") == runs
