"""Streams, consumers and servers that vanish or change under ingest: nothing is skipped and nothing stored twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from nats.aio.client import Client

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server
from infra.storage import database
from schemas.codec import Sample
from tests.batches import encoded
from tests.ingest.running import NOW_MS, count_is, ingesting, publish, reached, ticks
from tests.waiting import eventually

SAMPLES = 5


def batch_number(number: int) -> list[Sample]:
    """The samples of batch `number` of a host."""
    return ticks(SAMPLES, NOW_MS - 5 * 3_600_000 + 1000 * SAMPLES * number)


async def publish_batches(client: Client, numbers: Sequence[int], host: str = "web-1") -> int:
    """The stream sequence of the last one."""
    for number in numbers:
        last = await publish(client, encoded(*batch_number(number), host=host, seq=number), host=host)
    return last


async def stored_exactly(connection: database.Connection, numbers: Sequence[int]) -> bool:
    """Whether every sample of these batches is stored once, and no other."""
    rows = await connection.fetch("SELECT (extract(epoch FROM time) * 1000)::bigint AS ms FROM cpu ORDER BY 1")
    return [row["ms"] for row in rows] == [each.time_ms for number in numbers for each in batch_number(number)]


async def consumer_of(client: Client, stream: str = "METRICS") -> str:
    """Name of the consumer that ingest reads `stream` by."""
    [info] = await client.jetstream().consumers_info(stream)
    return str(info.name)


def interruptions(caplog: pytest.LogCaptureFixture) -> str:
    """Why ingest began anew, as it logged."""
    return "\n".join(str(getattr(record, "error", "")) for record in caplog.records)


async def make_stream_anew(client: Client) -> None:
    await client.jetstream().delete_stream("METRICS")
    await eventually(lambda: _make_streams(client))


async def _make_streams(client: Client) -> bool:
    try:
        await ensure_streams(client)
    except Exception as error:  # the server may still be removing the files of a stream of that name
        raise AssertionError(str(error)) from error
    return True


async def test_a_stream_made_anew_under_ingest_is_read_from_its_beginning(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish_batches(client, [1, 2, 3]))
        await make_stream_anew(client)
        assert await publish_batches(client, [4]) == 1, "the sequence went backwards"
        await eventually(lambda: stored_exactly(connection, [1, 2, 3, 4]))
        assert await connection.fetchval("SELECT seq FROM positions WHERE stream = 'METRICS'") == 1


async def test_numbers_given_twice_hide_no_message(bus_url: str, database_url: str) -> None:
    """The stream lost its tail and grew again past our position while nobody looked."""
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish_batches(client, [1, 2, 3]))
    async with bus.connection(bus_url, "test") as client:
        await make_stream_anew(client)
        assert await publish_batches(client, [2, 3, 4, 5, 6]) == 5
    async with ingesting(bus_url, database_url) as (client, connection):
        await eventually(lambda: stored_exactly(connection, [1, 2, 3, 4, 5, 6]))


async def test_messages_that_somebody_else_took_are_read_again(
    bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A consumer without acknowledgements gives each message once: who gets a part of them must notice the hole."""
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish_batches(client, [1]))
        taken = await client.subscribe("thief")
        name = await consumer_of(client)
        await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.METRICS.{name}", b'{"batch": 1}', reply="thief")
        more = range(2, 2500)  # the thief's turn comes after what ingest had asked for by then
        for number in more:
            await client.publish("metrics.web-1", encoded(*batch_number(number), seq=number))
        assert (await taken.next_msg(5)).subject == "metrics.web-1"
        await eventually(lambda: stored_exactly(connection, [1, *more]), 20)
    assert "hole" in interruptions(caplog)


async def test_a_consumer_deleted_under_ingest_is_made_anew(
    bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish_batches(client, [1]))
        first = await consumer_of(client)
        await client.jetstream().delete_consumer("METRICS", first)
        await publish_batches(client, [2])
        await eventually(lambda: stored_exactly(connection, [1, 2]))
        assert await consumer_of(client) != first
    assert "Consumer Deleted" in interruptions(caplog)


async def test_a_purge_of_what_was_read_disturbs_nobody(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        last = await publish_batches(client, [1, 2, 3])
        await reached(connection, last)
        name = await consumer_of(client)
        await client.jetstream().purge_stream("METRICS", seq=last + 1)
        await publish_batches(client, [4])
        await eventually(lambda: stored_exactly(connection, [1, 2, 3, 4]))
        assert await consumer_of(client) == name


@pytest.mark.timeout(120)
async def test_a_bus_killed_in_mid_pull_costs_and_doubles_nothing(tmp_path: Path, database_url: str) -> None:
    async with nats_server(tmp_path / "nats") as server:
        async with bus.connection(server.url, "test") as client:
            await ensure_streams(client)
            await publish_batches(client, range(1, 301))
        async with ingesting(server.url, database_url) as (_, connection):
            for least in (1, 2):
                await eventually(lambda: _rows_at_least(connection, least), every_s=0.001)  # noqa: B023
                await server.kill()
                await server.restart()
            async with bus.connection(server.url, "test") as client:
                await publish_batches(client, range(301, 401))
            await eventually(lambda: stored_exactly(connection, range(1, 401)), 60)


async def _rows_at_least(connection: database.Connection, least: int) -> bool:
    return bool(await connection.fetchval("SELECT count(*) FROM cpu") >= least)


async def test_a_database_connection_lost_over_and_over_costs_and_doubles_nothing(
    bus_url: str, database_url: str
) -> None:
    hosts = [f"web-{number}" for number in range(20)]
    async with bus.connection(bus_url, "test") as client:
        for number in range(1, 51):
            for host in hosts:
                await publish(client, encoded(*batch_number(number), host=host, seq=number), host=host)
    async with ingesting(bus_url, database_url) as (client, connection):
        for _ in range(5):
            await eventually(lambda: _end_ingest_connection(connection), every_s=0.01)
            await asyncio.sleep(0.05)  # into whatever the next one is doing
        await eventually(lambda: count_is(connection, 50 * SAMPLES * len(hosts)), 30)
        assert await connection.fetchval("SELECT count(DISTINCT (host_id, time)) FROM cpu") == 50 * SAMPLES * len(hosts)


async def _end_ingest_connection(connection: database.Connection) -> bool:
    """True when there was one."""
    return bool(
        await connection.fetchval(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'sonde ingest' AND datname = current_database()"
        )
    )
