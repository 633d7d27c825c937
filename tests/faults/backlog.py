"""A stream full of known samples, and whether exactly these were stored."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.storage import database
from schemas.codec import build_batch, encode_batch
from tests.faults.fleet import SAMPLES, known_sample
from tests.faults.killing import Service, service
from tests.faults.test_exactly_once import assert_stored_exactly, positions_at
from tests.waiting import eventually

HOSTS = 20


def recent_ms() -> int:
    """A time from which some thousand seconds of samples are within the window."""
    return (int(time.time()) - 4000) * 1000


async def publish_backlog(url: str, start_ms: int, first: int, last: int) -> int:
    """Put batches `first` up to `last` of every host into the stream; the sequence of the last message."""
    async with bus.connection(url, "test") as client:
        await ensure_streams(client)
        jetstream = client.jetstream()
        for number in range(first, last):
            for host in range(HOSTS):
                ticks = range(number * SAMPLES, (number + 1) * SAMPLES)
                samples = [known_sample(host, tick, start_ms) for tick in ticks]
                data = encode_batch(build_batch(f"host-{host}", "e", "metrics", number + 1, samples))
                await client.publish(f"metrics.host-{host}", data)
        await client.flush(30)

        async def arrived() -> int:
            at = (await jetstream.stream_info("METRICS")).state.last_seq
            return at if at >= last * HOSTS else 0

        return await eventually(arrived, 30)


@contextmanager
def ingest(nats_url: str, database_url: str, directory: Path) -> Iterator[Service]:
    """The service as a process of its own."""
    with service("ingest", nats_url, database_url, directory) as running:
        yield running


async def drained(database_url: str, seq: int, within_s: float = 60) -> None:
    """Wait until everything up to message `seq` is committed."""
    await eventually(lambda: positions_at(database_url, "ingest", seq), within_s, 0.1)


async def assert_whole(database_url: str, batches: int, start_ms: int) -> None:
    """Every sample of `batches` batches of every host is stored once, with its values, and its slot awaits roll-up."""
    await assert_stored_exactly(database_url, [batches * SAMPLES] * HOSTS, start_ms)
    async with database.connection(database_url, "test") as connection:
        unmarked = await connection.fetchval(
            "SELECT count(*) FROM cpu c JOIN hosts h ON h.id = c.host_id WHERE NOT EXISTS (SELECT FROM dirty_minutes d "
            "WHERE d.host_id = c.host_id AND d.slot = date_bin('10 min', c.time, '1970-01-01Z'))"
        )
    assert unmarked == 0


def resident_mib(running: Service) -> float:
    """Memory that the service's process uses now."""
    return float(psutil.Process(running.process.pid).memory_info().rss) / 2**20
