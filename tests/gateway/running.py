"""The gateway as a test runs it, and a reader of its live stream."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket
from typing import Any, NamedTuple

import httpx
from nats.aio.client import Client

from infra.bus import connection as bus
from infra.settings import ServerSettings
from schemas.catalogue import CATALOGUE, Family
from schemas.codec import Sample, build_batch, encode_batch
from schemas.messages import Lane
from services.gateway import service
from tests.people import add_token, bearing
from tests.waiting import eventually

TRUST = ssl.create_default_context()
"""For every client of a test: reading all certificates takes 30 ms, and a client of its own would."""
NO_AUTHORITY = "/nonexistent/authority"
"""Else a developer's own, below the working directory, would be found."""
ANY = {"If-Match": "*"}
"""For a change that is made whatever is there."""
FRESH = httpx.Limits(keepalive_expiry=1)
"""An idle connection is not used again for long: the gateway closes it after 5 s, and a busy machine is late."""


@asynccontextmanager
async def gateway(
    database_url: str,
    bus_url: str,
    catalogue: tuple[Family, ...] = CATALOGUE,
    sockets: list[socket] | None = None,
    nats_log: Path | None = None,
    token: str | None = None,
    **further: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """The service at work on a free port, with `further` settings; a client whose base is /api/v1.

    The client bears `token`: None for one of an administrator, made in the database; empty for none.
    """
    stop = asyncio.Event()
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    told = {"authority": NO_AUTHORITY, **further}
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0, **told)
    secret = await add_token(database_url) if token is None else token
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(
                service.run(
                    settings,
                    stop,
                    sockets=sockets,
                    on_bound=bound.set_result,
                    catalogue=catalogue,
                    nats_log=nats_log,
                )
            )
            try:
                base = f"http://127.0.0.1:{await bound}/api/v1"
                async with httpx.AsyncClient(base_url=base, timeout=60, verify=TRUST, limits=FRESH) as client:
                    bearing(client, secret)
                    await eventually(lambda: answers(client))
                    yield client
            finally:
                stop.set()
    except BaseExceptionGroup as faults:
        raise bus.first_fault(faults) from None


async def answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).status_code == 200
    except httpx.TransportError:
        return False


async def ready(client: httpx.AsyncClient) -> None:
    """Wait until the bus and the database are both there for the gateway."""

    async def is_ready() -> bool:
        checks = {check["name"]: check["ok"] for check in (await client.get("/health/ready")).json()["checks"]}
        return checks["bus"] and checks["database"]

    await eventually(is_ready)


class Event(NamedTuple):
    """One server-sent event; `name` is empty for a comment."""

    name: str
    id: str
    data: Any


class Stream:
    """An open live stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.seen: list[Event] = []

    async def next(self, within_s: float = 40) -> Event:
        """The next event. Raises StopAsyncIteration at the stream's end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(within_s):
            while line := await anext(self._lines):
                name, _, value = line.partition(": ")
                fields[name] = value
        data = json.loads(fields["data"]) if "data" in fields else None
        event = Event(fields.get("event", ""), fields.get("id", ""), data)
        self.seen.append(event)
        return event

    async def until(
        self, name: str, matching: Callable[[Any], bool] = lambda data: True, within_s: float = 40
    ) -> Event:
        """The next event of that name whose data match; others pass."""
        async with asyncio.timeout(within_s):
            while True:
                event = await self.next(within_s)
                if event.name == name and matching(event.data):
                    return event

    async def in_good_order(self, within_s: float = 40) -> bool:
        """Wait for the end of the stream; False when it was broken off."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    await self.next(within_s)
        except StopAsyncIteration:
            return True
        except httpx.TransportError:
            return False


@asynccontextmanager
async def watching(client: httpx.AsyncClient, query: str = "", last_event_id: str = "") -> AsyncIterator[Stream]:
    """An open stream of /live."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    async with client.stream("GET", f"/live?{query}", headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        yield Stream(response)


@asynccontextmanager
async def publishing(bus_url: str) -> AsyncIterator[Client]:
    async with bus.connection(bus_url, "test agent") as client:
        yield client


async def publish(client: Client, *samples: Sample, host: str = "web-1", lane: Lane = "live", seq: int = 1) -> None:
    """Publish samples as an agent does, and see them off."""
    await client.publish(f"{lane}.{host}", encode_batch(build_batch(host, "e1", lane, seq, samples)))
    await client.flush()
