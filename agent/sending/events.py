"""Host events on the bus: facts at start, on reconnect and on change, settings refused, batches lost, and for viewers
the processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

import msgspec
from nats.aio.client import Client

from agent.sending.live import LiveFeed
from agent.sending.publisher import publish_until_stored
from agent.spool.spool import Spool
from agent.system.state import AgentState
from infra.bus.connection import BUS_TRANSIENT
from schemas import subjects
from schemas.messages import CONTENT_TYPE, JSON_TYPE, MESSAGE_ID, HostEvent, HostFacts, TopProcesses

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
FACTS_EVERY = 6
"""Facts are gathered at every so many looks."""

_encoder = msgspec.json.Encoder()


async def publish_events(
    client: Client,
    host: str,
    spool: Spool,
    status: AgentState,
    facts: Callable[[], HostFacts],
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Tell what is new, as long as the connection lives. A fresh connection tells the facts in any case."""
    before = status.reconnects
    told: tuple[int, HostFacts] | None = None
    look = 0
    while True:
        status.reconnects = before + int(client.stats["reconnects"])
        if told is None or told[0] != status.reconnects or look % FACTS_EVERY == 0 or status.news.is_set():
            status.news.clear()
            try:
                now = (status.reconnects, facts())
            except Exception as error:  # what the host is must not cost what it does
                logger.warning("host facts not collected", extra={"error": f"{error!r}"})
                now = told or (status.reconnects, HostFacts())
            if now != told:
                await _publish(client, spool, HostEvent(host, time.time(), "facts", facts=now[1]))
                told = now
        refused = status.config_error
        if refused != status.told_config_error:
            if refused:
                await _publish(client, spool, HostEvent(host, time.time(), "config", config_error=refused))
            status.told_config_error = refused
        lost = spool.backlog.dropped + status.lost_batches
        if lost > status.told_dropped:
            await _publish(client, spool, HostEvent(host, time.time(), "dropped", dropped=lost))
            status.told_dropped = lost
        look += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(look_every_s):
                await status.news.wait()


async def publish_top(
    client: Client, host: str, spool: Spool, status: AgentState, feed: LiveFeed, look_every_s: float = 1.0
) -> None:
    """Tell which processes use most, as long as the connection lives: after each walk while somebody looks here.

    What is not sent is not sent again: the next walk tells more.
    """
    told: TopProcesses | None = None
    while True:
        await feed.until_named()
        top = status.top
        if top is not None and top is not told and client.is_connected:
            event = HostEvent(host, time.time(), "processes", processes=top)
            try:
                await client.publish(subjects.events(host), _encoder.encode(event), headers=_headers(spool, event))
            except BUS_TRANSIENT as error:
                logger.debug("processes not sent", extra={"error": str(error)})
            told = top
        await asyncio.sleep(look_every_s)


async def _publish(client: Client, spool: Spool, event: HostEvent) -> None:
    await publish_until_stored(client, subjects.events(event.host), _encoder.encode(event), _headers(spool, event))


def _headers(spool: Spool, event: HostEvent) -> dict[str, str]:
    return {MESSAGE_ID: f"{event.host}:{spool.epoch}:{event.kind}:{event.time}", CONTENT_TYPE: JSON_TYPE}
