"""Ending an answer that cannot end in good order: its connection is cut, so that the client sees it is not whole."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from starlette.types import Receive, Scope

TRANSPORT = "sonde.transport"
"""Key of a request's scope."""
Abort = Callable[[Scope], None]
"""Cuts the connection on which a request came at once."""


async def cut(abort: Abort, scope: Scope, receive: Receive) -> None:
    """Cut the connection and wait for its end, so that the server sees no answer broken off."""
    abort(scope)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await disconnected(receive)


async def disconnected(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def transport_of(scope: Scope) -> asyncio.WriteTransport:
    """The connection on which a request came, for an answer that writes by itself once it has begun."""
    transport: asyncio.WriteTransport | None = scope.get(TRANSPORT)
    assert transport is not None, "the request came by another server than the gateway's own"  # noqa: S101
    return transport
