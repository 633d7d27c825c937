"""Whatever happens to the database while ingest writes to it, every sample is stored exactly once."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.bus import connection as bus
from infra.servers.embedded import Server, postgres_server
from infra.storage import database
from infra.storage.engine import detect, tables_of
from infra.storage.migrate import migrate
from schemas.catalogue import CATALOGUE
from tests.batches import encoded, sample
from tests.faults.backlog import assert_whole, drained, ingest, publish_backlog, recent_ms, resident_mib
from tests.faults.proxy import Proxy, proxy
from tests.faults.test_storage import as_root, fill
from tests.waiting import eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PULLING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'sonde ingest' AND query LIKE '%positions%'
"""
SET_DEADLOCK_TIMEOUT = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''5s''', current_database()); END $$
"""
COPYING = "SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database()"


@asynccontextmanager
async def migrated_server(directory: Path) -> AsyncIterator[Server]:
    """A PostgreSQL of the test's own."""
    async with postgres_server(directory) as server:
        await migrate_at(server.url)
        yield server


async def migrate_at(url: str) -> None:
    async with database.connection(url, "test") as connection:
        await migrate(connection, await detect(connection))


async def in_mid_copy(between: Proxy, url: str) -> None:
    """Wait until the server has a part of a COPY and waits for the rest."""
    await asyncio.wait_for(between.held.wait(), 30)
    async with database.connection(url, "test") as connection:
        await eventually(lambda: connection.fetchval(COPYING))


async def test_postgresql_killed_in_mid_copy_costs_and_doubles_nothing(bus_url: str, tmp_path: Path) -> None:
    start_ms = recent_ms()
    last = await publish_backlog(bus_url, start_ms, 0, 150)
    async with migrated_server(tmp_path / "postgres") as server, proxy(server.url) as (between, url):
        between.hold_after(400_000)
        with ingest(bus_url, url, tmp_path):
            await in_mid_copy(between, server.url)
            await server.kill()
            between.heal()
            await server.restart()
            await drained(server.url, last)
        await assert_whole(server.url, 150, start_ms)


async def test_a_connection_cut_in_mid_copy_and_healed_costs_and_doubles_nothing(
    bus_url: str, database_url: str, tmp_path: Path
) -> None:
    start_ms = recent_ms()
    last = await publish_backlog(bus_url, start_ms, 0, 150)
    async with proxy(database_url) as (between, url):
        between.hold_after(400_000)
        with ingest(bus_url, url, tmp_path):
            await in_mid_copy(between, database_url)
            between.cut()
            await asyncio.sleep(2)  # refused again and again meanwhile
            between.heal()
            await drained(database_url, last)
            assert between.connections == 2
    await assert_whole(database_url, 150, start_ms)


async def test_a_bus_connection_cut_in_mid_pull_and_healed_costs_and_doubles_nothing(
    bus_url: str, database_url: str, tmp_path: Path
) -> None:
    start_ms = recent_ms()
    last = await publish_backlog(bus_url, start_ms, 0, 150)
    async with proxy(bus_url) as (between, url), database.connection(database_url, "test") as connection:
        with ingest(url, database_url, tmp_path):
            for cuts in range(3):
                await eventually(lambda: between.connections > cuts, 60, 0.002)  # noqa: B023
                await eventually(lambda: connection.fetchval(PULLING), every_s=0.002)
                between.cut()
                await asyncio.sleep(0.3)  # refused meanwhile
                between.heal()
            await drained(database_url, last)
    await assert_whole(database_url, 150, start_ms)


async def test_a_bus_that_falls_silent_without_a_word_is_left_for_another_connection(
    bus_url: str, database_url: str, tmp_path: Path
) -> None:
    start_ms = recent_ms()
    first = await publish_backlog(bus_url, start_ms, 0, 20)
    async with proxy(bus_url) as (between, url):
        with ingest(url, database_url, tmp_path):
            await drained(database_url, first)
            between.hold_after(0)
            last = await publish_backlog(bus_url, start_ms, 20, 40)
            await eventually(lambda: between.connections > 1, 40)  # three heartbeats missed: given up
            between.heal()
            await drained(database_url, last)
    await assert_whole(database_url, 40, start_ms)


async def test_a_deadlock_that_ingest_loses_costs_and_doubles_nothing(
    bus_url: str, database_url: str, tmp_path: Path
) -> None:
    start_ms = recent_ms()
    first = await publish_backlog(bus_url, start_ms, 0, 20)
    async with database.connection(database_url, "test") as other:
        # It looks for a deadlock once, so long after it began to wait: until then the other must wait for it, too.
        await other.execute(SET_DEADLOCK_TIMEOUT)
    with ingest(bus_url, database_url, tmp_path):
        await drained(database_url, first)
        async with database.connection(database_url, "test") as other:
            await other.execute("SET deadlock_timeout = '90s'")  # so that it is ingest that finds out, and gives way
            async with other.transaction():
                await other.execute("SELECT FROM hosts FOR UPDATE")
                last = await publish_backlog(bus_url, start_ms, 20, 60)
                await eventually(lambda: waits_for_a_lock(database_url, "ingest"), every_s=0.01)
                await other.execute("LOCK TABLE cpu IN ACCESS EXCLUSIVE MODE")
        await drained(database_url, last)
    assert "deadlock" in (tmp_path / "ingest.log").read_text()
    await assert_whole(database_url, 60, start_ms)


async def test_a_long_reader_keeps_neither_new_days_from_being_made_nor_rows_from_being_stored_during_a_drop(
    bus_url: str, database_url: str, tmp_path: Path
) -> None:
    start_ms = recent_ms()
    old, older = start_ms - 2 * DAY_MS, start_ms - 3 * DAY_MS
    first = await publish_backlog(bus_url, start_ms, 0, 5)
    tables = tables_of(CATALOGUE, "raw")
    async with (
        database.connection(database_url, "test") as reader,
        database.connection(database_url, "test") as pruner,
    ):
        engine = await detect(pruner)
        with ingest(bus_url, database_url, tmp_path):
            await drained(database_url, first)
            await drained(database_url, await publish_one(bus_url, "late", 1, old))
            async with reader.transaction():
                await reader.execute("SELECT count(*) FROM cpu")
                await drained(database_url, await publish_one(bus_url, "late", 2, older))
                end_of_old = datetime.fromtimestamp(old / 1000, UTC) + timedelta(days=1)
                dropping = asyncio.ensure_future(engine.drop_before(pruner, tables, end_of_old))
                await eventually(lambda: waits_for_a_lock(database_url, "test"))
                await drained(database_url, await publish_backlog(bus_url, start_ms, 5, 20))
                await dropping
            await engine.drop_before(pruner, tables, end_of_old)
            assert await reader.fetchval("SELECT min(time) FROM cpu") >= end_of_old
            await reader.execute("DELETE FROM hosts WHERE name = 'late'")
    await assert_whole(database_url, 20, start_ms)


async def publish_one(url: str, host: str, seq: int, time_ms: int) -> int:
    async with bus.connection(url, "test") as client:
        ack = await client.jetstream().publish(f"metrics.{host}", encoded(sample(time_ms), host=host, seq=seq))
    return int(ack.seq)


async def waits_for_a_lock(url: str, application: str) -> bool:
    async with database.connection(url, "watcher") as connection:
        waiting = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sonde ' || $1 "
            "AND wait_event_type = 'Lock' AND datname = current_database()",
            application,
        )
    return bool(waiting)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 MiB."""
    directory = tmp_path / "small"
    directory.mkdir()
    as_root("mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", str(directory))
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


async def test_a_database_whose_disk_is_full_takes_the_backlog_once_it_has_room(
    bus_url: str, small_disk: Path, tmp_path: Path
) -> None:
    start_ms = recent_ms()
    first = await publish_backlog(bus_url, start_ms, 0, 5)
    async with migrated_server(small_disk / "postgres") as server:
        with ingest(bus_url, server.url, tmp_path) as running:
            await drained(server.url, first)
            junk = fill(small_disk)
            before = resident_mib(running)
            last = await publish_backlog(bus_url, start_ms, 5, 300)
            await eventually(lambda: "interrupted" in (tmp_path / "ingest.log").read_text(), 60)
            await asyncio.sleep(5)  # full, and tried again
            assert resident_mib(running) < before + 200
            junk.unlink()
            if server.process.poll() is not None:  # it had no room for its log either
                await server.restart()
            await drained(server.url, last, 90)
        await assert_whole(server.url, 300, start_ms)


async def test_memory_is_bounded_whatever_the_backlog(bus_url: str, database_url: str, tmp_path: Path) -> None:
    start_ms = recent_ms()
    first = await publish_backlog(bus_url, start_ms, 0, 5)
    with ingest(bus_url, database_url, tmp_path) as running:
        await drained(database_url, first)
        before = resident_mib(running)
        async with database.connection(database_url, "test") as other, other.transaction():
            await other.execute("SELECT FROM positions FOR UPDATE")  # nothing is committed meanwhile
            last = await publish_backlog(bus_url, start_ms, 5, 350)
            await eventually(lambda: waits_for_a_lock(database_url, "ingest"))
            await asyncio.sleep(2)  # time to take in all that it will
            assert resident_mib(running) < before + 150
        await drained(database_url, last)
        assert resident_mib(running) < before + 150
    await assert_whole(database_url, 350, start_ms)


async def test_an_agent_whose_clock_is_an_hour_ahead_loses_that_hour_only_and_is_told_of(
    bus_url: str, database_url: str, tmp_path: Path
) -> None:
    start_ms = recent_ms()
    with ingest(bus_url, database_url, tmp_path):
        last = await publish_backlog(bus_url, start_ms, 0, 5)
        for number in range(1, 4):
            last = await publish_one(bus_url, "fast", number, int(time.time() * 1000) + HOUR_MS)
        now_ms = int(time.time() * 1000)
        last = await publish_one(bus_url, "fast", 4, now_ms)
        await drained(database_url, last)
    async with database.connection(database_url, "test") as connection:
        stored = await connection.fetch(
            "SELECT (extract(epoch FROM time) * 1000)::bigint FROM cpu JOIN hosts h ON h.id = host_id "
            "WHERE h.name = 'fast'"
        )
        refused = await connection.fetch(
            "SELECT family, reason, rows FROM refusals JOIN hosts h ON h.id = host_id WHERE h.name = 'fast'"
        )
        await connection.execute("DELETE FROM hosts WHERE name = 'fast'")
    assert [tuple(row) for row in stored] == [(now_ms,)]
    assert [tuple(row) for row in refused] == [("cpu", "ahead of the clock", 3)]
    await assert_whole(database_url, 5, start_ms)
