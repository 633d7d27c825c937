"""`/live`: the stream of server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated

from msgspec import Meta, Struct, structs
from sse_starlette.sse import EventSourceResponse, SendTimeoutError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.clock import now_ms
from schemas.catalogue import Family
from services.gateway.fleet.selection import (
    INTERVAL_S,
    MAX_DETAIL,
    HostsShown,
    MetricsShown,
    parse_detail,
    parse_selection,
)
from services.gateway.http.abort import Abort, cut
from services.gateway.http.operations import Call, Media, Operation
from services.gateway.http.problems import unavailable
from services.gateway.live.feed import Feed, parse_event_id, resync
from services.gateway.live.hub import Full, Hub
from services.gateway.live.viewer import Viewer

logger = logging.getLogger(__name__)

HEARTBEAT = b": heartbeat\n\n"
HEARTBEAT_S = 2.0
"""Longest silence of a stream: the dashboard declares one stalled after 5 s without a byte."""
CLOSING_S = 0.5
"""How long a stream that is closed may take to end by itself."""
SEND_TIMEOUT_S = 20.0
"""A connection that takes nothing for so long is dead."""
SLICE_BYTES = 64 * 1024
"""Most bytes given to a connection at once: what a slow one holds besides the shared events."""
RETRY_FULL_S = 30


Interval = Annotated[
    str, Meta(description=f"seconds between frames of one host, from {INTERVAL_S[0]:g} to {INTERVAL_S[1]:g}")
]
Detail = Annotated[
    str, Meta(description=f"at most {MAX_DETAIL} host ids separated by commas, whose every metric is sent besides")
]


class LiveQuery(Struct, frozen=True, forbid_unknown_fields=True):
    hosts: HostsShown = ""
    metrics: MetricsShown = ""
    interval: Interval = "1"
    detail: Detail = ""


def live_operations(hub: Hub, catalogue: tuple[Family, ...], abort: Abort) -> list[Operation]:
    async def get_live(call: Call[LiveQuery, None]) -> Response:
        request, parameters = call.request, structs.asdict(call.query)
        selection = parse_selection(parameters, catalogue)
        hosts = parse_detail(parameters)
        position = parse_event_id(request.headers.get("last-event-id", ""))
        viewer = Viewer(call.person, request.headers.get("user-agent", "")[:300])
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        try:
            feeds = hub.join(viewer, selection, position, hosts)
        except Full:
            detail = f"{hub.most_viewers} viewers are connected, the limit; close one, or raise max_viewers"
            raise unavailable(detail, "/problems/too-many-viewers", RETRY_FULL_S) from None
        return LiveResponse(hub, feeds, viewer, abort)

    return [
        Operation(
            "GET",
            "/live",
            get_live,
            tag="live",
            summary="What happens, as a stream of server-sent events",
            role="viewer",
            answers={200: Media(("text/event-stream",), "Events until either side ends the stream.")},
            query=LiveQuery,
            headers={"Last-Event-ID": "The last event that was seen; those since then come instead of a snapshot."},
        )
    ]


class LiveResponse(EventSourceResponse):
    """The stream of one viewer, who leaves when it ends, however it ends.

    Heartbeats are among the events rather than sse-starlette's pings, which would break into an event that is sent in
    slices. Streams end by `viewer.closed`: the library would watch for signals from a task of its own, and signals are
    not the gateway's business.
    """

    def __init__(self, hub: Hub, feeds: list[Feed], viewer: Viewer, abort: Abort) -> None:
        super().__init__(
            _slices(feeds, viewer),
            headers={"Cache-Control": "no-store, no-transform"},
            ping=0,
            sep="\n",
            send_timeout=SEND_TIMEOUT_S,
            shutdown_grace_period=CLOSING_S,
        )
        self._hub = hub
        self._feeds = feeds
        self._viewer = viewer
        self._abort = abort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            logger.info(
                "viewer disconnected, connection stalled",
                extra={"viewer": self._viewer.id, "dropped": self._viewer.dropped},
            )
        finally:
            self._hub.leave(self._viewer, self._feeds)
            if self.active:
                # Not ended in good order: the peer could hold the connection, and what is buffered for it, for ever.
                await cut(self._abort, scope, receive)

    async def _listen_for_exit_signal(self) -> None:  # type: ignore[override]
        await self._viewer.closed.wait()


async def _slices(feeds: list[Feed], viewer: Viewer) -> AsyncIterator[memoryview]:
    """What goes to the connection, until the viewer is closed."""
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                chunks = await viewer.take(lambda: resync(feeds, now_ms()))
        except TimeoutError:
            chunks = [HEARTBEAT]
        if chunks is None:
            return
        for chunk in chunks:
            view = memoryview(chunk)
            for start in range(0, len(view), SLICE_BYTES):
                yield view[start : start + SLICE_BYTES]
