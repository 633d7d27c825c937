"""The agent as a whole, in-process and as a process, on a real nats-server."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
from nats.aio.client import Client

from agent import service
from infra.bus import connection as bus
from infra.settings import AgentSettings
from schemas import subjects
from schemas.codec import decode_batch, decoded_series
from schemas.messages import HostEvent, LiveInterest
from tests.agent.build import all_times, stored
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
NOWHERE = "nats://127.0.0.1:1"


def settings(data: Path, url: str, **changes: object) -> AgentSettings:
    values = {"sample_interval_s": 0.1, "batch_interval_s": 0.5, "host": "web-1", "directories": "", **changes}
    return AgentSettings(data=str(data), nats_url=url, **values)  # type: ignore[arg-type]


@asynccontextmanager
async def running(of: AgentSettings) -> AsyncIterator[None]:
    """An agent that is stopped in order on leaving."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(service.run(of, stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(40):
            await task


async def times(client: Client) -> list[int]:
    return all_times(await stored(client, "METRICS")) + all_times(await stored(client, "BACKFILL"))


async def test_samples_of_every_must_have_family_reach_the_stream(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client:
        async with running(settings(tmp_path, bus_url, directories=str(tmp_path))):

            async def families() -> bool:
                found = {r.family.name for _, batch in await stored(client, "METRICS") for r in decoded_series(batch)}
                return found >= {"cpu", "memory", "filesystem", "network", "directory", "agent"}

            await eventually(families)
        for _, batch in await stored(client, "METRICS"):
            assert batch.host == "web-1"


async def test_samples_are_on_the_grid_and_none_is_missing(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client:
        async with running(settings(tmp_path, bus_url)):

            async def enough() -> bool:
                return len(await times(client)) >= 15

            await eventually(enough)
        found = await times(client)
    steps = {after - before for before, after in itertools.pairwise(found)}
    assert min(steps) >= 100
    assert all(time % 100 == 0 for time in found)


async def test_facts_are_told_at_the_start(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client, running(settings(tmp_path, bus_url, tags="db, eu")):

        async def facts() -> HostEvent | None:
            state = (await client.jetstream().stream_info("EVENTS")).state
            if not state.messages:
                return None
            message = await client.jetstream().get_msg("EVENTS", state.last_seq)
            return msgspec.json.decode(message.data or b"", type=HostEvent)

        event = await eventually(facts)
    assert (event.host, event.kind) == ("web-1", "facts")
    assert event.facts.hostname
    assert event.facts.cores == os.cpu_count()
    assert event.facts.tags == ["db", "eu"]
    assert event.facts.sample_interval_s == 0.1


async def test_a_viewer_sees_everything_with_the_first_live_sample(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "viewer") as viewer, running(settings(tmp_path, bus_url)):
        subscription = await viewer.subscribe("live.web-1")

        async def stored_some() -> bool:
            return len(await times(viewer)) > 2

        await eventually(stored_some)
        await viewer.publish(subjects.LIVE_INTEREST, msgspec.json.encode(LiveInterest(["*"])))
        batch = decode_batch((await subscription.next_msg(5)).data)
        families = {block.family for block in batch.families}
        assert families >= {"cpu", "memory", "network", "filesystem", "agent"}
        assert len(batch.times) == 1
        following = decode_batch((await subscription.next_msg(5)).data)
        assert following.seq == batch.seq + 1
        assert following.times[0] > batch.times[0]


async def test_without_a_bus_samples_wait_on_the_disk_and_arrive_once_after_a_restart(
    bus_url: str, tmp_path: Path
) -> None:
    def spooled() -> int:
        return sum(file.stat().st_size for file in (tmp_path / "agent" / "spool").glob("*.spool"))

    async with running(settings(tmp_path, NOWHERE)):
        await eventually(lambda: spooled() > 4000)
    async with bus.connection(bus_url, "test") as client:
        async with running(settings(tmp_path, bus_url, backfill_after_s=1)):

            async def enough() -> bool:
                return len(await stored(client, "BACKFILL")) >= 1 and len(await stored(client, "METRICS")) >= 4

            await eventually(enough)
        found = await times(client)
    assert len(found) == len(set(found))
    found.sort()
    gaps = [after - before for before, after in itertools.pairwise(found) if after - before > 500]
    assert len(gaps) <= 1, "only the restart itself"


async def test_stopping_sends_the_samples_in_hand(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client:
        async with running(settings(tmp_path, bus_url, batch_interval_s=300)):

            async def first_batch() -> bool:
                return len(await times(client)) >= 2

            await eventually(first_batch)
            loop = asyncio.get_running_loop()
            later = loop.time() + 0.5
            await eventually(lambda: loop.time() > later)
        assert len(await times(client)) >= 5
        assert len(await stored(client, "METRICS")) <= 3


async def test_an_unusable_data_directory_does_not_keep_samples_from_the_bus(bus_url: str, tmp_path: Path) -> None:
    (tmp_path / "agent").touch()
    async with bus.connection(bus_url, "test") as client, running(settings(tmp_path, bus_url)):

        async def enough() -> bool:
            return len(await times(client)) >= 10

        await eventually(enough)


@contextmanager
def process(data: Path, url: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m agent`, killed on leaving if it still runs."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("SONDE_")}
    with subprocess.Popen(
        [sys.executable, "-m", "agent"],
        env={**clean, "PYTHONPATH": str(ROOT), "SONDE_DATA": str(data), "SONDE_NATS_URL": url, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=data,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


async def test_a_signal_ends_the_process_in_order(bus_url: str, tmp_path: Path) -> None:
    with process(tmp_path, bus_url, SONDE_SAMPLE_INTERVAL_S="0.1", SONDE_BATCH_INTERVAL_S="0.5") as agent:
        async with bus.connection(bus_url, "test") as client:

            async def publishes() -> bool:
                return len(await times(client)) >= 2

            await eventually(publishes)
        agent.send_signal(signal.SIGTERM)
        output, _ = await asyncio.to_thread(agent.communicate, timeout=40)
        assert agent.returncode == 0, output
        assert "Traceback" not in output


async def test_a_second_agent_on_the_same_data_says_so_in_one_line(bus_url: str, tmp_path: Path) -> None:
    async with running(settings(tmp_path, bus_url)):
        await eventually(lambda: (tmp_path / "agent" / "spool" / "lock").exists())
        with process(tmp_path, bus_url) as agent:
            output, _ = await asyncio.to_thread(agent.communicate, timeout=40)
            assert agent.returncode == 2
        assert "another agent uses this spool" in output
        assert "Traceback" not in output


def test_an_invalid_setting_ends_the_process_with_one_line(tmp_path: Path) -> None:
    with process(tmp_path, NOWHERE, SONDE_SAMPLE_INTERVAL_S="0") as agent:
        output, _ = agent.communicate(timeout=40)
        assert agent.returncode == 2
    assert output.startswith("agent: SONDE_SAMPLE_INTERVAL_S")
    assert len(output.splitlines()) == 1
