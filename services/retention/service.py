"""The retention service: roll-ups all the time, and a pruning at start, every hour, and when a setting changes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec
from msgspec.structs import fields
from nats.aio.client import Client

from infra.backoff import Backoff
from infra.bus import ConnectionLost, keep_connected
from infra.database import TRANSIENT, become_the_one, connection
from infra.engine import detect
from infra.settings import ServerSettings
from schemas.catalogue import CATALOGUE, Family
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.retention import sql
from services.retention.job import prune
from services.retention.policy import Kept
from services.retention.rollup import roll_up

logger = logging.getLogger(__name__)

PRUNE_EVERY_S = 3600.0
ROLL_UP_EVERY_S = 30.0
SETTINGS = frozenset(field.name for field in fields(Kept)) | {"disk_free_percent", "database_gib"}
"""Those that a pruning follows."""
TRANSIENT_HERE: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.ForeignKeyViolationError)
"""The last is of a host deleted under our feet."""


async def run(settings: ServerSettings, stop: asyncio.Event, catalogue: Sequence[Family] = CATALOGUE) -> None:
    """Roll up and prune until `stop` is set, which also cuts off what is under way; one process at a time does."""
    changed = asyncio.Event()

    async def listen(client: Client) -> None:
        subscription = await client.subscribe(SETTINGS_CHANGED)
        async for message in subscription.messages:
            if changed_key(message.data) in SETTINGS:
                changed.set()
        raise ConnectionLost

    async with asyncio.TaskGroup() as group:
        listener = group.create_task(keep_connected(settings.nats_url, "retention", listen))
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
                while True:
                    changed.clear()
                    await prune(database, catalogue, datetime.now(UTC))
                    pruned = time.monotonic()
                    while not changed.is_set() and time.monotonic() - pruned < PRUNE_EVERY_S:
                        await roll_up(database, engine, catalogue, datetime.now(UTC))
                        backoff.reset()
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(ROLL_UP_EVERY_S):
                                await changed.wait()
        except TRANSIENT_HERE as error:
            logger.warning("interrupted, trying again", extra={"error": f"{type(error).__name__}: {error}"[:300]})
            await asyncio.sleep(backoff.next_s())


def changed_key(data: bytes) -> str:
    """The key in a `settings.changed` message; empty when it is none."""
    try:
        return msgspec.json.decode(data, type=SettingChanged).key
    except msgspec.MsgspecError:
        logger.warning("not a settings change", extra={"data": data[:100]})
        return ""
