"""A host is removed while everything works: nothing of it is stored, judged or shown, and others notice nothing."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from nats.aio.client import Client

from infra.bus import connection as bus
from infra.settings import ServerSettings
from infra.storage.database import Connection, connection
from schemas.rules import Rule, Threshold
from schemas.subjects import STREAMS
from services.alerts import service as alerts
from services.ingest import service as ingest
from services.retention import service as retention
from tests.alerts.fleet import Fleet
from tests.batches import encoded, sample
from tests.gateway.running import gateway, ready, watching
from tests.removing import enrol_again
from tests.waiting import eventually

DOWN = Rule("down", "Host down", "host.down", critical=Threshold(5, 5))
BUSY = Rule("busy", "CPU busy", "cpu.total", warning=Threshold(75, 65), for_s=0)
EVERY_S = 0.1
RECORDS = (
    *("instances", "marks", "refusals", "alert_states", "alert_transitions", "dirty_minutes", "dirty_hours"),
    *("removals", "agent_configs"),
)


@asynccontextmanager
async def everything(bus_url: str, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """All services, and a client of the gateway."""
    settings = ServerSettings(nats_url=bus_url, database_url=database_url)
    stop = asyncio.Event()
    async with gateway(database_url, bus_url) as client, asyncio.TaskGroup() as group:
        for service in (ingest, alerts, retention):
            group.create_task(service.run(settings, stop))
        try:
            await ready(client)
            yield client
        finally:
            stop.set()


@asynccontextmanager
async def at_work(
    bus_url: str, database_url: str, *rules: Rule
) -> AsyncIterator[tuple[Client, Connection, httpx.AsyncClient]]:
    """All services with `rules`: a connection for agents, one of the database, and a client of the gateway."""
    async with (
        bus.connection(bus_url, "agents") as client,
        connection(database_url, "test") as database,
        everything(bus_url, database_url) as browser,
    ):
        await Fleet(client, database, ServerSettings(nats_url=bus_url, database_url=database_url)).rules(*rules)
        yield client, database, browser


class Agent:
    """A machine that publishes every `EVERY_S`, whatever becomes of it, until it is stopped between two batches."""

    def __init__(self, client: Client, name: str, busy: int = 10) -> None:
        self.client = client
        self.name = name
        self.busy = busy
        self.sent: list[int] = []
        self.stopped = False

    async def run(self) -> None:
        for seq in itertools.count(1):
            if self.stopped:
                return
            at_ms = time.time_ns() // 1_000_000
            data = encoded(sample(at_ms, total=100 * self.busy), host=self.name, seq=seq)
            await self.client.jetstream().publish(f"metrics.{self.name}", data)
            self.sent.append(at_ms)
            await asyncio.sleep(EVERY_S)


@asynccontextmanager
async def publishing(*agents: Agent) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        for agent in agents:
            group.create_task(agent.run())
        try:
            yield
        finally:
            for agent in agents:
                agent.stopped = True


async def stored(database: Connection, name: str) -> int:
    number: int = await database.fetchval(
        "SELECT count(*) FROM cpu JOIN hosts ON id = host_id WHERE name = $1 AND state = 'active'", name
    )
    return number


async def kinds(database: Connection, name: str) -> list[str]:
    """Of the host that has that name now; those of its predecessors are not its own."""
    rows = await database.fetch(
        "SELECT kind FROM alert_transitions t JOIN hosts h ON h.id = t.host_id "
        "WHERE h.name = $1 AND h.state = 'active' ORDER BY t.id",
        name,
    )
    return [row["kind"] for row in rows]


async def kinds_of(database: Connection, host_id: int) -> list[str]:
    """Of one machine, whatever became of it."""
    rows = await database.fetch("SELECT kind FROM alert_transitions WHERE host_id = $1 ORDER BY id", host_id)
    return [row["kind"] for row in rows]


@pytest.mark.fault
async def test_a_removed_host_that_sends_on_leaves_nothing_and_others_lose_nothing(
    bus_url: str, database_url: str
) -> None:
    async with at_work(bus_url, database_url, BUSY, DOWN) as (client, database, browser):
        web, db = Agent(client, "web-1", busy=90), Agent(client, "db-1")
        async with watching(browser) as stream, publishing(web, db):
            await eventually(lambda: kinds(database, "web-1"))
            assert (await browser.delete("/hosts/web-1")).status_code == 202
            assert (await stream.until("gone")).data == {"host": "web-1"}

            async def deleted() -> bool:
                return not (await browser.get("/removals")).json()["removals"]

            await eventually(deleted)
            sent = len(web.sent)
            await eventually(lambda: len(web.sent) > sent + 20)
            assert {host["id"] for host in (await browser.get("/hosts")).json()["hosts"]} == {"db-1"}
        samples = len(db.sent)

        async def all_stored() -> bool:
            return await stored(database, "db-1") == samples

        await eventually(all_stored)
        assert [row["name"] for row in await database.fetch("SELECT name FROM hosts")] == ["db-1"]
        assert await database.fetchval("SELECT count(DISTINCT host_id) FROM cpu") == 1
        number = await database.fetchval("SELECT id FROM hosts")
        for table in RECORDS:
            others = f"SELECT count(*) FROM {table} WHERE host_id <> $1"  # noqa: S608 - names above
            assert await database.fetchval(others, number) == 0, table
        assert await kinds(database, "db-1") == []


@pytest.mark.fault
async def test_a_host_that_comes_and_goes_under_one_name_has_each_time_only_its_own(
    bus_url: str, database_url: str
) -> None:
    async with at_work(bus_url, database_url, BUSY) as (client, database, browser):
        before: list[int] = []
        number = await enrol_again(database, "web-1")
        for busy in (90, 10, 90):
            agent = Agent(client, "web-1", busy)
            async with publishing(agent):
                await eventually(lambda: stored(database, "web-1"))
            sent = len(agent.sent)

            async def all_stored(wanted: int = sent) -> bool:
                return await stored(database, "web-1") == wanted

            await eventually(all_stored)
            if busy == 90:
                await eventually(lambda: kinds(database, "web-1"))
            assert await kinds(database, "web-1") == (["fire"] if busy == 90 else [])
            assert (await browser.delete("/hosts/web-1")).status_code == 202
            before.append(number)
            number = await enrol_again(database, "web-1")
            for each in before:  # as far as it is not erased yet
                assert set(await kinds_of(database, each)) <= {"fire", "gone"}
        subjects = {}
        for stream in STREAMS:
            info = await client.jetstream().stream_info(stream.name, subjects_filter=">")
            subjects |= info.state.subjects or {}
        assert subjects.get("metrics.web-1", 0) <= 1
