"""The ingest service: METRICS first, BACKFILL with what capacity is left, one process at work at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime

import asyncpg
from nats.aio.client import Client

from infra.bus import keep_connected
from infra.database import TRANSIENT, Connection, become_the_one, connection
from infra.engine import Engine, detect
from infra.ordered import OrderedPull, StoredMessage, ordered
from infra.positions import load_position
from infra.settings import ServerSettings
from schemas.catalogue import CATALOGUE, Family
from schemas.subjects import BACKFILL, METRICS, Stream
from services.ingest import sql
from services.ingest.consume import park, prepare
from services.ingest.flush import CONSUMER, Known, commit, load_known
from services.ingest.purge import purge_when_full

logger = logging.getLogger(__name__)

FLUSH_MESSAGES = 400
"""Most messages of one transaction."""
LINGER_S = 0.1
"""How long a small flush waits for company."""
WAIT_S = 0.25
PURGE_EVERY_S = 30.0
LANES: tuple[tuple[Stream, str], ...] = ((METRICS, "metrics"), (BACKFILL, "backfill"))


async def run(settings: ServerSettings, stop: asyncio.Event, catalogue: tuple[Family, ...] = CATALOGUE) -> None:
    """Ingest until `stop` is set; the flush in hand is finished first."""

    async def work(client: Client) -> None:
        async with connection(settings.database_url, CONSUMER) as database:
            await become_the_one(database, "sonde ingest", stop)
            if not stop.is_set():
                engine = await detect(database)
                await _consume(client, database, engine, catalogue, stop)

    # A host deleted under our feet leaves stale ids behind: begin anew, like after a lost connection.
    transient: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.ForeignKeyViolationError)
    await keep_connected(settings.nats_url, CONSUMER, work, stop=stop, transient=transient)


async def _consume(
    client: Client, database: Connection, engine: Engine, catalogue: tuple[Family, ...], stop: asyncio.Event
) -> None:
    known = await load_known(database)
    async with contextlib.AsyncExitStack() as stack:
        pulls: list[tuple[Stream, str, OrderedPull]] = []
        for stream, lane in LANES:
            position = await load_position(database, CONSUMER, stream.name)
            pulls.append((stream, lane, await stack.enter_async_context(ordered(client, stream.name, position))))
        purged = time.monotonic()
        while not stop.is_set():
            for stream, lane, pull in pulls:
                messages = await _some(pull, WAIT_S if stream is METRICS else 0)
                for start in range(0, len(messages), FLUSH_MESSAGES):
                    part = messages[start : start + FLUSH_MESSAGES]
                    await _flush(client, database, engine, catalogue, (stream.name, lane), part, known)
                if len(messages) >= FLUSH_MESSAGES:
                    break  # behind: the past waits until the present is written
            if time.monotonic() - purged > PURGE_EVERY_S:
                await purge_when_full(client, database)
                known.raw_days = await database.fetchval(sql.RAW_DAYS) or 7
                purged = time.monotonic()


async def _some(pull: OrderedPull, wait_s: float) -> list[StoredMessage]:
    """Messages at hand; a few wait a little for more, so that a fleet does not become as many transactions."""
    messages = await pull.next(wait_s)
    if messages and len(messages) < FLUSH_MESSAGES and messages[-1].seq >= pull.last_seq:
        await asyncio.sleep(LINGER_S)
        messages += await pull.next(0)
    return messages


async def _flush(
    client: Client,
    database: Connection,
    engine: Engine,
    catalogue: tuple[Family, ...],
    source: tuple[str, str],
    messages: list[StoredMessage],
    known: Known,
) -> None:
    """Park what is poison in `messages` of `source` (stream, lane), commit the rest, and say so in one line."""
    started = time.perf_counter()
    prepared = await asyncio.to_thread(prepare, *source, messages, known.marks, catalogue)
    await park(client, prepared.flush.stream, prepared.parked)
    rows = await commit(database, engine, catalogue, prepared.flush, known, datetime.now(UTC))
    logger.info(
        "flushed",
        extra={
            "stream": prepared.flush.stream,
            "messages": len(messages),
            "rows": rows,
            "parked": len(prepared.parked),
            "repeats": prepared.repeats,
            "position": prepared.flush.position.seq,
            "ms": round((time.perf_counter() - started) * 1000, 1),
        },
    )
