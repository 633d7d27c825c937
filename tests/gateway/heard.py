"""Heartbeats as services say them, and every service at work beside a gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from infra.settings import ServerSettings
from schemas.health import Component, Health, Heartbeat, Work
from services.alerts import service as alerts
from services.ingest import service as ingest
from services.retention import service as retention
from tests.waiting import eventually

SERVICES = {"ingest": ingest.run, "alerts": alerts.run, "retention": retention.run}


def heartbeat(service: str = "ingest", **said: Any) -> Heartbeat:
    """One of an instance that is well, but for what is `said`."""
    usual: dict[str, Any] = {
        "service": service,
        "instance": f"{service}-1",
        "host": "monitor-1",
        "pid": 7,
        "version": "1.0.0",
        "time": 1_800_000_100_000,
        "started": 1_800_000_000_000,
        "uptime_s": 100.0,
        "standby": False,
        "errors": 0,
        "errors_last_minute": 0,
        "last_error": "",
        "last_success": 1_800_000_100_000,
        "rss_bytes": 50 * 2**20,
        "work": Work(lag_s=0.0),
    }
    return Heartbeat(**(usual | said))


@asynccontextmanager
async def running(name: str, database_url: str, bus_url: str) -> AsyncIterator[None]:
    """One service at work until the test leaves."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(SERVICES[name](ServerSettings(nats_url=bus_url, database_url=database_url), stop))
        try:
            yield
        finally:
            stop.set()


async def health(client: httpx.AsyncClient) -> Health:
    """What /health answers."""
    response = await client.get("/health")
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=Health)


async def component(client: httpx.AsyncClient, name: str) -> Component:
    return next(part for part in (await health(client)).components if part.name == name)


async def becomes(client: httpx.AsyncClient, name: str, status: str, within_s: float = 30) -> Component:
    """Wait until a component has that status."""

    async def there() -> Component:
        found = await component(client, name)
        assert found.status == status, found
        return found

    return await eventually(there, within_s=within_s)
