"""What an attacker does to the gateway's port, as a process of its own: `python -m tests.faults.attacker KIND PORT`.

It opens many connections from several addresses of loopback, keeps each busy in the way of KIND until the gateway cuts
it, and prints as one line of JSON how many were opened and cut, and after how long the last one was.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator

CONNECTIONS = 500
SOURCES = 5
"""So that each address stays below what one may have."""
DRIP_EVERY_S = 1.0
PATIENCE_S = 120.0

HEAD = b"GET /api/v1/hosts HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
JSON = b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


def drip(begin: bytes, byte: bytes) -> Iterator[tuple[bytes, float]]:
    """What to send, and how long to wait then."""
    yield begin, DRIP_EVERY_S
    while True:
        yield byte, DRIP_EVERY_S


def endless(begin: bytes, block: bytes) -> Iterator[tuple[bytes, float]]:
    yield begin, 0
    while True:
        yield block, 0


KINDS: dict[str, Callable[[], Iterator[tuple[bytes, float]]]] = {
    "slow heads": lambda: drip(HEAD, b"a"),
    "slow second heads": lambda: drip(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" + HEAD, b"a"),
    "slow bodies": lambda: drip(JSON + b"Content-Length: 60000\r\n\r\n", b" "),
    "slow bodies that nobody reads": lambda: drip(
        JSON.replace(b"session", b"nothing") + b"Content-Length: 9999\r\n\r\n", b" "
    ),
    "slow handshakes": lambda: drip(HELLO, b"\x00"),
    "silence": lambda: iter([(b"", PATIENCE_S)]),
    "bodies without end": lambda: endless(
        JSON + b"Transfer-Encoding: chunked\r\n\r\n", b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    ),
    "heads without end": lambda: endless(HEAD, b"a" * 0x4000),
}


async def attack(kind: str, port: int, number: int) -> float | None:
    """Seconds until the gateway cut the connection; None when it never did."""
    began_s = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(f"127.0.{1 + list(KINDS).index(kind)}.{1 + number % SOURCES}", 0)
        )
    except OSError:
        return 0.0
    try:
        async with asyncio.timeout(PATIENCE_S):
            ended = asyncio.ensure_future(_end(reader))
            for data, wait_s in KINDS[kind]():
                writer.write(data)
                await asyncio.wait([ended], timeout=wait_s)
                if ended.done():
                    break
                await writer.drain()
            await ended
    except OSError as error:
        if isinstance(error, TimeoutError):
            return None
    finally:
        writer.transport.abort()
    return time.monotonic() - began_s


async def _end(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass


async def main(kind: str, port: int) -> None:
    took_s = await asyncio.gather(*(attack(kind, port, number) for number in range(CONNECTIONS)))
    cut_s = [each for each in took_s if each is not None]
    print(json.dumps({"opened": len(took_s), "cut": len(cut_s), "longest_s": max(cut_s, default=0.0)}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
