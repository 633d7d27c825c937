"""The answer to a request for the live stream: written to the connection by its viewer, ended when that is closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from sse_starlette.sse import EventSourceResponse, SendTimeoutError
from starlette.types import Receive, Scope, Send

from services.gateway.http.abort import Abort, cut, transport_of
from services.gateway.live.hub import Hub
from services.gateway.live.viewer import Viewer

logger = logging.getLogger(__name__)

CLOSING_S = 0.5
"""How long a stream that is closed may take to end by itself."""
SEND_TIMEOUT_S = 20.0
"""A connection that takes nothing for so long is dead."""


class LiveResponse(EventSourceResponse):
    """The stream of one viewer, who leaves when it ends, however it ends.

    Events do not pass through the library, whose lock and time limit for each cost more than the event (ADR 18): the
    viewer writes them to the transport as long as that takes them. While it does not, an empty piece of the body waits
    here until it does again, for at most `send_timeout`. The library answers, watches for the client's end and limits
    the time of every wait. Its pings would break into an event, and its watch for signals is not the gateway's
    business: the hub sends heartbeats, and a stream ends when its viewer is closed.
    """

    def __init__(self, hub: Hub, viewer: Viewer, abort: Abort) -> None:
        encoded = {} if viewer.encoding == "identity" else {"Content-Encoding": viewer.encoding}
        super().__init__(
            self._waits(),
            headers={"Cache-Control": "no-store, no-transform", "Vary": "Accept-Encoding", **encoded},
            ping=0,
            send_timeout=SEND_TIMEOUT_S,
            shutdown_grace_period=CLOSING_S,
        )
        self._hub = hub
        self._viewer = viewer
        self._abort = abort
        self._scope: Scope = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            logger.info(
                "viewer disconnected, connection stalled",
                extra={"viewer": self._viewer.id, "dropped": self._viewer.dropped},
            )
        finally:
            self._hub.leave(self._viewer)
            if self.active or transport_of(scope).is_closing():
                # Not ended in good order: the peer could hold the connection, and what is buffered for it, for ever.
                await cut(self._abort, scope, receive)

    async def _waits(self) -> AsyncIterator[bytes]:
        """An empty piece whenever events wait for the connection; ends when the viewer is closed."""
        viewer = self._viewer
        viewer.open(transport_of(self._scope))
        while await _either(viewer.behind, unless=viewer.closed):
            yield b""  # goes on once the connection takes more
            viewer.catch_up(lambda: self._hub.resync(viewer))
            await asyncio.sleep(0)

    async def _listen_for_exit_signal(self) -> None:  # type: ignore[override]
        await self._viewer.closed.wait()


async def _either(event: asyncio.Event, unless: asyncio.Event) -> bool:
    """Wait for `event`, True, or for `unless`, False."""
    waits = [asyncio.ensure_future(each.wait()) for each in (event, unless)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return not unless.is_set()
