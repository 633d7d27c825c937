"""The little of HTTP that the Docker engine's API needs, over its UNIX socket: one GET a connection, bounded."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

WITHIN_S = 5.0
MOST_BYTES = 8 * 2**20
MOST_HEADER_BYTES = 64 * 2**10


class EngineError(Exception):
    """The engine did not answer as it should; says what was asked and what came."""

    def __init__(self, path: str, said: str, status: int = 0) -> None:
        super().__init__(f"GET {path}: {said}")
        self.status = status
        """HTTP status; 0 when there was no answer."""


async def get_json(socket: str, path: str, within_s: float = WITHIN_S) -> Any:
    """The decoded answer to `GET path`. Raises EngineError."""
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_unix_connection(socket, limit=MOST_HEADER_BYTES)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                status, body = await _response(reader)
            finally:
                writer.close()
    except TimeoutError:
        raise EngineError(path, f"no answer within {within_s:g} s") from None
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise EngineError(path, f"{type(error).__name__}: {error}") from None
    if status != 200:
        raise EngineError(path, f"status {status}: {body[:200].decode('utf-8', 'replace').strip()}", status)
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise EngineError(path, f"not JSON: {error}") from None


async def _response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body. Raises ValueError for what is not HTTP/1, and what the reader raises."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, _, rest = head[0].partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError(f"not an HTTP answer: {head[0][:100]!r}")
    headers = {name.strip().lower(): text.strip() for name, _, text in (line.partition(":") for line in head[1:])}
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return int(rest[:3]), await _chunked(reader)
    length = headers.get("content-length")
    if length is None:
        body = await reader.read(MOST_BYTES + 1)
        while len(body) <= MOST_BYTES and (more := await reader.read(MOST_BYTES)):
            body += more
        _check_size(len(body))
        return int(rest[:3]), body
    _check_size(int(length))
    return int(rest[:3]), await reader.readexactly(int(length))


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        _check_size(len(body) + size)
        if not size:
            return bytes(body)
        body += await reader.readexactly(size)
        await reader.readexactly(2)


def _check_size(size: int) -> None:
    if not 0 <= size <= MOST_BYTES:
        raise ValueError(f"an answer of {size} bytes, at most {MOST_BYTES} are taken")
