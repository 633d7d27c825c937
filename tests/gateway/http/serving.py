"""The HTTP server alone, with an application of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from services.gateway.http.connections import Connections
from services.gateway.http.server import GatewayServer, bind
from tests.waiting import eventually


@asynccontextmanager
async def serving(
    app: ASGIApp, tls: ssl.SSLContext | None = None, connections: Connections | None = None
) -> AsyncIterator[tuple[GatewayServer, int]]:
    """A server at work on a free port of loopback, and that port."""
    with contextlib.closing(bind("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
        server = GatewayServer(app, tls, connections)
        task = asyncio.create_task(server.serve_until_told([bound]))
        await eventually(lambda: server.started)
        try:
            yield server, port
        finally:
            server.should_exit = True
            await task


class Raw:
    """A connection on which a test writes what it likes, and where it sees how it ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def rest(self, within_s: float = 30) -> bytes:
        """All that comes until the other side ends the connection."""
        received = b""
        async with asyncio.timeout(within_s):
            with contextlib.suppress(ConnectionError):
                while data := await self._reader.read(65536):
                    received += data
        return received

    async def some(self, within_s: float = 30) -> bytes:
        return await asyncio.wait_for(self._reader.read(65536), within_s)


@asynccontextmanager
async def raw(port: int, source: str = "127.0.0.1") -> AsyncIterator[Raw]:
    """A connection to `port` from the loopback address `source`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
