"""A viewer that reads nothing, and more than it can hold."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from infra.clock import now_ms
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from tests.batches import sample
from tests.gateway.running import publish
from tests.waiting import eventually

BIG = dict.fromkeys(("total", "user", "system", "iowait", "steal", "nice", "irq", "softirq"), 1)


def small_socket() -> socket.socket:
    """A bound socket whose connections hold little, so that a stuck peer is noticed soon."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    bound.bind(("127.0.0.1", 0))
    bound.setblocking(False)
    return bound


@asynccontextmanager
async def stuck(client: httpx.AsyncClient, query: str = "") -> AsyncIterator[socket.socket]:
    """A viewer that asks and then reads nothing; its socket takes little."""
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(plain, (client.base_url.host, client.base_url.port))
        bearer = f"Authorization: {client.headers['Authorization']}"
        request = f"GET /api/v1/live{query} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: stuck\r\n{bearer}\r\n\r\n"
        await loop.sock_sendall(plain, request.encode())
        yield plain


async def the_stuck_one(client: httpx.AsyncClient) -> Any:
    viewers = (await client.get("/viewers")).json()["viewers"]
    return next((one for one in viewers if one["user_agent"] == "stuck"), None)


async def flood(agent: Any, hosts: int = 10) -> None:
    """Much to send: a frame of some hundred KB, and many small events."""
    at = now_ms()
    for number in range(hosts):
        await publish(agent, *(sample(at + k, **BIG) for k in range(60)), host=f"web-{number}")
    for number in range(100):
        await agent.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged("raw_days", number)))


async def overflow(client: httpx.AsyncClient, agent: Any) -> None:
    """Flood until the stuck viewer's queue has overflown."""

    async def overflown() -> bool:
        await flood(agent)
        one = await the_stuck_one(client)
        return one is not None and one["state"] == "draining"

    await eventually(overflown, 30)


async def receive_until(plain: socket.socket, enough: Callable[[bytes], bool]) -> bytes:
    """What the stuck viewer gets when it reads after all, until that is enough."""
    loop = asyncio.get_running_loop()
    seen = b""
    async with asyncio.timeout(40):
        while not enough(seen):
            seen += await loop.sock_recv(plain, 1 << 20)
    return seen
