"""Every sample at once, core-published for viewers, while somebody watches. Never spooled."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.bus.connection import BUS_TRANSIENT
from schemas import subjects
from schemas.codec import Sample, build_batch, encode_batch
from schemas.messages import (
    BATCH_TYPE,
    BATCH_VERSION,
    CONTENT_TYPE,
    SCHEMA_VERSION,
    LiveInterest,
)

logger = logging.getLogger(__name__)

MOST_TTL_S = 300.0
"""A viewer that vanished keeps the feed alive no longer than this, whatever it asked for."""

_decoder = msgspec.json.Decoder(LiveInterest)


class LiveFeed:
    """Holds until when somebody watches, and the newest sample not yet sent."""

    def __init__(self, host: str, now_ms: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`now_ms`: where this process starts counting, above what an earlier one used."""
        self._host = host
        self._clock = clock
        self._until_s = 0.0
        self._named_until_s = 0.0
        self._named = asyncio.Event()
        self._unreadable = 0
        self._fresh = False
        self._seq = now_ms
        self._sample: Sample | None = None
        self._ready = asyncio.Event()

    @property
    def watched(self) -> bool:
        return self._clock() < self._until_s

    @property
    def named(self) -> bool:
        """Whether somebody looks at this very host, not only at all of them."""
        return self._clock() < self._named_until_s

    async def until_named(self) -> None:
        """Return as soon as somebody looks at this very host."""
        while not self.named:
            self._named.clear()
            await self._named.wait()

    def note_interest(self, data: bytes) -> None:
        """Take one message that says who is watched; what does not decode is logged and passed over."""
        try:
            interest = _decoder.decode(data)
        except msgspec.DecodeError as error:
            self._unreadable += 1
            if self._unreadable & (self._unreadable - 1) == 0:  # the 1st, 2nd, 4th, 8th ...
                facts = {"error": str(error), "unreadable": self._unreadable}
                logger.warning("invalid live interest ignored", extra=facts)
            return
        until_s = self._clock() + min(interest.ttl_s, MOST_TTL_S)
        if "*" in interest.hosts or self._host in interest.hosts:
            self._fresh = self._fresh or not self.watched
            self._until_s = max(self._until_s, until_s)
        if self._host in interest.hosts:
            self._named_until_s = max(self._named_until_s, until_s)
            self._named.set()

    def offer(self, sample: Sample, last_known: Callable[[int], Sample]) -> None:
        """Send `sample` if somebody watches; `last_known` adds what is collected less often, for a new viewer."""
        if not self.watched:
            return
        if self._fresh:
            self._fresh = False
            known = last_known(sample.time_ms)
            sample = Sample(
                sample.time_ms,
                known.families | sample.families,
                known.labels | sample.labels,
                known.periods_ms | sample.periods_ms,
            )
        self._sample = sample
        self._ready.set()

    async def next(self, epoch: str) -> bytes:
        """Wait for the next sample to send. One that was not sent before a newer one came is left out."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            sample, self._sample = self._sample, None
            if sample is not None:
                self._seq += 1
                return encode_batch(build_batch(self._host, epoch, "live", self._seq, [sample]))


async def publish_live(client: Client, feed: LiveFeed, host: str, epoch: str) -> None:
    """Listen for viewers and send them samples, as long as the connection lives."""

    async def on_interest(message: Msg) -> None:
        feed.note_interest(message.data)

    await client.subscribe(subjects.LIVE_INTEREST, cb=on_interest)
    headers = {CONTENT_TYPE: BATCH_TYPE, SCHEMA_VERSION: BATCH_VERSION}
    while True:
        payload = await feed.next(epoch)
        if not client.is_connected:
            continue
        try:
            await client.publish(subjects.live(host), payload, headers=headers)
        except BUS_TRANSIENT as error:  # the next sample is the better retry
            logger.debug("live sample not sent", extra={"error": str(error)})
