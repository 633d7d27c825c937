"""The HTTP server: its socket, and uvicorn without what a process of its own would need."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.settings import SettingError
from services.gateway.http.abort import TRANSPORT

logger = logging.getLogger(__name__)

REQUEST_WITHIN_S = 20.0
"""How long a connection may be open before its first request is complete but for a body."""
SWEEP_EVERY_S = 2.0
MOST_CONNECTIONS = 4000
GRACE_S = 1
"""How long open requests may go on after the stop."""


class PortTaken(SettingError):
    """Another program listens where the gateway should."""


def bind(host: str, port: int) -> socket.socket:
    """A socket at `host` and `port`, 0 for any free one. Raises PortTaken or SettingError, each one line to show."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise SettingError(f"SONDE_HTTP_HOST: {host!r}: {error.strerror}") from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"SONDE_PORT: port {port} of {host} is in use by another program; set SONDE_PORT to a free port"
            ) from None
        raise SettingError(f"SONDE_PORT: cannot listen on {host} port {port}: {error.strerror}") from None
    bound.setblocking(False)
    return bound


class GatewayServer(uvicorn.Server):
    """uvicorn, whose signal handling stays off: the process that runs the service decides when it stops."""

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: the context of every connection; None: they are not encrypted."""
        config = uvicorn.Config(
            _with_transport(app),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        config.load()
        config.ssl = tls  # made by us, since its certificate changes while it serves
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def serve_until_told(self, sockets: list[socket.socket]) -> None:
        """Serve until `should_exit`, then leave no connection behind."""
        sweeping = asyncio.ensure_future(self._sweep())
        try:
            await self.serve(sockets)
        finally:
            sweeping.cancel()
            # A cancelled one has not closed its listeners: the loop would go on waiting for a socket that is gone, and
            # the next socket that gets its number would never be waited for.
            for listener in getattr(self, "servers", []):
                listener.close()
            for connection in list(self.server_state.connections):
                connection.transport.abort()

    async def _sweep(self) -> None:
        """Cut connections that have not brought a request in time, and the newest of too many; until cancelled.

        uvicorn's own clock begins only after an answer, so strangers could hold all our descriptors without one.
        """
        loop = asyncio.get_running_loop()
        since_s: dict[Any, float] = {}
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            now_s = loop.time()
            silent = [each for each in self.server_state.connections if getattr(each, "cycle", None) is None]
            since_s = {each: since_s.get(each, now_s) for each in silent}
            late = [each for each, began_s in since_s.items() if now_s - began_s > REQUEST_WITHIN_S]
            over = max(0, len(self.server_state.connections) - MOST_CONNECTIONS)
            for each in {*late, *silent[::-1][:over]}:
                each.transport.abort()

    def abort(self, scope: Scope) -> None:
        """Cut the connection on which the request came, sent or not what is buffered for it."""
        transport = scope.get(TRANSPORT)
        if transport is not None:
            transport.abort()


def _with_transport(app: ASGIApp) -> ASGIApp:
    """`app`, whose requests know their connection: by address it could not be found behind a proxy that renames it."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's `receive` is a method of the request, which has the transport.
        scope[TRANSPORT] = getattr(getattr(receive, "__self__", None), "transport", None)
        await app(scope, receive, send)

    return called
