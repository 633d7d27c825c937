"""A real HTTP server that stands for Slack: keeps what it is sent and answers as it was told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct


class Reply(Struct):
    """One scripted answer."""

    status: int = 200
    body: str = "ok"
    headers: dict[str, str] = {}
    after_s: float = 0


class Sink:
    """The server's memory: `posts` as they came, `script` answered first, then `ok` for ever."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.times_s: list[float] = []
        self.script: deque[Reply] = deque()
        self.url = ""
        self.closing = asyncio.Event()

    @property
    def headlines(self) -> list[str]:
        """The first words of every message, without those that were only text."""
        return [post["blocks"][0]["text"]["text"] for post in self.posts if "blocks" in post]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().lower().split("\r\n")
                length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length"))
                self.posts.append(json.loads(await reader.readexactly(length)))
                self.times_s.append(asyncio.get_running_loop().time())
                reply = self.script.popleft() if self.script else Reply()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(reply.after_s):
                        await self.closing.wait()
                        return
                extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
                body = reply.body.encode()
                writer.write(f"HTTP/1.1 {reply.status} X\r\ncontent-length: {len(body)}\r\n{extra}\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has left
        finally:
            writer.close()


@asynccontextmanager
async def slack_sink() -> AsyncIterator[Sink]:
    """A running sink; `sink.url` holds a secret path, like a webhook's."""
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    sink.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/services/T000/B000/SECRET"
    try:
        yield sink
    finally:
        sink.closing.set()
        server.close()
