"""Sends the spool's batches to JetStream: two lanes, each strictly in order with one message in flight."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

import nats.errors
import nats.js.errors
from nats.aio.client import Client

from agent.sending.batching import merge
from agent.sending.lanes import Lanes
from agent.spool.spool import Message
from infra.bus.backoff import Backoff
from infra.bus.connection import BUS_TRANSIENT
from schemas import subjects
from schemas.messages import BATCH_TYPE, BATCH_VERSION, CONTENT_TYPE, MESSAGE_ID, SCHEMA_VERSION, Lane

logger = logging.getLogger(__name__)

ACK_WITHIN_S = 5.0
_TOO_LARGE = 10054
"""JetStream's error code for a message above the stream's `max_msg_size`."""
_ORDINARY_BYTES = 2**18
"""A server that refuses smaller messages is set up wrong; no server of ours takes much larger ones."""


async def send_present(client: Client, lanes: Lanes) -> None:
    """The metrics lane, as long as the connection lives."""
    message = await lanes.disk.run(lanes.spool.next_present)
    while True:
        if lanes.spool.has_backfill:
            lanes.backfill_due.set()
        if message is not None:
            stored = await deliver(client, lanes, "metrics", subjects.metrics(lanes.host), message)
            message = await lanes.disk.run(lanes.spool.advance_present, message.seq, stored)
            continue
        if not lanes.present_due.is_set():
            lanes.drained.set()
        await lanes.present_due.wait()
        lanes.present_due.clear()
        message = await lanes.disk.run(lanes.spool.next_present)


async def send_backfill(client: Client, lanes: Lanes) -> None:
    """The backfill lane, as long as the connection lives. Rests between messages, longer when the bus is slow."""
    backoff = Backoff(1, 60)
    while True:
        lanes.backfill_due.clear()
        if not lanes.spool.has_backfill:
            await lanes.backfill_due.wait()
        await asyncio.sleep(lanes.pace_s * random.uniform(0.5, 1.5))
        try:
            message = await lanes.disk.run(lanes.spool.next_backfill, merge)
        except OSError as error:
            logger.warning("backfill paused, spool not readable", extra={"error": str(error)})
            await asyncio.sleep(backoff.next_s())
            continue
        backoff.reset()
        if message is None:
            continue
        began = time.monotonic()
        stored = await deliver(client, lanes, "backfill", subjects.backfill(lanes.host), message)
        took_s = time.monotonic() - began
        await lanes.disk.run(lanes.spool.settle_backfill, stored)
        await asyncio.sleep(min(60.0, 4 * took_s))


async def deliver(client: Client, lanes: Lanes, lane: Lane, subject: str, message: Message) -> bool:
    """Publish until the stream has acknowledged; every try under the same id. False when the bus will never take it."""
    headers = {
        MESSAGE_ID: f"{lanes.host}:{message.epoch}:{lane}:{message.seq}",
        CONTENT_TYPE: BATCH_TYPE,
        SCHEMA_VERSION: BATCH_VERSION,
    }
    round_trip_ms = await publish_until_stored(client, subject, message.payload, headers)
    if round_trip_ms is None:
        logger.error(
            "batch dropped, larger than the bus accepts", extra={"subject": subject, "bytes": len(message.payload)}
        )
        return False
    lanes.status.publish_ms = round_trip_ms
    lanes.status.stored_at = time.time()
    return True


async def publish_until_stored(
    client: Client,
    subject: str,
    payload: bytes,
    headers: dict[str, str],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> float | None:
    """Publish to JetStream for ever until acknowledged; returns the round trip in ms, None when it is too large.

    A stream that does not exist yet, is full, or has no leader is worth another try, as is a server whose
    `max_payload` is too small for what others take. While the client is disconnected
    nothing is tried: it would send what it has buffered all the same, later.
    """
    jetstream = client.jetstream()
    backoff = Backoff(0.25, 30)
    said = False
    while True:
        if client.is_connected:
            began = time.monotonic()
            try:
                await jetstream.publish(subject, payload, timeout=ACK_WITHIN_S, headers=headers)
                return (time.monotonic() - began) * 1000
            except nats.errors.MaxPayloadError as error:
                if len(payload) > _ORDINARY_BYTES:
                    return None
                said = said or _say(subject, error)
                await client.force_reconnect()  # the client learns the server's limit when it connects, never later
            except BUS_TRANSIENT as error:
                if isinstance(error, nats.js.errors.APIError) and error.err_code == _TOO_LARGE:
                    return None
                said = said or _say(subject, error)
        await sleep(backoff.next_s() if client.is_connected else min(backoff.next_s(), 2.0))


def _say(subject: str, error: Exception) -> bool:
    """Log that publishing does not work; always True."""
    facts = {"subject": subject, "error": f"{type(error).__name__}: {error}"[:200]}
    logger.warning("publish failed, will retry", extra=facts)
    return True
