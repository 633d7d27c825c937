"""Ordered consumption of a stream from a position of our own: a pipelined pull on an ephemeral consumer.

Several pull requests are outstanding at once on one inbox, so messages flow while earlier ones are worked on, and no
more are asked for than the caller has room to take. The consumer does not acknowledge; instead its sequence must be
contiguous, and any hole, silence or deletion ends the pull with `StreamBroken`: open a new one at the last position
that was committed.

A delivered message carries its stream subject, not the inbox of the request that it answers, so requests are accounted
for together: messages outstanding, less what a request that ended early says it left.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import nats.errors
import nats.js.errors
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RawStreamMsg, StreamState

logger = logging.getLogger(__name__)

REQUEST_MESSAGES = 500
FIRST_REQUEST_MESSAGES = 64
"""What is asked for while the size of messages is unknown."""
REQUESTS = 4
HELD_BYTES = 16 * 2**20
"""About what may be held for, or be under way to, a caller that does not take it."""
EXPIRES_S = 30.0
HEARTBEAT_S = 5.0
INACTIVE_S = 60.0

_ENDS_REQUEST = frozenset({"404", "408", "409"})
_FATAL = ("deleted", "leadership", "shutdown", "not found", "unavailable")


class StreamBroken(nats.errors.Error):
    """The pull cannot go on: open another one at the committed position."""


class Position(Struct, frozen=True):
    """The last message of a stream that was fully processed; the zero position is before the first."""

    seq: int = 0
    time_ns: int = 0
    """When the server stored that message, Unix nanoseconds: tells a stream that lost its tail from the one we knew."""


class StoredMessage(Struct):
    """A message as the stream holds it."""

    subject: str
    data: bytes
    headers: dict[str, str]
    seq: int
    time_ns: int

    @property
    def position(self) -> Position:
        return Position(self.seq, self.time_ns)


class OrderedPull:
    """The receiving end of one ephemeral consumer. Made by `ordered`."""

    def __init__(
        self, client: Client, stream: str, consumer: str, inbox: str, last_seq: int, begins: Position, pending: int
    ) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = inbox
        self._messages: deque[StoredMessage] = deque()
        self._arrived = asyncio.Event()
        self._outstanding = 0
        self._message_bytes = 0.0
        self._delivered = 0
        self._broken: str = ""
        self._reconnects = client.stats["reconnects"]
        self._heard = asyncio.get_running_loop().time()
        self.last_seq = last_seq
        """Last sequence number the stream held when last heard of; what is beyond the last message is lag."""
        self.begins = begins
        """The position that was asked for; where that was zero, the one before the first message that is wanted."""
        self.pending = pending
        """How many messages there were when it began."""

    async def receive(self, message: Msg) -> None:
        """Subscription callback: file a message, or note what a status message says."""
        self._heard = asyncio.get_running_loop().time()
        headers = message.headers or {}
        status = headers.get("Status", "")
        if status and not message.reply:
            self._note_status(status, headers)
        elif not self._broken:
            self._file(message, headers)
        self._arrived.set()

    def _note_status(self, status: str, headers: dict[str, str]) -> None:
        if status == "100":
            return
        description = headers.get("Description", "")
        if status in _ENDS_REQUEST and not any(word in description.lower() for word in _FATAL):
            self._outstanding = max(0, self._outstanding - int(headers.get("Nats-Pending-Messages", 0)))
        else:
            self._broken = f"{status} {description}"

    def _file(self, message: Msg, headers: dict[str, str]) -> None:
        fields = message.reply.split(".")
        at = 5 if len(fields) == 9 else 7
        try:
            seq, consumer_seq, time_ns, pending = (int(field) for field in fields[at : at + 4])
        except ValueError:
            self._broken = f"a message without stream metadata: {message.reply!r}"
            return
        if consumer_seq != self._delivered + 1:
            self._broken = f"hole: consumer sequence {consumer_seq} follows {self._delivered}"
            return
        self._delivered = consumer_seq
        self._outstanding = max(0, self._outstanding - 1)
        size = len(message.data)
        self._message_bytes = max(size, 0.99 * self._message_bytes + 0.01 * size)
        self.last_seq = max(self.last_seq, seq + pending)
        self._messages.append(StoredMessage(message.subject, message.data, headers, seq, time_ns))

    async def _ask(self) -> None:
        """Keep requests outstanding for as many messages as there is room for."""
        batch = FIRST_REQUEST_MESSAGES
        if self._message_bytes:
            batch = max(1, min(REQUEST_MESSAGES, int(HELD_BYTES / REQUESTS / self._message_bytes)))
        while self._outstanding + len(self._messages) + batch <= REQUESTS * batch:
            self._outstanding += batch
            body = {"batch": batch, "expires": int(EXPIRES_S * 1e9), "idle_heartbeat": int(HEARTBEAT_S * 1e9)}
            await self._client.publish(self._subject, json.dumps(body).encode(), reply=f"{self._inbox}.pull")

    async def next(self, max_wait_s: float) -> list[StoredMessage]:
        """All messages at hand, in order, after waiting up to `max_wait_s` for the first. Raises StreamBroken."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + max_wait_s
        while True:
            if self._messages:
                taken = list(self._messages)
                self._messages.clear()
                if not self._broken:
                    await self._ask()
                return taken
            if self._client.stats["reconnects"] != self._reconnects:
                self._broken = "the connection was lost"  # and with it whatever was under way
            if self._broken:
                raise StreamBroken(self._broken)
            await self._ask()
            now = loop.time()
            if now - self._heard > 3 * HEARTBEAT_S:
                raise StreamBroken(f"nothing heard for {now - self._heard:.0f} s")
            if now >= deadline:
                return []
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(deadline - now, HEARTBEAT_S)):
                    await self._arrived.wait()


@contextlib.asynccontextmanager
async def ordered(
    client: Client, stream: str, position: Position, earlier_s: float = 0, first_s: float = math.inf
) -> AsyncIterator[OrderedPull]:
    """Messages of `stream` after `position`, and before them those of `earlier_s` until it, as far as they are there.

    From the zero position only those of the last `first_s`.

    When the stream is not the one that `position` was taken from (an unsynced tail was lost, so numbers were given
    twice), it starts by the position's time instead: nothing is skipped; repeats are for the caller's marks to drop.
    """
    jetstream = client.jetstream(timeout=5)
    state = (await jetstream.stream_info(stream)).state
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE,
        inactive_threshold=INACTIVE_S,
        mem_storage=True,
        num_replicas=1,
        max_waiting=64,
        **await _start(client, stream, position, state, earlier_s, first_s),
    )
    info = await jetstream.add_consumer(stream, config)
    inbox = client.new_inbox()
    pending = info.num_pending or 0
    begins = position if position.seq else Position(max(0, state.last_seq - pending))
    pull = OrderedPull(client, stream, info.name, inbox, state.last_seq, begins, pending)
    subscription = await client.subscribe(f"{inbox}.*", cb=pull.receive, pending_bytes_limit=0)
    try:
        yield pull
    finally:
        with contextlib.suppress(nats.errors.Error, OSError):
            await subscription.unsubscribe()
            await client.publish(f"$JS.API.CONSUMER.DELETE.{stream}.{info.name}", b"")


async def _start(
    client: Client, stream: str, position: Position, state: StreamState, earlier_s: float, first_s: float
) -> dict[str, Any]:
    """Where to start: the consumer configuration's part that says so."""
    if position.seq == 0:
        if math.isinf(first_s):
            return {"deliver_policy": DeliverPolicy.ALL}
        start = datetime.fromtimestamp(time.time() - first_s, UTC)
        return {"deliver_policy": DeliverPolicy.BY_START_TIME, "opt_start_time": start}
    if await _still_there(client, stream, position, state):
        if position.seq + 1 < state.first_seq:
            lost = state.first_seq - position.seq - 1
            logger.error("messages expired before they were read", extra={"stream": stream, "messages": lost})
        if earlier_s:
            start = datetime.fromtimestamp(position.time_ns / 1e9 - earlier_s, UTC)
            return {"deliver_policy": DeliverPolicy.BY_START_TIME, "opt_start_time": start}
        return {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": position.seq + 1}
    start = datetime.fromtimestamp(position.time_ns / 1e9 - 1, UTC)
    logger.warning(
        "stream is behind our position, resuming by time",
        extra={"stream": stream, "position": position.seq, "last_seq": state.last_seq, "start": start.isoformat()},
    )
    return {"deliver_policy": DeliverPolicy.BY_START_TIME, "opt_start_time": start}


async def _still_there(client: Client, stream: str, position: Position, state: StreamState) -> bool:
    """False when the message at `position` is gone by a loss, or is another one than we read."""
    if position.seq > state.last_seq:
        return False
    if position.seq < state.first_seq:
        return True
    try:
        stored = await client.jetstream(timeout=5).get_msg(stream, position.seq, direct=True)
    except nats.js.errors.NotFoundError:
        return True
    return abs(timestamp_ns(stored) - position.time_ns) < 1_000_000


def timestamp_ns(stored: RawStreamMsg) -> int:
    """When the server stored a message that was got directly, Unix nanoseconds."""
    return rfc3339_ns((stored.headers or {}).get("Nats-Time-Stamp", ""))


def rfc3339_ns(text: str) -> int:
    """A server's time in Unix nanoseconds. Raises ValueError."""
    # Up to nine decimals, a set too many for datetime.
    seconds, _, rest = text.rstrip("Z").partition(".")
    whole = int(datetime.fromisoformat(seconds + "+00:00").timestamp())
    return whole * 1_000_000_000 + int(rest.ljust(9, "0")[:9] or 0)
