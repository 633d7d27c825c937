"""The retention service: a run at start, every hour, and when the setting changes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from nats.aio.client import Client

from infra.backoff import Backoff
from infra.bus import ConnectionLost, keep_connected
from infra.database import TRANSIENT, connection
from infra.settings import ServerSettings
from schemas.catalogue import CATALOGUE, Family
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.retention.job import prune

logger = logging.getLogger(__name__)

EVERY_S = 3600.0


async def run(settings: ServerSettings, stop: asyncio.Event, catalogue: Sequence[Family] = CATALOGUE) -> None:
    """Prune until `stop` is set, which also cuts off a run under way; see `prune`."""
    changed = asyncio.Event()

    async def listen(client: Client) -> None:
        subscription = await client.subscribe(SETTINGS_CHANGED)
        async for message in subscription.messages:
            if changed_key(message.data) == "raw_days":
                changed.set()
        raise ConnectionLost

    async with asyncio.TaskGroup() as group:
        listener = group.create_task(keep_connected(settings.nats_url, "retention", listen))
        worker = group.create_task(_prune_for_ever(settings.database_url, catalogue, changed))
        await stop.wait()
        listener.cancel()
        worker.cancel()


async def _prune_for_ever(database_url: str, catalogue: Sequence[Family], changed: asyncio.Event) -> None:
    backoff = Backoff(0.5, 60)
    while True:
        changed.clear()
        try:
            async with connection(database_url, "retention") as database:
                await prune(database, catalogue, datetime.now(UTC))
            backoff.reset()
            wait_s = EVERY_S
        except TRANSIENT as error:
            wait_s = backoff.next_s()
            logger.warning("interrupted, trying again", extra={"error": f"{type(error).__name__}: {error}"[:300]})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await changed.wait()


def changed_key(data: bytes) -> str:
    """The key in a `settings.changed` message; empty when it is none."""
    try:
        return msgspec.json.decode(data, type=SettingChanged).key
    except msgspec.MsgspecError:
        logger.warning("not a settings change", extra={"data": data[:100]})
        return ""
