"""Hosts that are removed while ingest works, and what the bus still has of them."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from infra.bus import connection as bus
from infra.bus.ordered import Position, ordered
from infra.storage.database import Connection, connection
from infra.storage.positions import EPOCHS_KEPT
from schemas.subjects import METRICS
from services.ingest import purge as ingest_purge
from tests.batches import encoded
from tests.ingest.running import NOW_MS, ingesting, publish, reached, said, ticks
from tests.removing import enrol_again, remove, remove_and_purge
from tests.waiting import eventually


async def rows_of(database: Connection, name: str) -> int:
    number: int = await database.fetchval("SELECT count(*) FROM cpu JOIN hosts ON id = host_id WHERE name = $1", name)
    return number


async def names(database: Connection) -> set[str]:
    return {row["name"] for row in await database.fetch("SELECT name FROM hosts WHERE state <> 'removing'")}


async def test_what_a_removed_host_still_sends_makes_nobody_anew(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, database):
        await reached(database, await publish(client, encoded(*ticks(3))))
        await remove(client, database, "web-1")
        await publish(client, encoded(*ticks(3, NOW_MS + 3000), seq=2))
        await reached(database, await publish(client, encoded(*ticks(3), host="web-2"), host="web-2"))
        assert await names(database) == {"web-2"}


async def test_removals_are_no_failures(bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with ingesting(bus_url, database_url) as (client, database):
        for number in range(3):
            name = f"web-{number}"
            await reached(database, await publish(client, encoded(*ticks(3), host=name), host=name))
            await remove(client, database, name)
            await reached(database, await publish(client, encoded(*ticks(3), host="db-1", seq=number + 1), host="db-1"))
        assert "session restarted" in caplog.messages
        assert (await said(client)).errors == 0


async def test_messages_left_in_the_stream_make_nobody_anew(bus_url: str, database_url: str) -> None:
    async with bus.connection(bus_url, "test") as client, connection(database_url, "test") as database:
        await enrol_again(database, "web-1")
        await publish(client, encoded(*ticks(3)))
        await remove(client, database, "web-1")
    async with ingesting(bus_url, database_url) as (client, database):
        await reached(database, await publish(client, encoded(*ticks(3), host="web-2"), host="web-2"))
        assert await names(database) == {"web-2"}


async def test_enrolled_again_only_what_it_sends_from_then_on_counts(bus_url: str, database_url: str) -> None:
    async with bus.connection(bus_url, "test") as client, connection(database_url, "test") as database:
        await enrol_again(database, "web-1")
        await publish(client, encoded(*ticks(3)))
        await remove(client, database, "web-1")
        await enrol_again(database, "web-1")
        await publish(client, encoded(*ticks(4, NOW_MS + 3000), seq=2))
    async with ingesting(bus_url, database_url) as (client, database):
        await reached(database, 2)
        assert await rows_of(database, "web-1") == 4


async def test_an_enrolment_under_the_eyes_of_ingest_is_seen_with_the_first_sample(
    bus_url: str, database_url: str
) -> None:
    async with ingesting(bus_url, database_url) as (client, database):
        await reached(database, await publish(client, encoded(*ticks(3))))
        await remove(client, database, "web-1")
        await reached(database, await publish(client, encoded(*ticks(3, NOW_MS + 3000), seq=2)))
        await enrol_again(database, "web-1")
        await reached(database, await publish(client, encoded(*ticks(4, NOW_MS + 6000), seq=3)))
        assert await rows_of(database, "web-1") == 4


async def test_of_an_archived_host_what_came_before_is_stored_and_nothing_later(
    bus_url: str, database_url: str
) -> None:
    async with bus.connection(bus_url, "test") as client, connection(database_url, "test") as database:
        await enrol_again(database, "web-1")
        await publish(client, encoded(*ticks(3)))
        await remove(client, database, "web-1", keep_history=True)
        await publish(client, encoded(*ticks(3, NOW_MS + 3000), seq=2))
    async with ingesting(bus_url, database_url) as (_, database):
        await reached(database, 2)
        assert await rows_of(database, "web-1") == 3


async def test_a_flush_that_was_under_way_during_the_removal_leaves_no_row(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, database):
        await reached(database, await publish(client, encoded(*ticks(3))))

        async def publish_on() -> None:
            for seq in range(2, 10_000):
                await publish(client, encoded(*ticks(3, NOW_MS + 3000 * (seq % 20)), seq=seq))

        publishing = asyncio.create_task(publish_on())
        departed = await remove(client, database, "web-1")
        stored = await database.fetchval("SELECT count(*) FROM cpu WHERE host_id = $1", departed.host_id)
        await asyncio.wait([publishing], timeout=0.5)
        publishing.cancel()
        await asyncio.wait([publishing])
        await reached(database, await publish(client, encoded(*ticks(1), host="web-2"), host="web-2"))
        assert await database.fetchval("SELECT count(*) FROM cpu WHERE host_id = $1", departed.host_id) == stored


async def test_a_purge_of_one_host_breaks_no_reader(bus_url: str, database_url: str) -> None:
    async with bus.connection(bus_url, "test") as client, connection(database_url, "test") as database:
        await enrol_again(database, "web-1")
        for seq in range(1, 51):
            await publish(client, encoded(*ticks(1), seq=seq))
            await publish(client, encoded(*ticks(1), host="web-2", seq=seq), host="web-2")
        async with ordered(client, METRICS.name, Position()) as pull:
            got = [message.subject for message in await pull.next(5)]
            await remove_and_purge(client, database, "web-1")
            last = await publish(client, encoded(*ticks(1), host="web-2", seq=51), host="web-2")
            while True:
                messages = await pull.next(5)
                got += [message.subject for message in messages]
                if not messages or messages[-1].seq == last:
                    break
        assert got.count("metrics.web-2") == 51
        left = (await client.jetstream().stream_info(METRICS.name, subjects_filter=">")).state
        assert left.subjects == {"metrics.web-2": 51}


async def test_a_purge_leaves_the_end_of_the_stream_where_consumers_look_for_it(
    bus_url: str, database_url: str
) -> None:
    async with bus.connection(bus_url, "test") as client, connection(database_url, "test") as database:
        await enrol_again(database, "web-1")
        for seq in range(1, 6):
            last = await publish(client, encoded(*ticks(1), seq=seq))
        await remove_and_purge(client, database, "web-1")
    async with ingesting(bus_url, database_url) as (_, database):
        await reached(database, last)


async def test_a_full_stream_is_purged_also_where_a_removed_host_left_holes(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_purge, "FULL_SHARE", 0.0)
    monkeypatch.setattr(ingest_purge, "REPLAY_MARGIN", timedelta(0))
    async with bus.connection(bus_url, "test") as client, connection(database_url, "test") as database:
        await enrol_again(database, "web-1")
        for host in ("web-2", "web-1", "web-1", "web-1", "web-2"):
            last = await publish(client, encoded(*ticks(1), host=host), host=host)
        await remove_and_purge(client, database, "web-1")
        await database.execute("INSERT INTO positions VALUES ('ingest', 'METRICS', $1, 0)", last)
        await ingest_purge.purge_when_full(client, database)
        assert (await client.jetstream().stream_info(METRICS.name)).state.first_seq == last


async def test_an_epoch_for_every_batch_grows_neither_table_nor_memory(bus_url: str, database_url: str) -> None:
    async with ingesting(bus_url, database_url) as (client, database):
        for number in range(3 * EPOCHS_KEPT):
            last = await publish(client, encoded(*ticks(1, NOW_MS + 1000 * number), epoch=f"e{number}"))
            if number % EPOCHS_KEPT == 0:
                await reached(database, last)
        await reached(database, last)
        epochs = {row["epoch"] for row in await database.fetch("SELECT epoch FROM marks WHERE consumer = 'ingest'")}
        assert epochs == {f"e{number}" for number in range(2 * EPOCHS_KEPT, 3 * EPOCHS_KEPT)}
        assert await rows_of(database, "web-1") == 3 * EPOCHS_KEPT
        repeat = encoded(*ticks(1, NOW_MS), epoch=f"e{3 * EPOCHS_KEPT - 1}")
        await reached(database, await publish(client, repeat))
        assert await rows_of(database, "web-1") == 3 * EPOCHS_KEPT


async def test_marks_that_an_older_version_kept_are_forgotten_at_the_start(bus_url: str, database_url: str) -> None:
    async with connection(database_url, "test") as database:
        number = await enrol_again(database, "web-1")
        await database.execute(
            "INSERT INTO marks SELECT 'ingest', $1, 'metrics', 'e' || n, 1, now() - n * interval '1 hour' "
            "FROM generate_series(1, 200) AS n",
            number,
        )
    async with ingesting(bus_url, database_url) as (_, database):

        async def few() -> bool:
            return bool(await database.fetchval("SELECT count(*) FROM marks") == EPOCHS_KEPT)

        await eventually(few)
        assert await database.fetchval("SELECT min(seen) > now() - interval '17 hours' FROM marks")
