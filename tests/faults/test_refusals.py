"""A bus that is slow, full, or takes only small messages: everything is kept and arrives once."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from pathlib import Path

import pytest
from msgspec import structs

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams, stream_config
from infra.servers.embedded import nats_server
from schemas.subjects import METRICS
from tests.agent.build import START_MS, all_times, samples, stored
from tests.agent.sending.test_publisher import agent as half_agent
from tests.agent.sending.test_publisher import publishing
from tests.agent.test_service import process
from tests.faults.agents import agent, assert_complete, count, settings, times
from tests.guarded import ADMIN, guarded_server
from tests.waiting import eventually

QUICK = {"SONDE_SAMPLE_INTERVAL_S": "0.1", "SONDE_BATCH_INTERVAL_S": "0.5", "SONDE_HOST": "web-1"}


@pytest.mark.fault
async def test_a_full_stream_keeps_batches_in_the_spool_until_it_has_room(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client, half_agent(tmp_path) as source:
        jetstream = client.jetstream()
        await jetstream.update_stream(stream_config(structs.replace(METRICS, max_bytes=4000)))
        async with publishing(bus_url, source):
            await source.spool(samples(500))

            async def stuck() -> bool:
                before = (await jetstream.stream_info("METRICS")).state.messages
                await asyncio.sleep(0.6)
                return 0 < before == (await jetstream.stream_info("METRICS")).state.messages < 50

            await eventually(stuck)
            assert source.lanes.spool.backlog.batches > 0
            assert source.lanes.spool.backlog.dropped == 0
            await jetstream.update_stream(stream_config(METRICS))
            await source.delivered()
        assert all_times(await stored(client, "METRICS")) == [START_MS + 1000 * index for index in range(500)]


@pytest.mark.fault
async def test_a_server_that_takes_only_small_messages_gets_them_once_it_takes_them(
    tmp_path: Path, taken: list[int]
) -> None:
    async with (
        guarded_server(tmp_path / "nats", "web-1") as guarded,
        bus.connection(guarded.url(ADMIN), "admin") as admin,
    ):
        await ensure_streams(admin)
        async with agent(settings(tmp_path / "data", guarded.url("web-1"))):
            await eventually(lambda: count(admin, 5))
            guarded.limits = "max_payload: 300"
            guarded.admit("web-1")
            await guarded.reload()
            before = len(await times(admin))
            await asyncio.sleep(2)  # batches that the server refuses
            guarded.limits = ""
            guarded.admit("web-1")
            await guarded.reload()
            await eventually(lambda: count(admin, before + 40), 30)
        assert_complete(await times(admin), taken)


@pytest.mark.fault
async def test_a_signal_while_a_publish_hangs_ends_the_process_in_time_and_costs_nothing(tmp_path: Path) -> None:
    """The server has the message and does not answer: whether it stored it, the agent cannot know."""
    async with nats_server(tmp_path / "nats") as server:
        async with bus.connection(server.url, "test") as client:
            await ensure_streams(client)
        with process(tmp_path, server.url, **QUICK) as agent_process:
            async with bus.connection(server.url, "test") as client:
                await eventually(lambda: count(client, 5))
            os.kill(server.process.pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(1.5)
                agent_process.send_signal(signal.SIGTERM)
                output, _ = await asyncio.to_thread(agent_process.communicate, timeout=40)
            finally:
                os.kill(server.process.pid, signal.SIGCONT)
            assert agent_process.returncode == 0, output
            assert "Traceback" not in output
        with process(tmp_path, server.url, **QUICK) as agent_process:
            async with bus.connection(server.url, "test") as client:
                before = len(await times(client))
                await eventually(lambda: count(client, before + 20), 20)
            agent_process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(agent_process.communicate, timeout=40)
        async with bus.connection(server.url, "test") as client:
            found = await times(client)
    assert len(found) == len(set(found)), "doubled"
    gaps = [after - before for before, after in itertools.pairwise(found) if after - before > 500]
    assert len(gaps) <= 1, "more missing than the restart itself"
