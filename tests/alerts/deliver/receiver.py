"""A real HTTP server of somebody who receives Sonde's webhook, and verifies its signature as the documentation says."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

KEY = "a key that both know: SECRET"


class Receiver:
    """What came, and whether its signature was right; `status` and `body` is what it answers."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.genuine: list[bool] = []
        self.status = 200
        self.body = ""
        self.extra = ""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.documents.append(json.loads(body))
            self.headers.append(headers)
            self.genuine.append(is_genuine(headers, body))
            writer.write(
                f"HTTP/1.1 {self.status} X\r\ncontent-length: {len(self.body)}\r\n{self.extra}\r\n{self.body}".encode()
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def is_genuine(headers: dict[str, str], body: bytes) -> bool:
    expected = hmac.new(
        KEY.encode(), headers.get("sonde-timestamp", "").encode() + b"." + body, hashlib.sha256
    ).hexdigest()
    return hmac.compare_digest(f"v1={expected}", headers.get("sonde-signature", ""))


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks/SECRET-path"
    try:
        yield found
    finally:
        server.close()
