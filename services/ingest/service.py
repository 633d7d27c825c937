"""The ingest service: METRICS first, BACKFILL with what capacity is left, one process at work at a time."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import asyncpg
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.bus.access import service_access
from infra.bus.connection import first_fault, keep_connected
from infra.bus.heartbeat import Pulse, beating, watched
from infra.bus.lag import StreamLag
from infra.bus.ordered import OrderedPull, StoredMessage, ordered
from infra.settings import ServerSettings
from infra.storage.database import TRANSIENT, StaleIds, become_the_one, connection
from infra.storage.engine import detect, tables_of
from infra.storage.positions import load_position
from schemas.catalogue import CATALOGUE, Family
from schemas.subjects import BACKFILL, METRICS, SETTINGS_CHANGED, Stream
from services.ingest.known import CONSUMER, load_known, load_raw_days
from services.ingest.pipeline import Pipeline, Tools
from services.ingest.progress import Progress
from services.ingest.purge import purge_when_full
from services.ingest.turns import LaneBlocked, Turns

logger = logging.getLogger(__name__)

BEHIND_MESSAGES = 400
"""When so many are at hand at once, we are behind."""
LINGER_S = 0.1
"""How long a small flush waits for company."""
WAIT_S = 0.25
PURGE_EVERY_S = 30.0
LANES: tuple[tuple[Stream, str], ...] = ((METRICS, "metrics"), (BACKFILL, "backfill"))


def utc_now() -> datetime:
    return datetime.now(UTC)


async def run(
    settings: ServerSettings,
    stop: asyncio.Event,
    catalogue: tuple[Family, ...] = CATALOGUE,
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Ingest until `stop` is set; the flushes in hand are finished first. `clock` tells what is too old or ahead."""
    turns = Turns()
    pulse = Pulse("ingest")
    progress = Progress(pulse)

    async def work(client: Client) -> None:
        changed = asyncio.Event()

        async def on_change(_: Msg) -> None:
            changed.set()

        await client.subscribe(SETTINGS_CHANGED, cb=on_change)
        async with connection(settings.database_url, CONSUMER) as database:
            pulse.standby = True
            await become_the_one(database, "sonde ingest", stop)
            pulse.standby = False
            tables = tables_of(catalogue, "raw")
            tools = Tools(client, database, await detect(database), catalogue, tables, clock, turns, progress)
            while not stop.is_set():
                try:
                    await _consume(tools, stop, changed)
                except (LaneBlocked, StaleIds) as reason:
                    # Without `pulse.failed`: nothing is broken, and what was read is read again right away.
                    logger.info("session restarted", extra={"reason": f"{type(reason).__name__}: {reason}"})

    _tune_interpreter()
    # A host deleted under our feet leaves stale ids behind: begin anew, like after a lost connection.
    transient: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.ForeignKeyViolationError)
    access = service_access(settings)
    async with beating(settings.nats_url, access, pulse, progress.work):
        await keep_connected(
            settings.nats_url, CONSUMER, watched(pulse, work), stop=stop, transient=transient, access=access
        )


def _tune_interpreter() -> None:
    """For two threads that share the interpreter: one decodes the next flush, one feeds the database with this one."""
    # Decoding makes many small objects that all die young: no cycles to look for among those of one flush.
    gc.set_threshold(150_000, 20, 50)
    # How long the event loop waits for the interpreter while the other thread decodes; 5 ms unless told otherwise.
    sys.setswitchinterval(0.0005)


async def _consume(tools: Tools, stop: asyncio.Event, changed: asyncio.Event) -> None:
    known = await load_known(tools.database)
    async with contextlib.AsyncExitStack() as pulls:
        try:
            async with asyncio.TaskGroup() as group:
                await _feed(Pipeline(tools, known, group), tools, pulls, stop, changed)
        except BaseExceptionGroup as faults:
            raise first_fault(faults) from None


async def _feed(
    line: Pipeline, tools: Tools, pulls: contextlib.AsyncExitStack, stop: asyncio.Event, changed: asyncio.Event
) -> None:
    held: dict[str, list[StoredMessage]] = {stream.name: [] for stream, _ in LANES}
    opened: dict[str, OrderedPull] = {}
    behind = False
    purged = time.monotonic()
    while not stop.is_set():
        wait_s, behind = (0 if behind else WAIT_S), False
        for stream, lane in LANES:
            if not tools.turns.has(stream.name):
                continue
            if stream.name not in opened:
                await line.written()
                position = await load_position(tools.database, CONSUMER, stream.name)
                pull = ordered(tools.client, stream.name, position)
                opened[stream.name] = await pulls.enter_async_context(pull)
                tools.progress.lanes[stream.name] = StreamLag(position, opened[stream.name].last_seq)
            messages = held[stream.name]
            if len(messages) < BEHIND_MESSAGES:
                messages += await _some(opened[stream.name], wait_s if stream is METRICS else 0)
                tools.progress.lanes[stream.name].received(messages, opened[stream.name].last_seq)
            behind = behind or len(messages) >= BEHIND_MESSAGES
            if messages:
                del messages[: await line.flush(stream.name, lane, messages)]
            if behind:
                break  # the past waits until the present is written
        behind = behind or any(held.values())
        line.turn_done(behind)
        if time.monotonic() - purged > PURGE_EVERY_S:
            await line.written()
            await purge_when_full(tools.client, tools.database)
            changed.set()  # an announcement may have been missed
            purged = time.monotonic()
        if changed.is_set():
            changed.clear()
            await line.written()
            line.known.raw_days = await load_raw_days(tools.database, line.known.raw_days)


async def _some(pull: OrderedPull, wait_s: float) -> list[StoredMessage]:
    """Messages at hand; a few wait a little for more, so that a fleet does not become as many transactions."""
    messages = await pull.next(wait_s)
    if messages and len(messages) < BEHIND_MESSAGES and messages[-1].seq >= pull.last_seq:
        await asyncio.sleep(LINGER_S)
        messages += await pull.next(0)
    return messages
