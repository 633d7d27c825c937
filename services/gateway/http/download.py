"""An answer that is a file made while it is sent, so that no part of it waits in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.bus.connection import first_fault
from services.gateway.http.abort import Abort, cut, disconnected
from services.gateway.http.problems import ProblemError

logger = logging.getLogger(__name__)

SEND_TIMEOUT_S = 60.0
"""A connection that takes nothing for so long is dead."""


class Download(Response):
    """A body as it comes. What fails before its first chunk is answered; after it, the connection is cut.

    So a file that is not whole never looks as if it were. A client that goes away ends the query at once.
    """

    def __init__(
        self,
        chunks: Callable[[], AsyncGenerator[bytes]],
        slots: asyncio.Semaphore,
        abort: Abort,
        headers: dict[str, str],
        media_type: str,
    ) -> None:
        super().__init__(headers=headers, media_type=media_type)
        del self.headers["content-length"]
        self._chunks = chunks
        self._slots = slots
        self._abort = abort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._slots, aclosing(self._chunks()) as chunks:
            first = await anext(chunks, b"")
            try:
                async with asyncio.TaskGroup() as group:
                    sending = group.create_task(self._send(first, chunks, send))
                    leaving = group.create_task(disconnected(receive))
                    await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
                    sending.cancel()
                    leaving.cancel()
            except BaseExceptionGroup as faults:
                fault = first_fault(faults)
                await cut(self._abort, scope, receive)
                if not isinstance(fault, ProblemError | TimeoutError):
                    raise fault from None
                logger.warning(
                    "export aborted", extra={"path": scope["path"], "error": str(fault) or "client stopped reading"}
                )

    async def _send(self, first: bytes, chunks: AsyncGenerator[bytes], send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _sent(send, first, more=True)
        async for chunk in chunks:
            await _sent(send, chunk, more=True)
        await _sent(send, b"", more=False)


async def _sent(send: Send, body: bytes, more: bool) -> None:
    async with asyncio.timeout(SEND_TIMEOUT_S):
        await send({"type": "http.response.body", "body": body, "more_body": more})
