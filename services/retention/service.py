"""The retention service: roll-ups all the time, and a pruning at start, every hour, and when a setting changes.

Beside that, on a connection of its own, cold parts are compressed after each pruning, one at a time: a large one takes
many minutes, in which roll-ups go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec
from nats.aio.client import Client

from infra.bus.access import service_access
from infra.bus.backoff import Backoff
from infra.bus.connection import ConnectionLost, first_fault, keep_connected
from infra.settings import ServerSettings
from infra.storage.database import TRANSIENT, Connection, become_the_one, connection
from infra.storage.engine import Engine, detect
from schemas.catalogue import CATALOGUE, Family
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.retention import sql
from services.retention.compress import compress
from services.retention.job import moment, prune
from services.retention.policy import OWN, InvalidSetting
from services.retention.rollup import roll_up

logger = logging.getLogger(__name__)

PRUNE_EVERY_S = 3600.0
ROLL_UP_EVERY_S = 30.0
TRANSIENT_HERE: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.ForeignKeyViolationError)
"""The last is of a host deleted under our feet."""


async def run(settings: ServerSettings, stop: asyncio.Event, catalogue: Sequence[Family] = CATALOGUE) -> None:
    """Roll up and prune until `stop` is set, which also cuts off what is under way; one process at a time does."""
    changed = asyncio.Event()

    async def listen(client: Client) -> None:
        subscription = await client.subscribe(SETTINGS_CHANGED)
        async for message in subscription.messages:
            if changed_key(message.data) in OWN:
                changed.set()
        raise ConnectionLost

    async with asyncio.TaskGroup() as group:
        listener = group.create_task(
            keep_connected(settings.nats_url, "retention", listen, access=service_access(settings))
        )
        worker = group.create_task(_work_for_ever(settings.database_url, catalogue, changed, stop))
        await stop.wait()
        listener.cancel()
        worker.cancel()


async def _work_for_ever(
    database_url: str, catalogue: Sequence[Family], changed: asyncio.Event, stop: asyncio.Event
) -> None:
    backoff = Backoff(0.5, 60)
    while True:
        try:
            async with connection(database_url, "retention") as database:
                await become_the_one(database, sql.LOCK, stop)
                engine = await detect(database, catalogue)
                pruned = asyncio.Event()
                async with asyncio.TaskGroup() as group:
                    group.create_task(_compress_for_ever(database_url, engine, catalogue, pruned))
                    await _roll_up_for_ever(database, engine, catalogue, changed, pruned, backoff)
        except* TRANSIENT_HERE as faults:
            error = first_fault(faults)
            logger.warning("interrupted, will retry", extra={"error": f"{type(error).__name__}: {error}"[:300]})
        await asyncio.sleep(backoff.next_s())


async def _roll_up_for_ever(
    database: Connection,
    engine: Engine,
    catalogue: Sequence[Family],
    changed: asyncio.Event,
    pruned: asyncio.Event,
    backoff: Backoff,
) -> None:
    """Roll up, and prune when it is time to; `pruned` says so to who compresses."""
    due = 0.0
    while True:
        if changed.is_set():
            changed.clear()
            due = 0.0
        try:
            if time.monotonic() >= due:
                await _prune(database, catalogue)
                due = time.monotonic() + PRUNE_EVERY_S
                pruned.set()
            await roll_up(database, engine, catalogue, datetime.now(UTC))
            backoff.reset()
        except asyncpg.LockNotAvailableError as error:  # such as of a part that is being compressed: let it end
            logger.warning("pruning waits for locked tables, will retry", extra={"error": str(error)})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROLL_UP_EVERY_S):
                await changed.wait()


async def _prune(database: Connection, catalogue: Sequence[Family]) -> None:
    try:
        await prune(database, catalogue, datetime.now(UTC), columnar=False)
    except InvalidSetting as error:
        logger.error("invalid setting, pruning paused", extra={"error": str(error)})


async def _compress_for_ever(
    database_url: str, engine: Engine, catalogue: Sequence[Family], pruned: asyncio.Event
) -> None:
    """Compress what is cold after each pruning. What fails is tried again, and disturbs nobody."""
    backoff = Backoff(5, 600)
    while engine.name != "native":
        await pruned.wait()
        pruned.clear()
        try:
            async with connection(database_url, "retention compressing") as database:
                await compress(database, engine, catalogue, await moment(database, datetime.now(UTC)))
                backoff.reset()
        except TRANSIENT_HERE as error:
            logger.warning("compression failed, will retry", extra={"error": f"{type(error).__name__}: {error}"[:300]})
            await asyncio.sleep(backoff.next_s())
            pruned.set()


def changed_key(data: bytes) -> str:
    """The key in a `settings.changed` message; empty when it is none."""
    try:
        return msgspec.json.decode(data, type=SettingChanged).key
    except msgspec.MsgspecError:
        logger.warning("invalid settings change ignored", extra={"data": data[:100]})
        return ""
