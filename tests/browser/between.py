"""An HTTP proxy between a browser and the gateway that harms the live stream, the REST API, or both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["pass", "swallow", "cut", "503", "500", "html", "json", "garbage", "slow"]
"""What becomes of an answer: it passes, nothing of it arrives, the connection is cut, another answer comes instead,
or its bytes trickle."""

STREAM = "/api/v1/live"
TRICKLE_BYTES = 40
TRICKLE_S = 0.4
"""So many bytes in such a time: less than a host that sends every second makes."""

_PROBLEM = '{"type": "/problems/%s", "title": "%s", "status": %d, "detail": "%s", "errors": []}'
_INSTEAD = {
    "503": (
        "503 Service Unavailable",
        "application/problem+json",
        _PROBLEM % ("too-many-viewers", "Unavailable", 503, "no viewer more"),
    ),
    "500": ("500 Internal Server Error", "application/problem+json", _PROBLEM % ("defect", "Error", 500, "a defect")),
    "html": ("200 OK", "text/html", "<!doctype html><p>Please log in to the wireless network"),
    "json": ("200 OK", "application/json", '{"hosts": 7, "rules": [7], "active": 7, "history": 7, "settings": 7}'),
    "garbage": ("200 OK", "text/event-stream", "\x01\x02 nothing\n\nthat makes { sense\n\n"),
}


class Between:
    """Forwards one request a connection; the faults are in force for open connections too."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._faults: dict[str, Fault] = {"stream": "pass", "rest": "pass"}
        self._open: set[tuple[str, asyncio.StreamWriter]] = set()
        self._changed = asyncio.Event()
        self.streams = 0
        """Streams open now, those that are swallowed included."""
        self.asked: list[str] = []
        """Paths of the requests so far, in order."""
        self.resumed = 0
        """Streams that were asked to go on after an event."""

    def harm(self, *, stream: Fault = "pass", rest: Fault = "pass") -> None:
        """From now on; what is open and would not have come about is cut."""
        self._faults = {"stream": stream, "rest": rest}
        self._changed.set()
        self._changed = asyncio.Event()
        for kind, writer in self._open:
            if self._fault(kind) not in ("pass", "swallow", "slow"):
                writer.transport.abort()

    def _fault(self, kind: str) -> Fault:
        return self._faults.get(kind, "pass")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            writer.transport.abort()
            return
        path = head.split(b" ", 2)[1].decode()
        kind = "stream" if path.startswith(STREAM) else "rest" if path.startswith("/api/") else "page"
        self.asked.append(path)
        connection = (kind, writer)
        self._open.add(connection)
        if kind == "stream":
            self.streams += 1
            self.resumed += b"\r\nlast-event-id: " in head.lower()
        try:
            with contextlib.suppress(OSError):
                await self._answer(kind, head, reader, writer)
        finally:
            self._open.discard(connection)
            self.streams -= kind == "stream"
            writer.transport.abort() if self._fault(kind) == "cut" else writer.close()

    async def _answer(self, kind: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._fault(kind)
        if fault in _INSTEAD:
            status, media_type, body = _INSTEAD[fault]
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
                f"Connection: close\r\n\r\n{body}".encode()
            )
            await writer.drain()
            return
        if fault == "cut":
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            first, rest = head.split(b"\r\n", 1)
            lines = [line for line in rest.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            back.write(b"\r\n".join([first, b"Connection: close", *lines]))
            tasks = [
                asyncio.create_task(self._upwards(reader, back)),
                asyncio.create_task(self._downwards(kind, there, writer)),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            back.transport.abort()

    async def _upwards(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            back.write(data)
            await back.drain()

    async def _downwards(self, kind: str, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The head never trickles: a page that lost its connection for another reason could make none.
        try:
            head = await there.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as cut:
            head = cut.partial
        await self._pass_on(kind, head, writer)
        while data := await there.read(TRICKLE_BYTES if self._fault(kind) == "slow" else 1 << 16):
            await self._pass_on(kind, data, writer)
            if self._fault(kind) == "slow":
                await asyncio.sleep(TRICKLE_S)

    async def _pass_on(self, kind: str, data: bytes, writer: asyncio.StreamWriter) -> None:
        while self._fault(kind) == "swallow":
            await self._changed.wait()
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def between(address: str) -> AsyncIterator[tuple[Between, str]]:
    """A proxy before the gateway at `address`, and the address to open instead."""
    port = urlsplit(address).port
    assert port
    made = Between(port)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        made.harm(stream="cut", rest="cut")
        for _, writer in list(made._open):
            writer.transport.abort()
