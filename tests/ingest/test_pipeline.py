"""While one flush is being written the next is prepared: what the first will have stored counts already."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.storage import database
from tests.batches import encoded
from tests.ingest.running import NOW_MS, count_is, ingesting, publish, reached, ticks
from tests.waiting import eventually


@asynccontextmanager
async def commits_held_up(url: str) -> AsyncIterator[database.Connection]:
    """Nothing that moves ingest's position is committed meanwhile."""
    async with database.connection(url, "holder") as holder, holder.transaction():
        await holder.execute("SELECT FROM positions FOR UPDATE")
        yield holder


async def is_writing(connection: database.Connection) -> bool:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sonde ingest' "
        "AND wait_event_type = 'Lock' AND datname = current_database()"
    )
    return bool(await connection.fetchval(query))


async def test_a_repeat_of_what_is_still_being_written_is_dropped(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
        async with commits_held_up(database_url):
            await publish(client, encoded(*ticks(5, NOW_MS + 5000), seq=2))
            await eventually(lambda: is_writing(connection))
            for seq, start in ((2, NOW_MS + 5000), (3, NOW_MS + 10_000)):
                last = await publish(client, encoded(*ticks(5, start), seq=seq))
        await reached(connection, last)
        assert await count_is(connection, 15)
        assert await connection.fetchval("SELECT count(DISTINCT time) FROM cpu") == 15


async def test_what_was_prepared_behind_a_flush_that_failed_is_begun_anew(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
        async with commits_held_up(database_url):
            await publish(client, encoded(*ticks(5, NOW_MS + 5000), seq=2))
            await eventually(lambda: is_writing(connection))
            last = await publish(client, encoded(*ticks(5, NOW_MS + 10_000), seq=3))
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'sonde ingest' AND datname = current_database()"
            )
        await reached(connection, last)
        assert await count_is(connection, 15)


async def test_an_instance_first_seen_behind_a_flush_being_written_gets_its_rows(
    bus_url: str, database_url: str
) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
        async with commits_held_up(database_url):
            await publish(client, encoded(*ticks(5, NOW_MS + 5000), seq=2))
            await eventually(lambda: is_writing(connection))
            last = await publish(client, encoded(*ticks(5), host="web-2"), host="web-2")
        await reached(connection, last)
        assert (
            await connection.fetchval("SELECT count(*) FROM cpu JOIN hosts ON id = host_id WHERE name = 'web-2'") == 5
        )
