"""Compressing goes on beside everything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.storage.database import Connection, connection
from infra.storage.engine import tables_of
from tests.infra.families import ROOM, house
from tests.retention.house import mark, put, times_of
from tests.retention.test_service import runs, service
from tests.waiting import eventually


async def compressed(database: Connection) -> bool:
    query = "SELECT bool_or(is_compressed) FROM timescaledb_information.chunks WHERE hypertable_name = 'room'"
    return bool(await database.fetchval(query))


async def waiting(database: Connection) -> bool:
    query = """
        SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CALL convert_to_column%'
        AND datname = current_database()
    """
    return bool(await database.fetchval(query))


async def sessions(database: Connection) -> list[int]:
    query = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'sonde retention' AND datname = current_database()"
    )
    return [row["pid"] for row in await database.fetch(query)]


IMPATIENT = """
CREATE FUNCTION impatient() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config('lock_timeout', '100ms', false); RETURN NULL; END $$;
CREATE TRIGGER impatient AFTER INSERT ON retention_runs EXECUTE FUNCTION impatient();
"""
"""Whoever has pruned waits for a lock no longer than this."""


async def test_roll_ups_and_prunings_go_on_while_a_part_is_being_compressed(
    blank_database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.retention.service.PRUNE_EVERY_S", 0.5)
    monkeypatch.setattr("services.retention.service.ROLL_UP_EVERY_S", 0.1)
    monkeypatch.setattr("infra.storage.engines.locks._LOCK_WAIT_MS", 60_000)
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "holder") as holder:
        if engine.name == "native":
            pytest.skip("no TimescaleDB: set SONDE_TEST_DATABASE_URL to a server that has it")
        now = datetime.now(UTC)
        late = now - timedelta(days=1)
        await put(database, engine, now - timedelta(days=4), late, now)
        [oldest, *_] = await engine.parts(database, tables_of([ROOM], "raw"))
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE _timescaledb_internal.{oldest.name} IN ROW EXCLUSIVE MODE")
            async with service(blank_database_url, bus_url):
                await eventually(lambda: waiting(database))
                await database.execute("DELETE FROM room_1m")
                await mark(database, [late])
                before = await runs(database)

                async def rolled_up_and_pruned() -> bool:
                    minute = late.replace(second=0, microsecond=0)
                    return await times_of(database, "room_1m") == [minute] and await runs(database) > before

                await eventually(rolled_up_and_pruned)
                assert await waiting(database)
                assert not await compressed(database)
                await holder.execute("ROLLBACK")
                await eventually(lambda: compressed(database))
                await holder.execute("BEGIN")


async def test_a_held_table_ends_neither_the_session_nor_what_is_being_compressed(
    blank_database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.retention.service.ROLL_UP_EVERY_S", 0.1)
    async with house(blank_database_url) as (database, engine), connection(blank_database_url, "holder") as holder:
        await database.execute(IMPATIENT)
        late = datetime.now(UTC) - timedelta(hours=3)
        async with service(blank_database_url, bus_url):
            await eventually(lambda: runs(database))
            [session] = await sessions(database)
            async with holder.transaction():
                await holder.execute("LOCK TABLE room_1m IN EXCLUSIVE MODE")
                await put(database, engine, late)
                await eventually(lambda: "pruning waits for locked tables, will retry" in caplog.messages)
            await eventually(lambda: times_of(database, "room_1h"))
            assert await sessions(database) == [session]
