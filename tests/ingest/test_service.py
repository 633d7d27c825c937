"""Ingest on real servers: from messages in a stream to rows in tables, exactly once."""

from __future__ import annotations

import msgspec
import pytest

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.storage import database
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.catalogue import CATALOGUE, Family, Metric
from schemas.codec import Sample, build_batch, encode_batch
from schemas.health import Heartbeat
from schemas.messages import MESSAGE_ID, Block, Series
from tests.batches import batch, encoded, instances, sample
from tests.ingest.running import NOW_MS, count_is, ingesting, publish, reached, said, ticks
from tests.waiting import eventually, lock_awaited


async def test_a_batch_becomes_rows_with_times_values_and_nulls(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(10))))
        rows = await connection.fetch(
            'SELECT extract(epoch FROM time) * 1000 AS ms, total, "user", iowait, name '
            "FROM cpu JOIN hosts ON hosts.id = host_id ORDER BY time"
        )
        newest = await connection.fetchval("SELECT extract(epoch FROM last_sample) * 1000 FROM hosts")
    assert [(int(row["ms"]), row["total"], row["user"], row["iowait"], row["name"]) for row in rows] == [
        (NOW_MS + 1000 * i, 100 + i, None if i % 3 else i, None, "web-1") for i in range(10)
    ]
    assert int(newest) == NOW_MS + 9000


async def test_instances_get_one_dictionary_entry_each_and_keep_their_labels(bus_url: str, database_url: str) -> None:
    taken = [
        Sample(
            NOW_MS + 10_000 * i,
            {"filesystem": {"/": {"used": i}, "/data": {"used": 10 + i}}},
            {"filesystem": {"/": {"fstype": "ext4"}}},
        )
        for i in range(3)
    ]
    async with ingesting(bus_url, database_url) as (client, connection):
        await publish(client, encoded(*taken[:2], seq=1))
        await reached(connection, await publish(client, encoded(taken[2], seq=2)))
        rows = await connection.fetch(
            "SELECT i.name, i.labels, f.used FROM filesystem f JOIN instances i ON i.id = f.instance_id ORDER BY 1, 3"
        )
    assert [(row["name"], row["used"]) for row in rows] == [
        (n, u + i) for n, u in (("/", 0), ("/data", 10)) for i in range(3)
    ]
    assert {row["name"]: msgspec.json.decode(row["labels"]) for row in rows} == {"/": {"fstype": "ext4"}, "/data": {}}


async def test_a_batch_sent_twice_is_stored_once_even_after_a_restart(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await publish(client, encoded(*ticks(5), seq=1))
        await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
    async with ingesting(bus_url, database_url) as (client, connection):
        await publish(client, encoded(*ticks(5), seq=1))
        await reached(connection, await publish(client, encoded(*ticks(5, NOW_MS + 5000), seq=2)))
        assert await connection.fetchval("SELECT count(*) FROM cpu") == 10


async def test_both_lanes_are_ingested_each_with_its_own_numbers(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await publish(client, encoded(*ticks(5), seq=1))
        past = encoded(*ticks(5, NOW_MS - 3_600_000), lane="backfill", seq=1)
        await reached(connection, await publish(client, past, lane="backfill"), "BACKFILL")
        await eventually(lambda: count_is(connection, 10))


def _out_of_range() -> bytes:
    bad = batch(seq=2)
    bad.families = [Block("cpu", [1], [Series("", {}, None, [99_999])])]
    return encode_batch(bad)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"garbage", "not a batch"),
        (encoded(seq=2)[:40], "not a batch"),
        (msgspec.msgpack.encode(["web-1", "e1", "metrics", "two", [1], []]), "not a batch"),
        (encoded(host="db-1", seq=2), "in a message on metrics.web-1"),
        (encoded(*(sample(NOW_MS + i) for i in range(20_001)), seq=2), "20001 sample times"),
        (_out_of_range(), "cpu.total"),
    ],
    ids=["garbage", "truncated", "wrong type", "wrong host", "too many samples", "out of range"],
)
async def test_poison_is_parked_with_its_reason_and_its_neighbours_are_kept(
    bus_url: str, database_url: str, data: bytes, reason: str
) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await publish(client, encoded(*ticks(5), seq=1))
        poison = await publish(client, data)
        await reached(connection, await publish(client, encoded(*ticks(5, NOW_MS + 5000), seq=3)))
        assert await connection.fetchval("SELECT count(*) FROM cpu") == 10
        state = (await client.jetstream().stream_info("DEADLETTER")).state
        parked = await client.jetstream().get_msg("DEADLETTER", state.last_seq)
    assert state.messages == 1
    assert parked.data == data
    assert parked.headers is not None
    assert reason in parked.headers["Sonde-Reason"]
    assert parked.headers["Sonde-Sequence"] == str(poison)


async def test_an_oversized_message_never_gets_into_the_stream(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        with pytest.raises(Exception, match="maximum"):
            await publish(client, bytes(300_000))
        await reached(connection, await publish(client, encoded(*ticks(5))))


async def test_an_imaginary_metric_declared_once_arrives_in_its_row(bus_url: str, blank_database_url: str) -> None:
    weather = Family("weather", "Imaginary.", 1, (Metric(1, "rain", "mm", 0.1, "int2", "Rain."),), instance="window")
    catalogue = (*CATALOGUE, weather)
    async with database.connection(blank_database_url, "test") as connection:
        await migrate(connection, await detect(connection), catalogue)
    data = encode_batch(
        build_batch("web-1", "e", "metrics", 1, [instances(NOW_MS, "weather", {"north": {"rain": 42}})], catalogue)
    )
    async with ingesting(bus_url, blank_database_url, catalogue) as (client, connection):
        await reached(connection, await publish(client, data))
        assert await connection.fetchval("SELECT rain FROM weather") == 42
        assert float(await connection.fetchval("SELECT rain FROM metrics_weather")) == pytest.approx(4.2)


async def test_a_second_ingest_stands_by_and_takes_over(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
        async with ingesting(bus_url, database_url):
            await reached(connection, await publish(client, encoded(*ticks(5, NOW_MS + 5000), seq=2)))
            assert await connection.fetchval("SELECT count(*) FROM cpu") == 10


async def test_a_host_deleted_under_ingest_comes_back_with_its_next_batch(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(5), seq=1)))
        await connection.execute("DELETE FROM hosts")
        await reached(connection, await publish(client, encoded(*ticks(5, NOW_MS + 5000), seq=2)))
        assert await connection.fetchval("SELECT count(*) FROM cpu JOIN hosts ON id = host_id") == 5


async def test_a_stream_that_lost_its_tail_is_read_by_time_and_repeats_are_dropped(
    bus_url: str, database_url: str
) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        for seq in (1, 2, 3):
            last = await publish(client, encoded(*ticks(5, NOW_MS + 5000 * seq), seq=seq))
        await reached(connection, last)
    async with bus.connection(bus_url, "test") as client:
        await client.jetstream().delete_stream("METRICS")
        await ensure_streams(client)
        for seq in (2, 3, 4):
            last = await publish(client, encoded(*ticks(5, NOW_MS + 5000 * seq), seq=seq))
    async with ingesting(bus_url, database_url) as (client, connection):
        await eventually(lambda: count_is(connection, 20))
        assert await connection.fetchval("SELECT count(DISTINCT time) FROM cpu") == 20


async def test_a_repeat_by_message_id_is_dropped_by_the_bus_itself(bus_url: str) -> None:
    async with bus.connection(bus_url, "test") as client:
        acks = [
            await client.jetstream().publish("metrics.web-1", encoded(), headers={MESSAGE_ID: "web-1:e:metrics:1"})
            for _ in range(2)
        ]
    assert [bool(ack.duplicate) for ack in acks] == [False, True]


async def test_a_flush_that_is_begun_is_no_success_before_it_is_committed(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, connection):
        await reached(connection, await publish(client, encoded(*ticks(3))))
        async with connection.transaction():
            await connection.execute("LOCK TABLE marks IN ACCESS EXCLUSIVE MODE")
            await publish(client, encoded(*ticks(3, NOW_MS + 3000), seq=2))
            await eventually(lambda: lock_awaited(database_url))
            before = await said(client)

            async def said_a_second_later() -> Heartbeat | None:
                now = await said(client)
                return now if now.time >= before.time + 1000 else None

            later = await eventually(said_a_second_later)
            assert later is not None
            assert later.last_success == before.last_success
