"""What the bus has of a host that is removed: by which moment it is told apart, and its removal from the streams.

A purge is housekeeping: what it misses, because the bus is away or the agent is not yet disconnected, is dropped by
whoever reads it. It ends before the newest message that a stream has, so that a stream's last number stays one of a
message that is there: consumers tell by it whether they are level.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
from msgspec import Struct
from nats.aio.client import Client

from infra.bus.connection import BUS_TRANSIENT
from infra.bus.ordered import rfc3339_ns
from infra.clock import now_ms
from schemas.subjects import ALERTS, BACKFILL, EVENTS, METRICS, alerts, backfill, events, metrics

logger = logging.getLogger(__name__)

PATIENCE_S = 5.0
_NO_ANSWER: tuple[type[Exception], ...] = (*BUS_TRANSIENT, msgspec.MsgspecError, ValueError)


class Ends(Struct, frozen=True):
    """Where the streams end at one moment."""

    time_ns: int
    """By the bus's clock, Unix nanoseconds."""
    last_seqs: dict[str, int] = {}
    """By stream: the number of its newest message."""


async def stream_ends(client: Client | None) -> Ends:
    """Where the streams end now. The gateway's clock stands in for that of a bus that is away: it stores nothing.

    The clock is that of the server that leads the stream, which is the one that stamps its messages; of several, the
    latest, as a message that is missed makes somebody anew, while one more that is dropped is of a host just enrolled.
    """
    times: list[int] = []
    last_seqs: dict[str, int] = {}
    if client is not None and client.is_connected:
        streams = list(_subjects(""))
        found = await asyncio.gather(*(_info(client, stream) for stream in streams))
        for stream, info in zip(streams, found, strict=True):
            if info is not None:
                times.append(rfc3339_ns(info.ts))
                last_seqs[stream] = info.state.last_seq
    return Ends(max(times, default=now_ms() * 1_000_000), last_seqs)


async def purge(client: Client | None, host: str, ends: Ends) -> None:
    """Remove what the streams had of `host` at `ends`."""
    if client is not None:
        purging = [_purge(client, *of, ends.last_seqs.get(of[0], 0)) for of in _subjects(host).items()]
        await asyncio.gather(*purging)


async def _purge(client: Client, stream: str, subject: str, below: int) -> None:
    if below < 2:
        return
    try:
        await client.jetstream(timeout=PATIENCE_S).purge_stream(stream, seq=below, subject=subject)
    except BUS_TRANSIENT as error:
        logger.warning("messages of a removed host not purged, they will expire", extra=_facts(stream, error))


class _State(Struct):
    last_seq: int


class _Info(Struct):
    """What the server says of a stream; the client's own type drops the time."""

    ts: str
    state: _State


async def _info(client: Client, stream: str) -> _Info | None:
    """What the bus says of a stream; None when it does not say."""
    try:
        reply = await client.request(f"$JS.API.STREAM.INFO.{stream}", b"", timeout=PATIENCE_S)
        info = msgspec.json.decode(reply.data, type=_Info)
        rfc3339_ns(info.ts)
    except _NO_ANSWER as error:
        logger.warning("bus did not tell where a stream ends", extra=_facts(stream, error))
        return None
    return info


def _subjects(host: str) -> dict[str, str]:
    return {
        METRICS.name: metrics(host),
        BACKFILL.name: backfill(host),
        EVENTS.name: events(host),
        ALERTS.name: alerts(host, ">"),
    }


def _facts(stream: str, error: Exception) -> dict[str, Any]:
    return {"stream": stream, "error": f"{type(error).__name__}: {error}"[:300]}
