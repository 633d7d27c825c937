"""A TCP proxy that holds back, cuts and heals."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

CHUNK_BYTES = 1 << 16


class Proxy:
    """Forwards connections to one server; in force for all of them at once."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open = asyncio.Event()
        self._open.set()
        self._left_bytes: int | None = None
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self.held = asyncio.Event()
        """Set when `hold_after` has come true."""
        self.connections = 0
        """How many there have been, refused ones left out."""

    def hold_after(self, size: int) -> None:
        """From `size` more bytes to the server on, forward nothing either way, as if the network had gone."""
        self._left_bytes = size
        if size == 0:
            self._hold()

    def _hold(self) -> None:
        self._open.clear()
        self.held.set()

    def cut(self) -> None:
        """End every connection, on both sides, and refuse new ones."""
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    def heal(self) -> None:
        """Forward everything again, what was held back included."""
        self._refusing = False
        self._left_bytes = None
        self.held.clear()
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        if self._refusing:
            writer.transport.abort()
            return
        self.connections += 1
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:  # the server is away
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, back, writer, counted=True))
                group.create_task(self._forward(there, writer, back, counted=False))
        finally:
            self._writers -= {writer, back}

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, other: asyncio.StreamWriter, *, counted: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if counted and self._left_bytes is not None:
                    self._left_bytes -= len(data)
                    if self._left_bytes < 0:
                        self._hold()
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
        other.transport.abort()


@asynccontextmanager
async def proxy(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the server at `url`, and the address to use instead."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    between = Proxy(parts.hostname, parts.port)
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login = parts.netloc.rpartition("@")[0]
    netloc = f"{login}@127.0.0.1:{port}" if login else f"127.0.0.1:{port}"
    try:
        yield between, urlunsplit(parts._replace(netloc=netloc))
    finally:
        server.close()
        between.cut()
        between.heal()
        async with asyncio.timeout(40):
            while between._writers:
                await asyncio.sleep(0.01)
