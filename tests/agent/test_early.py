"""A real agent on a real nats-server: what crosses a threshold arrives long before the batch that it would be in."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
from nats.aio.client import Client

from infra.bus import connection as bus
from schemas.subjects import config_key
from schemas.watches import PushedConfig, Watch
from tests.agent.build import stored
from tests.agent.test_service import running, settings, times
from tests.waiting import eventually

# Reached by every sample; its file systems are of no matter here.
ALWAYS = Watch("memory.used_percent", True, [(0, -1)])


async def watching(client: Client, *watches: Watch, host: str = "web-1") -> None:
    config = msgspec.json.encode(PushedConfig(revision=1, batch_interval_s=300, watches=list(watches)))
    await client.jetstream().publish(config_key(host), config)


async def test_a_batch_goes_at_once_when_a_value_reaches_a_threshold(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client, running(settings(tmp_path, bus_url, batch_interval_s=300)):

        async def first() -> bool:
            return len(await stored(client, "METRICS")) == 1

        await eventually(first)  # the one of a new host, after two samples
        await watching(client, ALWAYS)

        async def second() -> bool:
            return len(await stored(client, "METRICS")) == 2

        await eventually(second)


async def test_early_batches_leave_no_gap_and_no_double_in_samples_or_numbers(bus_url: str, tmp_path: Path) -> None:
    async with bus.connection(bus_url, "test") as client:
        async with running(settings(tmp_path, bus_url, batch_interval_s=1)):
            await eventually(lambda: _batches(client, 1))
            await watching(client, ALWAYS)
            await eventually(lambda: _batches(client, 2))
            await watching(client, ALWAYS, Watch("memory.used_percent", False, [(100, 101)]))
            await eventually(lambda: _batches(client, 3))
        found = await times(client)
        numbers = [batch.seq for _, batch in await stored(client, "METRICS")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(found) == len(set(found))
    assert all(later > earlier for earlier, later in itertools.pairwise(found))


async def _batches(client: Client, least: int) -> bool:
    return len(await stored(client, "METRICS")) >= least
