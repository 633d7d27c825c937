"""A table of the past that somebody has for himself keeps back rows of the past, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from infra.storage import database
from infra.storage.engine import detect, tables_of
from schemas.families import CPU
from services.ingest.turns import FIRST_S, Turns
from tests.batches import encoded
from tests.ingest.running import NOW_MS, count_is, ingesting, publish, reached, ticks
from tests.ingest.test_pipeline import is_writing
from tests.waiting import eventually

BEFORE_MS = NOW_MS - 2 * 86_400_000


@asynccontextmanager
async def held_for_himself(url: str, at_ms: int) -> AsyncIterator[None]:
    """The day's partition or chunk of CPU is written by nobody meanwhile, as while it is made columnar."""
    async with database.connection(url, "holder") as holder:
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        parts = await (await detect(holder)).parts(holder, tables_of([CPU], "raw"))
        [name] = [part.name for part in parts if part.first <= at < part.last]
        schema = await holder.fetchval("SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = $1", name)
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {schema}.{name} IN EXCLUSIVE MODE")
            yield


async def test_live_rows_go_on_while_a_day_of_the_past_is_held(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        past = encoded(*ticks(5, BEFORE_MS), lane="backfill", seq=1)
        await reached(connection, await publish(client, past, lane="backfill"), "BACKFILL")
        async with held_for_himself(database_url, BEFORE_MS):
            more = encoded(*ticks(5, BEFORE_MS + 5000), lane="backfill", seq=2)
            late = await publish(client, more, lane="backfill")
            await eventually(lambda: is_writing(connection))
            for seq in range(1, 4):
                await reached(connection, await publish(client, encoded(*ticks(5, NOW_MS + 5000 * seq), seq=seq)))
            assert await count_is(connection, 20)
        await reached(connection, late, "BACKFILL")
        assert await count_is(connection, 25)
        assert await connection.fetchval("SELECT count(DISTINCT time) FROM cpu") == 25


async def test_more_rows_of_the_past_behind_those_held_up_come_in_their_order(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        past = encoded(*ticks(5, BEFORE_MS), lane="backfill", seq=1)
        await reached(connection, await publish(client, past, lane="backfill"), "BACKFILL")
        async with held_for_himself(database_url, BEFORE_MS):
            await publish(client, encoded(*ticks(5, BEFORE_MS + 5000), lane="backfill", seq=2), lane="backfill")
            await eventually(lambda: is_writing(connection))
            for seq in (3, 4):
                data = encoded(*ticks(5, BEFORE_MS + 5000 * seq), lane="backfill", seq=seq)
                last = await publish(client, data, lane="backfill")
            await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
        await reached(connection, last, "BACKFILL")
        assert await count_is(connection, 25)


def test_a_lane_that_is_blocked_has_no_turn_and_the_other_has() -> None:
    turns = Turns()
    assert turns.blocked("BACKFILL") <= FIRST_S
    assert (turns.has("BACKFILL"), turns.has("METRICS")) == (False, True)


def test_a_lane_is_left_alone_for_longer_each_time_until_it_is_written() -> None:
    turns = Turns()
    assert [turns.blocked("BACKFILL") > FIRST_S * factor for factor in (0.5, 1, 2)] == [True] * 3
    turns.written("BACKFILL")
    assert turns.blocked("BACKFILL") <= FIRST_S
