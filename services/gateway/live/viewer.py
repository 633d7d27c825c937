"""One viewer of the live stream: its person, its connection, and a bounded queue for when that takes nothing.

Events are written straight to the transport as long as it takes them, and the bytes are shared with other viewers. One
that does not keep up loses the oldest events, is told so by `resync` and fresh snapshots as soon as it takes again, and
is closed when that happens time after time.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from infra.clock import now_ms
from services.gateway.http.person import Person
from services.gateway.live.encoding import BEGIN, Encoding, packed
from services.gateway.live.event import Event, chunk

QUEUE_EVENTS = 256
QUEUE_BYTES = 4 * 2**20
"""Beyond its first event, which may be a large frame."""
MOST_RESYNCS = 5
"""So many resyncs without once catching up end the stream."""
HIGH_BYTES = 64 * 1024
"""A connection that holds more takes nothing: the most that a slow one holds besides one event and its queue."""
RETRY_MS = (1000, 5000)
"""What browsers are told to wait before they reconnect, each something else, so that they do not return as one."""

ViewerState = Literal["connecting", "live", "draining", "closed"]

_clock = time.monotonic


class Outlet(Protocol):
    """A connection, as asyncio.WriteTransport has it."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def is_closing(self) -> bool: ...


class _Queued(NamedTuple):
    at_s: float
    piece: bytes


class Viewer:
    """What one open stream has been given, has taken and has missed."""

    def __init__(self, person: Person, user_agent: str = "", encoding: Encoding = "identity") -> None:
        self.id = secrets.token_hex(6)
        self.person = person
        self.user_agent = user_agent
        self.encoding: Encoding = encoding
        self.since_ms = now_ms()
        self.state: ViewerState = "connecting"
        self.sent = 0
        """Events handed to the connection."""
        self.dropped = 0
        """Events that it was too slow for."""
        self.closed = asyncio.Event()
        """Set when the stream is to end, whatever still waits for the connection."""
        self.behind = asyncio.Event()
        """Set while something waits for the connection to take it."""
        self._outlet: Outlet | None = None
        self._queue: deque[_Queued] = deque()
        self._bytes = 0
        self._lost = False
        self._whole = False
        self._resyncs = 0
        self._wrote_s = _clock()

    def open(self, outlet: Outlet) -> None:
        """Begin to write to the connection, whose answer has begun."""
        outlet.set_write_buffer_limits(HIGH_BYTES)
        least, most = RETRY_MS
        retry = b"retry: %d\n" % (least + secrets.randbelow(most - least))
        outlet.write(chunk(BEGIN[self.encoding] + packed(self.encoding, retry)))
        self._outlet = outlet
        self._write_on()

    @property
    def ready(self) -> bool:
        """Whether it has taken all so far, and takes more."""
        return not self._queue and not self._lost and self._takes()

    def _takes(self) -> bool:
        outlet = self._outlet
        return outlet is not None and outlet.get_write_buffer_size() <= HIGH_BYTES and not outlet.is_closing()

    def put(self, event: Event, bare: bool = False) -> None:
        """Send one event, without its id if `bare`; an overflow of what waits empties the queue, since only a snapshot
        can make up for what is missing."""
        if self.state == "closed":
            return
        if self._lost:
            self.dropped += 1
            return
        piece = event.piece(self.encoding, bare)
        if not self._queue and self._takes():
            self._write(piece)
            return
        self._queue.append(_Queued(_clock(), piece))
        self._bytes += len(piece)
        if len(self._queue) > QUEUE_EVENTS or self._bytes - len(self._queue[0].piece) > QUEUE_BYTES:
            self.dropped += len(self._queue)
            self._empty()
            self._lost = True
            self._whole = False
            self.state = "draining"
        self.behind.set()

    def _write(self, piece: bytes) -> None:
        assert self._outlet is not None  # noqa: S101 -- it takes
        self._outlet.write(piece)
        self.sent += 1
        self._wrote_s = _clock()

    def made_whole(self) -> None:
        """Note that it has everything: from now on it is live unless something waits."""
        self._whole = True
        self._settle()

    def _settle(self) -> None:
        if self.state != "closed" and self._whole and not self._queue and not self._lost:
            self.state = "live"
            self._resyncs = 0

    def beat(self, heartbeat: Event, every_s: float) -> None:
        """Send `heartbeat` if nothing was written for `every_s`."""
        if self.ready and self.state != "closed" and _clock() - self._wrote_s >= every_s:
            self._write(heartbeat.piece(self.encoding))
            self.sent -= 1

    def catch_up(self, resync: Callable[[], None]) -> None:
        """Go on after the connection has taken something; `resync` puts what a viewer needs that has lost events.

        A connection that is closing takes nothing any more, however often it is asked: its viewer is closed.
        """
        if self._outlet is not None and self._outlet.is_closing():
            self.close()
        if self.state == "closed" or not self._takes():
            return
        if self._lost:
            self._lost = False
            self._resyncs += 1
            if self._resyncs > MOST_RESYNCS:
                self.close()
                return
            resync()
        self._write_on()

    def _write_on(self) -> None:
        while self._queue and self._takes():
            queued = self._queue.popleft()
            self._bytes -= len(queued.piece)
            self._write(queued.piece)
        if not self._queue and not self._lost:
            self.behind.clear()
            self._settle()

    def close(self) -> None:
        """End the stream; what is queued is not sent any more."""
        self.state = "closed"
        self._empty()
        self.closed.set()

    def _empty(self) -> None:
        self._queue.clear()
        self._bytes = 0

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def lag_ms(self) -> int:
        """Age of the oldest event that still waits."""
        return round((_clock() - self._queue[0].at_s) * 1000) if self._queue else 0
