"""uvicorn's protocol with bounds: how large a head may be, how much a request may send, how long either may take."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.gateway.http.connections import Place
from services.gateway.http.requests import BODY_WITHIN_S

MOST_HEAD_BYTES = 32 * 1024
MOST_REQUEST_BYTES = 4 * 1024 * 1024
"""Of one request on the wire, however its body is chunked and whatever trails it: past it the connection is cut."""
HEAD_WITHIN_S = 20.0
"""From the connection's begin, or the first byte of a further request, to the end of the head."""
HEAD_WITHIN_CROWDED_S = 4.0
UNREAD_WITHIN_S = 60.0
"""How long a client may read nothing of an answer."""
KEEP_ALIVE_S = 5
KEEP_ALIVE_PROXY_S = 180
"""Longer than nginx (60 s) and Caddy (120 s) keep idle ones: else they ask on one that just closes, and answer 502."""
_TOO_LARGE = b"the request line and headers must be at most %d bytes\n" % MOST_HEAD_BYTES
_TOO_LARGE_HEAD = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_TOO_LARGE), _TOO_LARGE)
)

Wait = Literal["head", "body", "unread"]


class Waiting(NamedTuple):
    """What a connection waits for its client to do; equal as long as nothing has come of it."""

    kind: Wait
    of: int


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `place` is its share of the limits."""

    def __init__(self, place: Place, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._place = place
        self._in_head = True
        self._received_bytes = 0
        self.timeout_keep_alive = KEEP_ALIVE_PROXY_S if place.trusted else KEEP_ALIVE_S

    def connection_lost(self, exc: Exception | None) -> None:
        self._place.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._received_bytes > MOST_REQUEST_BYTES:
            self.transport.abort()
        elif self._in_head and self._received_bytes > MOST_HEAD_BYTES:
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_TOO_LARGE_HEAD)
                self.transport.close()
            else:
                self.transport.abort()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._received_bytes = 0
        super().on_message_complete()

    def waiting(self) -> Waiting | None:
        """What it waits for; None while we are at work, or keep it open for a further request."""
        cycle, unsent_bytes = self.cycle, self.transport.get_write_buffer_size()
        if unsent_bytes:  # also when we have nothing more to say and closed it: it stays until all is sent
            return Waiting("unread", unsent_bytes)
        if self.timeout_keep_alive_task is not None:
            return None
        if cycle is None or cycle.response_complete:
            return Waiting("head", id(cycle))
        return Waiting("body", id(cycle)) if cycle.more_body else None


def overdue(waiting: Waiting, since_s: float, now_s: float, crowded: bool) -> bool:
    """Whether a connection has had its client's time for what it waits for since `since_s`."""
    within_s = {
        "head": HEAD_WITHIN_CROWDED_S if crowded else HEAD_WITHIN_S,
        "body": BODY_WITHIN_S + 5,  # whoever reads the body answers first, in words
        "unread": UNREAD_WITHIN_S,
    }[waiting.kind]
    return now_s - since_s > within_s


class Sweep:
    """Since when each connection waits for the same, to find those that are to be cut."""

    def __init__(self) -> None:
        self._since_s: dict[BoundedProtocol, tuple[Waiting, float]] = {}

    def find(self, connections: list[BoundedProtocol], now_s: float, crowded: bool) -> list[BoundedProtocol]:
        before, self._since_s = self._since_s, {}
        found = []
        for each in connections:
            waiting = each.waiting()
            if waiting is None:
                continue
            known = before.get(each)
            since_s = known[1] if known and known[0] == waiting else now_s
            self._since_s[each] = (waiting, since_s)
            if overdue(waiting, since_s, now_s, crowded):
                found.append(each)
        return found
