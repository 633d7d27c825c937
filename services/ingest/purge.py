"""Room in the streams: what every consumer has processed goes when a stream runs full."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from nats.aio.client import Client

from infra.bus.ordered import timestamp_ns
from infra.storage.database import Connection
from schemas.subjects import BACKFILL, METRICS
from services.ingest import sql

logger = logging.getLogger(__name__)

FULL_SHARE = 0.7
REPLAY_MARGIN = timedelta(minutes=15)
"""Processed messages younger than this stay, for a consumer that has to start by time."""


def purge_up_to(first: int, last: int, full_share: float, slowest: int) -> int:
    """The sequence below which to purge a stream of messages `first` to `last`; 0: nothing to do.

    Half of what is stored goes at once, so that it does not happen every minute, and never past `slowest`, the last
    message that the slowest consumer has processed.
    """
    if full_share < FULL_SHARE:
        return 0
    return max(0, min(slowest, first + (last - first) // 2))


async def purge_when_full(client: Client, database: Connection) -> None:
    """Purge METRICS and BACKFILL where they pass 70 % of their limit."""
    jetstream = client.jetstream(timeout=5)
    for stream in (METRICS, BACKFILL):
        state = (await jetstream.stream_info(stream.name)).state
        slowest = await database.fetchval(sql.SLOWEST_POSITION, stream.name) or 0
        below = purge_up_to(state.first_seq, state.last_seq, state.bytes / stream.max_bytes, slowest)
        if below <= state.first_seq:
            continue
        # The one at `below` may have been of a host that was removed since.
        stored = await jetstream.get_msg(stream.name, below, subject=stream.subjects[0], next=True, direct=True)
        if timestamp_ns(stored) > (datetime.now(UTC) - REPLAY_MARGIN).timestamp() * 1e9:
            logger.error("stream fills faster than it can be purged", extra={"stream": stream.name})
            continue
        await jetstream.purge_stream(stream.name, seq=below)
        logger.info("stream purged", extra={"stream": stream.name, "below": below})
