"""The processes that use most, told while somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from nats.aio.client import Client

from agent.sending.events import publish_top
from agent.sending.live import LiveFeed
from agent.system.state import AgentState
from infra.bus import connection as bus
from schemas.messages import HostEvent, LiveInterest, ProcessUse, TopProcesses
from tests.agent.build import START_MS, Clock, ended, new_spool
from tests.waiting import eventually


def top(name: str) -> TopProcesses:
    return TopProcesses([ProcessUse(1, name, 50.0, 4096)], [])


async def told(client: Client) -> list[str]:
    """Names of the busiest processes of all events stored so far."""
    jetstream = client.jetstream()
    found = []
    for seq in range(1, (await jetstream.stream_info("EVENTS")).state.last_seq + 1):
        event = msgspec.json.decode((await jetstream.get_msg("EVENTS", seq)).data or b"", type=HostEvent)
        assert (event.host, event.kind) == ("web-1", "processes")
        assert event.processes is not msgspec.UNSET
        found.append(event.processes.cpu[0].name)
    return found


class Telling:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.clock = Clock()
        self.feed = LiveFeed("web-1", START_MS, self.clock.monotonic)
        self.status = AgentState()

    def look(self, *hosts: str) -> None:
        self.feed.note_interest(msgspec.json.encode(LiveInterest(list(hosts), 15)))


@asynccontextmanager
async def telling(bus_url: str, tmp_path: Path) -> AsyncIterator[Telling]:
    async with bus.connection(bus_url, "test") as client:
        world = Telling(client)
        spool = new_spool(tmp_path)
        task = asyncio.ensure_future(publish_top(client, "web-1", spool, world.status, world.feed, 0.01))
        try:
            yield world
        finally:
            await ended(task)
            spool.close()


async def test_each_walk_is_told_once_while_somebody_looks_at_this_host(bus_url: str, tmp_path: Path) -> None:
    async with telling(bus_url, tmp_path) as world:
        world.status.top = top("first")
        world.look("web-2", "web-1")

        async def found(*names: str) -> bool:
            return await told(world.client) == list(names)

        await eventually(lambda: found("first"))
        world.status.top = top("second")
        await eventually(lambda: found("first", "second"))
