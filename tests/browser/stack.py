"""The real thing for a browser to look at: gateway, ingest, alerts and an agent of this machine, in the test's loop."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent import service as agent
from infra.bus.connection import connection as bus_connection
from infra.settings import AgentSettings, ServerSettings
from schemas.codec import Sample, build_batch, encode_batch
from services.alerts import service as alerts
from services.gateway import service as gateway
from services.ingest import service as ingest
from tests.browser.logins import remember

HOST = "browser-test"


@asynccontextmanager
async def stack(bus_url: str, database_url: str, data: Path) -> AsyncIterator[str]:
    """Everything, with an agent that calls this machine `HOST`; yields the dashboard's address."""
    settings = ServerSettings(data=str(data), nats_url=bus_url, database_url=database_url, port=0)
    local = AgentSettings(data=str(data), nats_url=bus_url, host=HOST, batch_interval_s=2, directories="")
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(ingest.run(settings, stop))
        group.create_task(alerts.run(settings, stop))
        group.create_task(agent.run(local, stop))
        async with served(settings) as address:
            yield address
        stop.set()


@asynccontextmanager
async def served(settings: ServerSettings) -> AsyncIterator[str]:
    """A gateway while the context lasts; yields its address."""
    stop = asyncio.Event()
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(gateway.run(settings, stop, on_bound=bound.set_result))
        port = await bound
        await remember(settings.database_url)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            stop.set()


@asynccontextmanager
async def sending(bus_url: str, *hosts: str) -> AsyncIterator[None]:
    """Hosts that send every sample live, once a second, as agents do that are watched; while the context lasts."""

    async def send() -> None:
        async with bus_connection(bus_url, "test hosts") as client:
            for second in itertools.count():
                now_ms = time.time_ns() // 1_000_000
                for host in hosts:
                    taken = Sample(now_ms, {"cpu": {"": {"total": 1000 + 100 * (second % 60), "load1": 50}}})
                    await client.publish(f"live.{host}", encode_batch(build_batch(host, "e1", "live", 1, [taken])))
                await asyncio.sleep(1)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(send())
        try:
            yield
        finally:
            task.cancel()
