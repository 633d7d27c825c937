"""The HTTP server: its socket, and uvicorn without what a process of its own would need."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.settings import SettingError
from services.gateway.http.abort import TRANSPORT
from services.gateway.http.connections import BACKLOG, Connections, Place, room, take
from services.gateway.http.protocol import BoundedProtocol, Sweep

SWEEP_EVERY_S = 2.0
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

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None = None, connections: Connections | None = None) -> None:
        """`tls`: the context of every connection; None: they are not encrypted. `connections` limits them."""
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
        super().__init__(config)
        self._tls = tls
        self._taking: list[asyncio.Task[None]] = []
        self.taken = connections or Connections(most=room())

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def serve_until_told(self, sockets: list[socket.socket]) -> None:
        """Serve until `should_exit`, then leave no connection behind."""
        for listener in sockets:
            listener.setblocking(False)
            listener.listen(BACKLOG)
        try:
            async with asyncio.TaskGroup() as group:
                sweeping = group.create_task(self._sweep())
                self._taking = [group.create_task(self._take(listener)) for listener in sockets]
                await self.serve([])  # without sockets of its own: connections are taken here, where they are counted
                sweeping.cancel()
        finally:
            # Not before nobody waits for them: the next socket that gets such a number would never be waited for.
            for listener in sockets:
                listener.close()
            for connection in list(self.server_state.connections):
                connection.transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, once nobody can connect any more."""
        for task in self._taking:
            task.cancel()
        if self._taking:
            await asyncio.wait(self._taking)
        await super().shutdown(sockets)

    async def _take(self, listener: socket.socket) -> None:
        def protocol(place: Place) -> BoundedProtocol:
            return BoundedProtocol(place, config=self.config, server_state=self.server_state, app_state={})

        await take(listener, self._tls, self.taken, protocol)

    async def _sweep(self) -> None:
        """Cut connections that keep us waiting for longer than they may; until cancelled.

        uvicorn's own clock begins only after an answer, so strangers could hold all our descriptors without one.
        """
        loop = asyncio.get_running_loop()
        sweep = Sweep()
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            open_ = [each for each in self.server_state.connections if isinstance(each, BoundedProtocol)]
            for each in sweep.find(open_, loop.time(), self.taken.crowded):
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
