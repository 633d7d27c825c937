"""Delivery to a real nats-server: once, in order, whatever happens to the server and the agent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import structs
from nats.aio.client import Client

from agent.sending.batching import batches, numbered
from agent.sending.lanes import Lanes
from agent.sending.publisher import send_backfill, send_present
from agent.spool.spool import Limits, open_spool
from agent.system.state import AgentState
from agent.system.worker import Worker
from infra.bus import connection as bus
from infra.bus.streams import ensure_streams, stream_config
from infra.servers.embedded import nats_server
from schemas.codec import Sample
from schemas.messages import BATCH_TYPE, BATCH_VERSION
from schemas.subjects import METRICS
from tests.agent.build import START_MS, all_times, ended, samples, stored
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
NOW_S = START_MS / 1000

CUT_OFF = """
import os, signal, sys
from pathlib import Path
from agent.spool.spool import Limits, open_spool
from tests.agent.build import START_MS, samples, spool_samples

spool = open_spool(Path(sys.argv[1]), Limits(), lambda: START_MS / 1000)
spool_samples(spool, samples(600))
os.kill(os.getpid(), signal.SIGKILL)
"""


class Agent:
    """Spool and lanes of one agent, without its sampling."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes

    async def spool(self, taken: list[Sample]) -> None:
        for at in range(0, len(taken), 10):
            for batch in batches(self.lanes.host, self.lanes.spool.epoch, taken[at : at + 10], 200_000):
                await self.lanes.store(numbered(batch), len(batch.times), taken[at : at + 10][-1].time_ms)

    async def session(self, client: Client) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(send_present(client, self.lanes))
            group.create_task(send_backfill(client, self.lanes))

    async def delivered(self, within_s: float = 40) -> None:
        await eventually(lambda: self.lanes.spool.backlog.batches == 0, within_s)


@asynccontextmanager
async def agent(
    directory: Path, now_s: float = NOW_S, limits: Limits | None = None, host: str = "web-1"
) -> AsyncIterator[Agent]:
    disk = Worker("spool")
    spool = await disk.run(open_spool, directory, limits or Limits(), lambda: now_s)
    yield Agent(Lanes(host, spool, disk, AgentState(), pace_s=0.01))
    await disk.run(spool.close)
    disk.close()


@asynccontextmanager
async def publishing(url: str, source: Agent) -> AsyncIterator[None]:
    task = asyncio.ensure_future(bus.keep_connected(url, "test agent", source.session))
    yield
    await ended(task)


async def test_a_batch_is_stored_with_its_headers(bus_url: str, tmp_path: Path) -> None:
    async with agent(tmp_path) as source, publishing(bus_url, source), bus.connection(bus_url, "test") as client:
        await source.spool(samples(10))
        await source.delivered()
        ((headers, batch),) = await stored(client, "METRICS")
    assert headers["Nats-Msg-Id"] == f"web-1:{batch.epoch}:metrics:1"
    assert headers["Content-Type"] == BATCH_TYPE
    assert headers["Sonde-Schema"] == BATCH_VERSION
    assert (batch.host, batch.lane, batch.seq, len(batch.times)) == ("web-1", "metrics", 1, 10)
    assert source.lanes.status.publish_ms is not None


async def test_batches_arrive_in_order(bus_url: str, tmp_path: Path) -> None:
    async with agent(tmp_path) as source, publishing(bus_url, source), bus.connection(bus_url, "test") as client:
        await source.spool(samples(300))
        await source.delivered()
        messages = await stored(client, "METRICS")
    assert [batch.seq for _, batch in messages] == list(range(1, 31))
    assert all_times(messages) == [START_MS + 1000 * index for index in range(300)]


async def test_a_stream_that_does_not_exist_yet_is_waited_for(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client:
        await client.jetstream().delete_stream("METRICS")
        async with agent(tmp_path) as source, publishing(bus_url, source):
            await source.spool(samples(20))
            await eventually(lambda: source.lanes.spool.backlog.batches == 2)
            await ensure_streams(client)
            await source.delivered()
        assert len(all_times(await stored(client, "METRICS"))) == 20


async def test_a_batch_too_large_for_the_bus_is_dropped_and_the_next_ones_flow(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client:
        small = stream_config(structs.replace(METRICS, max_msg_bytes=600))
        await client.jetstream().update_stream(small)
        async with agent(tmp_path) as source, publishing(bus_url, source):
            wide = [
                Sample(START_MS + second, {"disk": {f"disk-number-{index}": {"read": second} for index in range(50)}})
                for second in range(3)
            ]
            await source.spool(wide)
            await source.spool(samples(10, START_MS + 10_000))
            await source.delivered()
            assert source.lanes.spool.backlog.dropped == 1
        ((_, batch),) = await stored(client, "METRICS")
        assert batch.seq == 2


async def test_an_acknowledgement_that_was_lost_leads_to_no_second_copy(bus_url: str, tmp_path: Path) -> None:
    """The agent dies between the bus's store and its own note of it: the same message under the same id comes again."""
    async with agent(tmp_path / "first") as source, bus.connection(bus_url, "test") as client:
        await source.spool(samples(10))
        message = await source.lanes.disk.run(source.lanes.spool.next_present)
        assert message is not None
        headers = {"Nats-Msg-Id": f"web-1:{source.lanes.spool.epoch}:metrics:1"}
        await client.jetstream().publish("metrics.web-1", message.payload, headers=headers)
        async with publishing(bus_url, source):
            await source.delivered()
        assert len(await stored(client, "METRICS")) == 1


async def test_ten_minutes_without_the_bus_and_a_killed_agent_lose_and_double_nothing(
    bus_url: str, tmp_path: Path
) -> None:
    done = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-c", CUT_OFF, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    later_s = NOW_S + 610
    async with agent(tmp_path, later_s) as source, bus.connection(bus_url, "test") as client:
        await source.spool(samples(20, START_MS + 605_000))
        async with publishing(bus_url, source):
            await source.delivered()
        present, past = await stored(client, "METRICS"), await stored(client, "BACKFILL")
    times = all_times(present) + all_times(past)
    assert sorted(times) == [START_MS + 1000 * index for index in range(600)] + [
        START_MS + 605_000 + 1000 * index for index in range(20)
    ]
    assert len(past) == 1, "merged"
    assert [batch.seq for _, batch in past] == [1]
    seqs = [batch.seq for _, batch in present]
    assert seqs == sorted(set(seqs))
    assert {batch.lane for _, batch in past} == {"backfill"}


async def test_the_present_does_not_wait_for_the_past(bus_url: str, tmp_path: Path) -> None:
    limits = Limits(message_bytes=300)
    async with agent(tmp_path, NOW_S + 6000, limits) as source, bus.connection(bus_url, "test") as client:
        source.lanes.pace_s = 30
        await source.spool(samples(600))
        await source.spool(samples(10, START_MS + 5_990_000))
        async with publishing(bus_url, source):
            await eventually(lambda: source.lanes.drained.is_set())
            assert source.lanes.spool.has_backfill
        assert START_MS + 5_999_000 in all_times(await stored(client, "METRICS"))


async def test_killing_the_server_while_batches_flow_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with nats_server(tmp_path / "nats") as server, agent(tmp_path / "spool") as source:
        async with bus.connection(server.url, "test") as client:
            await ensure_streams(client)
        async with publishing(server.url, source):
            for part in range(4):
                await source.spool(samples(50, START_MS + part * 50_000))
                await server.kill()
                await source.spool(samples(10, START_MS + 1_000_000 + part * 10_000))
                await server.restart()
            await source.delivered(60)
        async with bus.connection(server.url, "test") as client:
            messages = await stored(client, "METRICS")
    times = all_times(messages)
    assert len(times) == len(set(times)) == 240
    seqs = [batch.seq for _, batch in messages]
    assert seqs == sorted(set(seqs))
