"""Disks that fill up or cannot be written to cost no sample, and a spool that is full costs the oldest, counted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agent.spool.spool import Limits
from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server
from schemas.messages import HostEvent
from tests.agent.build import START_MS, all_times, samples, stored
from tests.agent.sending.test_publisher import agent as half_agent
from tests.agent.sending.test_publisher import publishing
from tests.faults.agents import agent, assert_complete, count, said, settings, spooled, times
from tests.waiting import eventually

CANNOT_WRITE = "spool not writable, batches kept in memory"
CAN_WRITE = "spool writable again"


def as_root(*command: str) -> None:
    """Skip the test where the command is forbidden."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}: not allowed here")


def is_enforced_on_open_files(probe: Path) -> bool:
    """Whether the file system lets nobody write to an immutable file, not even who opened it before."""
    with probe.open("wb", buffering=0) as file:
        as_root("chattr", "+i", str(probe))
        try:
            file.write(b"x")
        except OSError:
            return True
        finally:
            as_root("chattr", "-i", str(probe))
    return False


@pytest.fixture(autouse=True)
def everything_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    as_root("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(directory))
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room; returns the file that takes it."""
    junk = disk / "junk"
    with junk.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 512)
    return junk


@pytest.mark.fault
async def test_a_full_disk_costs_nothing_once_it_has_room_again(
    small_disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, taken: list[int]
) -> None:
    async with nats_server(tmp_path / "nats") as server:
        async with bus.connection(server.url, "test") as client:
            await ensure_streams(client)
        async with agent(settings(small_disk, server.url)):
            await eventually(lambda: spooled(small_disk) > 0)
            await server.kill()
            junk = fill(small_disk)
            await eventually(lambda: said(caplog, CANNOT_WRITE))
            full_at = spooled(small_disk)
            await asyncio.sleep(2)  # samples that the disk does not take
            assert spooled(small_disk) == full_at
            junk.unlink()
            await eventually(lambda: spooled(small_disk) > full_at)
            await server.restart()
            async with bus.connection(server.url, "test") as client:
                before = len(await times(client))
                await eventually(lambda: count(client, before + 40), 30)
        async with bus.connection(server.url, "test") as client:
            assert_complete(await times(client), taken)
    assert (said(caplog, CANNOT_WRITE), said(caplog, CAN_WRITE)) == (1, 1)


@pytest.mark.fault
async def test_a_disk_that_is_full_from_the_start_keeps_no_sample_from_the_bus(
    bus_url: str, small_disk: Path, caplog: pytest.LogCaptureFixture, taken: list[int]
) -> None:
    junk = fill(small_disk)
    async with bus.connection(bus_url, "test") as client:
        async with agent(settings(small_disk, bus_url)):
            await eventually(lambda: count(client, 10))
            junk.unlink()
            await eventually(lambda: spooled(small_disk) > 0)
        assert_complete(await times(client), taken)
    assert said(caplog, CANNOT_WRITE) == 1


@pytest.mark.fault
async def test_a_read_only_file_system_keeps_no_sample_from_the_bus(
    bus_url: str, small_disk: Path, caplog: pytest.LogCaptureFixture, taken: list[int]
) -> None:
    as_root("mount", "-o", "remount,ro", str(small_disk))
    async with bus.connection(bus_url, "test") as client:
        async with agent(settings(small_disk, bus_url)):
            await eventually(lambda: count(client, 10))
            as_root("mount", "-o", "remount,rw", str(small_disk))
            await eventually(lambda: spooled(small_disk) > 0)
        assert_complete(await times(client), taken)
        async with agent(settings(small_disk, bus_url)):
            before = len(await times(client))
            await eventually(lambda: count(client, before + 10))
        found = await times(client)
        assert len(found) == len(set(found)), "doubled over the restart"
    assert (said(caplog, CANNOT_WRITE), said(caplog, CAN_WRITE)) == (1, 1)


@pytest.mark.fault
async def test_a_spool_file_that_becomes_read_only_under_the_agent_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, taken: list[int]
) -> None:
    """As a file system does that the kernel makes read-only after an error: open files cannot be written to either."""
    if not is_enforced_on_open_files(tmp_path / "probe"):
        pytest.skip(f"{tmp_path}: what is immutable can be written to by those who have it open, as on a tmpfs")
    data = tmp_path / "data"
    spool = data / "agent" / "spool"
    async with nats_server(tmp_path / "nats") as server:
        async with bus.connection(server.url, "test") as client:
            await ensure_streams(client)
        async with agent(settings(data, server.url)):
            await eventually(lambda: spooled(data) > 0)
            await server.kill()
            as_root("chattr", "-R", "+i", str(spool))
            try:
                await eventually(lambda: said(caplog, CANNOT_WRITE))
                frozen_at = spooled(data)
            finally:
                as_root("chattr", "-R", "-i", str(spool))
            await eventually(lambda: spooled(data) > frozen_at)
            await server.restart()
            async with bus.connection(server.url, "test") as client:
                before = len(await times(client))
                await eventually(lambda: count(client, before + 30), 30)
        async with bus.connection(server.url, "test") as client:
            assert_complete(await times(client), taken)


@pytest.mark.fault
async def test_a_bus_away_longer_than_the_spool_lasts_costs_the_oldest_counted(bus_url: str, tmp_path: Path) -> None:
    limits = Limits(spool_bytes=1 << 16, message_bytes=8000)
    async with half_agent(tmp_path, START_MS / 1000 + 30_000, limits) as source:
        await source.spool(samples(30_000))
        assert sum(file.stat().st_size for file in tmp_path.glob("*.spool")) <= 1 << 16
        lost = source.lanes.spool.backlog.dropped
        assert lost > 0
        async with bus.connection(bus_url, "test") as client, publishing(bus_url, source):
            await source.delivered()
            found = sorted(all_times(await stored(client, "METRICS")) + all_times(await stored(client, "BACKFILL")))
    assert found == [START_MS + 1000 * index for index in range(lost * 10, 30_000)]


@pytest.mark.fault
async def test_samples_lost_while_the_bus_was_away_are_told_once_it_is_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    limits = Limits(spool_bytes=1 << 16, message_bytes=8000)
    async with nats_server(tmp_path / "nats") as server:
        async with bus.connection(server.url, "test") as client:
            await ensure_streams(client)
        await server.kill()
        async with half_agent(data / "agent" / "spool", time.time(), limits) as source:
            await source.spool(samples(3000, int(time.time() - 3000) * 1000))
            before = source.lanes.spool.backlog.dropped
        async with agent(settings(data, server.url, spool_bytes=1 << 16)):
            await eventually(lambda: _oldest(data) > 1, 20)
            await server.restart()
            async with bus.connection(server.url, "test") as client:

                async def told() -> int:
                    jetstream = client.jetstream()
                    last = (await jetstream.stream_info("EVENTS")).state.last_seq
                    messages = [await jetstream.get_msg("EVENTS", seq) for seq in range(1, last + 1)]
                    events = [msgspec.json.decode(message.data or b"", type=HostEvent) for message in messages]
                    return sum(event.dropped or 0 for event in events if event.kind == "dropped")

                assert await eventually(told, 20) > before


def _oldest(data: Path) -> int:
    """Number of the oldest file of a spool: it grows when the first one had to go."""
    return min((int(file.stem) for file in (data / "agent" / "spool").glob("*.spool")), default=0)


@pytest.mark.fault
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; the read-only mount covers this for root")
async def test_a_directory_without_permission_keeps_no_sample_from_the_bus(
    bus_url: str, tmp_path: Path, taken: list[int]
) -> None:
    spool = tmp_path / "agent" / "spool"
    spool.mkdir(parents=True)
    spool.chmod(0o500)
    async with bus.connection(bus_url, "test") as client:
        async with agent(settings(tmp_path, bus_url)):
            await eventually(lambda: count(client, 10))
            spool.chmod(0o700)
            await eventually(lambda: spooled(tmp_path) > 0)
        assert_complete(await times(client), taken)
