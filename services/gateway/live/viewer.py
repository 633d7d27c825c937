"""One viewer of the live stream: a bounded queue between the frames of its feeds and its connection.

A viewer that does not keep up loses the oldest events, is told so by `resync` and fresh snapshots as soon as it takes
again, and is closed when that happens time after time. Bytes in the queue are shared with other viewers.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

from infra.clock import now_ms
from services.gateway.http.person import Person

QUEUE_EVENTS = 256
QUEUE_BYTES = 4 * 2**20
"""Beyond its first event, which may be a large frame, and the snapshots that its feeds begin with."""
MOST_RESYNCS = 5
"""So many resyncs without once catching up end the stream."""
CHUNK_BYTES = 256 * 1024
"""Queued events leave together up to about this size."""

ViewerState = Literal["connecting", "live", "draining", "closed"]


class _Queued(NamedTuple):
    at_s: float
    event: bytes
    size: int
    """Bytes that count against the bound."""


class Viewer:
    """What one open stream has been given, has taken and has missed."""

    def __init__(self, person: Person, user_agent: str = "") -> None:
        self.id = secrets.token_hex(6)
        self.person = person
        self.user_agent = user_agent
        self.since_ms = now_ms()
        self.state: ViewerState = "connecting"
        self.sent = 0
        """Events handed to the connection."""
        self.dropped = 0
        """Events that it was too slow for."""
        self._queue: deque[_Queued] = deque()
        self._bytes = 0
        self._lost = False
        self._resyncs = 0
        self._wake = asyncio.Event()
        self.closed = asyncio.Event()
        """Set when the stream is to end, whatever still waits for the connection."""

    def put(self, event: bytes) -> None:
        """Queue one event; an overflow empties the queue, since only a snapshot can make up for what is missing."""
        self._put(event, len(event))

    def begin(self, snapshot: bytes) -> None:
        """Queue the snapshot that a feed begins with: however large, it must come, and viewers share its bytes."""
        self._put(snapshot, 0)

    def _put(self, event: bytes, size: int) -> None:
        if self.state == "closed" or self._lost:
            self.dropped += self.state != "closed"
            return
        self._queue.append(_Queued(time.monotonic(), event, size))
        self._bytes += size
        if len(self._queue) > QUEUE_EVENTS or self._bytes - self._queue[0].size > QUEUE_BYTES:
            self.dropped += len(self._queue)
            self._empty()
            self._lost = True
            self.state = "draining"
        self._wake.set()

    def close(self) -> None:
        """End the stream; what is queued is not sent any more."""
        self.state = "closed"
        self._empty()
        self._wake.set()
        self.closed.set()

    async def take(self, resync: Callable[[], list[bytes]]) -> list[bytes] | None:
        """The next events in chunks, waiting for the first; None when the stream is to end.

        `resync` gives the events that a viewer needs which has missed some.
        """
        while True:
            if self.state == "closed":
                return None
            if self._lost:
                self._lost = False
                self._resyncs += 1
                if self._resyncs > MOST_RESYNCS:
                    self.close()
                    return None
                events = resync()
                self.sent += len(events)
                return events
            if self._queue:
                return [self._chunk()]
            self._wake.clear()
            await self._wake.wait()

    def _chunk(self) -> bytes:
        events: list[bytes] = []
        taken = 0
        while self._queue and taken < CHUNK_BYTES:
            queued = self._queue.popleft()
            self._bytes -= queued.size
            taken += len(queued.event)
            events.append(queued.event)
        self.sent += len(events)
        if not self._queue:
            self.state = "live"
            self._resyncs = 0
        return events[0] if len(events) == 1 else b"".join(events)

    def _empty(self) -> None:
        self._queue.clear()
        self._bytes = 0

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def lag_ms(self) -> int:
        """Age of the oldest event that still waits."""
        return round((time.monotonic() - self._queue[0].at_s) * 1000) if self._queue else 0
