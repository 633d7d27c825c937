"""The answer to a request for the live stream: written to the connection by its viewer, ended when that is closed.

Not sse-starlette: of it only the wait for the client's end was left, while its tasks and time limits cost as much for
every event as the writing (ADR 18).
"""

from __future__ import annotations

import asyncio
import logging

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.http.abort import Abort, cut, disconnected, transport_of
from services.gateway.live.hub import Hub
from services.gateway.live.viewer import Viewer

logger = logging.getLogger(__name__)

CLOSING_S = 0.5
"""How long a stream that is closed may take to end by itself."""
SEND_TIMEOUT_S = 20.0
"""A connection that takes nothing for so long is dead."""
NOTHING = {"type": "http.response.body", "body": b"", "more_body": True}


class LiveResponse(Response):
    """The stream of one viewer, who leaves when it ends, however it ends."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, viewer: Viewer, abort: Abort) -> None:
        encoded = {} if viewer.encoding == "identity" else {"Content-Encoding": viewer.encoding}
        self.status_code = 200
        self.background = None
        self.init_headers(
            {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no", "Vary": "Accept-Encoding", **encoded}
        )
        self._hub = hub
        self._viewer = viewer
        self._abort = abort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = False
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            self._viewer.open(transport_of(scope))
            whole = await self._served(receive, send)
        finally:
            self._hub.leave(self._viewer)
            if not whole:
                # Not ended in good order: the peer could hold the connection, and what is buffered for it, for ever.
                await cut(self._abort, scope, receive)

    async def _served(self, receive: Receive, send: Send) -> bool:
        """Wait for the end of the stream; True when the client has all of it, or is gone."""
        viewer = self._viewer
        async with asyncio.TaskGroup() as group:
            gone = group.create_task(disconnected(receive))
            stalled = group.create_task(self._keep_up(send))
            closed = group.create_task(viewer.closed.wait())
            await asyncio.wait((gone, stalled, closed), return_when=asyncio.FIRST_COMPLETED)
            for task in (gone, stalled, closed):
                task.cancel()
        if gone.done() and not gone.cancelled():
            return True
        if not closed.cancelled():
            try:
                async with asyncio.timeout(CLOSING_S):
                    await send({"type": "http.response.body", "body": b""})
                return True
            except TimeoutError:
                return False
        logger.info("viewer disconnected, connection stalled", extra={"viewer": viewer.id, "dropped": viewer.dropped})
        return False

    async def _keep_up(self, send: Send) -> None:
        """Write what waits whenever the connection takes more; returns when it takes nothing for too long."""
        viewer = self._viewer
        while True:
            await viewer.behind.wait()
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await send(NOTHING)  # returns once the connection takes more
            except TimeoutError:
                return
            viewer.catch_up(lambda: self._hub.resync(viewer))
            await asyncio.sleep(0)
