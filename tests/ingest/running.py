"""The ingest service at work in a test, and what to ask of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec
from nats.aio.client import Client

from infra.bus import connection as bus
from infra.settings import ServerSettings
from infra.storage import database
from schemas.catalogue import CATALOGUE, Family
from schemas.codec import Sample
from schemas.health import Heartbeat
from schemas.subjects import ask_health
from services.ingest import service
from tests.batches import sample
from tests.waiting import eventually

NOW_MS = int(time.time()) // 10 * 10_000 - 60_000


@asynccontextmanager
async def ingesting(
    bus_url: str,
    database_url: str,
    catalogue: tuple[Family, ...] = CATALOGUE,
    clock: Callable[[], datetime] = service.utc_now,
) -> AsyncIterator[tuple[Client, database.Connection]]:
    """The service at work; a connection to each of its servers."""
    stop = asyncio.Event()
    settings = ServerSettings(nats_url=bus_url, database_url=database_url)
    async with (
        bus.connection(bus_url, "test") as client,
        database.connection(database_url, "test") as connection,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(service.run(settings, stop, catalogue, clock))
        try:
            yield client, connection
        finally:
            stop.set()


async def publish(client: Client, data: bytes, host: str = "web-1", lane: str = "metrics") -> int:
    """The stream sequence under which the bus keeps `data`."""
    ack = await client.jetstream().publish(f"{lane}.{host}", data)
    return int(ack.seq)


async def reached(connection: database.Connection, seq: int, stream: str = "METRICS") -> None:
    """Wait until ingest's position is at least `seq`."""

    async def there() -> bool:
        at = await connection.fetchval("SELECT seq FROM positions WHERE consumer = 'ingest' AND stream = $1", stream)
        return at is not None and at >= seq

    await eventually(there)


async def said(client: Client) -> Heartbeat:
    """What ingest says of itself."""
    answer = await client.request(ask_health("ingest"), timeout=40)
    return msgspec.json.decode(answer.data, type=Heartbeat)


def ticks(count: int, start_ms: int = NOW_MS) -> list[Sample]:
    return [sample(start_ms + 1000 * i, total=100 + i, user=None if i % 3 else i) for i in range(count)]


async def count_is(connection: database.Connection, count: int) -> bool:
    return bool(await connection.fetchval("SELECT count(*) FROM cpu") == count)
