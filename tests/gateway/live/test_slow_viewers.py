"""Viewers that do not keep up: bounded, resynchronised, cut off, and nobody else's trouble."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from infra.clock import now_ms
from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.gateway.live import api as routes_live
from services.gateway.live import viewer
from tests.batches import sample
from tests.gateway.running import gateway, publish, publishing, ready, watching
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
async def stuck(client: httpx.AsyncClient) -> AsyncIterator[socket.socket]:
    """A viewer that asks and then reads nothing; its socket takes little."""
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(plain, (client.base_url.host, client.base_url.port))
        await loop.sock_sendall(plain, b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nUser-Agent: stuck\r\n\r\n")
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


async def test_a_stuck_viewer_is_bounded_and_does_not_hold_up_the_others(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "QUEUE_EVENTS", 150)  # more than one flood
    async with gateway(database_url, bus_url, sockets=[small_socket()]) as client, publishing(bus_url) as agent:
        await ready(client)
        async with stuck(client), watching(client) as stream:
            await stream.until("snapshot")

            async def others_have_it_all() -> bool:
                viewers = (await client.get("/viewers")).json()["viewers"]
                return all(one["lag_ms"] == 0 for one in viewers if one["user_agent"] != "stuck")

            async def overflown() -> bool:
                await flood(agent)
                await eventually(others_have_it_all)
                one = await the_stuck_one(client)
                return one["state"] == "draining" and one["dropped"] > 0

            async def read() -> None:
                while True:
                    await stream.next()

            reading = asyncio.create_task(read())
            try:
                await eventually(overflown, 30)
                viewers = (await client.get("/viewers")).json()["viewers"]
            finally:
                reading.cancel()
                await asyncio.wait([reading])
    assert [one["dropped"] for one in viewers if one["user_agent"] != "stuck"] == [0]


async def test_a_slow_viewer_is_told_to_start_anew_from_a_snapshot(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "QUEUE_EVENTS", 50)
    async with gateway(database_url, bus_url, sockets=[small_socket()]) as client, publishing(bus_url) as agent:
        await ready(client)
        async with stuck(client) as plain:

            async def overflown() -> bool:
                await flood(agent)
                one = await the_stuck_one(client)
                return one is not None and one["state"] == "draining"

            await eventually(overflown, 30)
            loop = asyncio.get_running_loop()
            seen = b""
            async with asyncio.timeout(20):
                while b"event: resync" not in seen or b"event: snapshot" not in seen.partition(b"event: resync")[2]:
                    seen += await loop.sock_recv(plain, 1 << 20)


async def test_a_dead_connection_is_cut_off(database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_live, "SEND_TIMEOUT_S", 0.2)
    async with gateway(database_url, bus_url, sockets=[small_socket()]) as client, publishing(bus_url) as agent:
        await ready(client)
        async with stuck(client) as plain:
            await eventually(lambda: the_stuck_one(client))

            async def gone() -> bool:
                await flood(agent)
                return await the_stuck_one(client) is None

            await eventually(gone, 30)
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(10):
                with contextlib.suppress(ConnectionResetError):
                    while await loop.sock_recv(plain, 1 << 20):
                        pass


async def test_a_stuck_viewer_does_not_hold_up_the_stop(database_url: str, bus_url: str) -> None:
    async with contextlib.AsyncExitStack() as peers:
        async with (
            gateway(database_url, bus_url, sockets=[small_socket()]) as client,
            publishing(bus_url) as agent,
        ):
            await ready(client)
            await peers.enter_async_context(stuck(client))

            async def behind() -> bool:
                await flood(agent)
                one = await the_stuck_one(client)
                return one is not None and one["lag_ms"] > 0

            await eventually(behind)
            stopping = time.monotonic()
        assert time.monotonic() - stopping < 2
