"""Host events on the bus: facts at start, on reconnect and on change, and batches lost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec
from nats.aio.client import Client

from agent.publisher import publish_until_stored
from agent.spool import Spool
from agent.status import Status
from schemas import subjects
from schemas.messages import CONTENT_TYPE, JSON_TYPE, MESSAGE_ID, HostEvent, HostFacts

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
FACTS_EVERY = 6
"""Facts are gathered at every so many looks."""

_encoder = msgspec.json.Encoder()


async def publish_events(
    client: Client,
    host: str,
    spool: Spool,
    status: Status,
    facts: Callable[[], HostFacts],
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Tell what is new, as long as the connection lives. A fresh connection tells the facts in any case."""
    before = status.reconnects
    told: tuple[int, HostFacts] | None = None
    dropped = spool.backlog.dropped + status.lost_batches
    look = 0
    while True:
        status.reconnects = before + int(client.stats["reconnects"])
        if told is None or told[0] != status.reconnects or look % FACTS_EVERY == 0:
            try:
                now = (status.reconnects, facts())
            except Exception as error:  # what the host is must not cost what it does
                logger.warning("host facts could not be gathered", extra={"error": f"{error!r}"})
                now = told or (status.reconnects, HostFacts())
            if now != told:
                await _publish(client, spool, HostEvent(host, time.time(), "facts", facts=now[1]))
                told = now
        lost = spool.backlog.dropped + status.lost_batches
        if lost > dropped:
            await _publish(client, spool, HostEvent(host, time.time(), "dropped", dropped=lost))
            dropped = lost
        look += 1
        await asyncio.sleep(look_every_s)


async def _publish(client: Client, spool: Spool, event: HostEvent) -> None:
    headers = {
        MESSAGE_ID: f"{event.host}:{spool.epoch}:{event.kind}:{event.time}",
        CONTENT_TYPE: JSON_TYPE,
    }
    await publish_until_stored(client, subjects.events(event.host), _encoder.encode(event), headers)
