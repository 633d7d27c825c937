"""A day without the bus: everything arrives once, the present at once, and memory stays flat meanwhile."""

from __future__ import annotations

import gc
import random
from pathlib import Path

import psutil
import pytest

from agent.sending.batching import numbered
from infra.bus import connection as bus
from schemas.codec import Sample, build_batch
from schemas.messages import Batch
from tests.agent.build import START_MS, all_times, samples, stored
from tests.agent.sending.test_publisher import Agent, publishing
from tests.agent.sending.test_publisher import agent as half_agent
from tests.waiting import eventually

DAY_S = 86_400
PER_BATCH = 10
GROWTH_MIB = 24
"""Several times what one merged message takes while it is made; a day of samples in memory would be hundreds."""


def busy_samples(count: int) -> list[Sample]:
    """Samples of some 40 values that change at every tick."""
    dice = random.Random(24)
    cpu = ("total", "user", "system", "iowait", "load1", "load5", "load15", "switches", "interrupts")
    disk = ("read", "write", "busy", "reads", "writes")
    return [
        Sample(
            START_MS + 1000 * index,
            {
                "cpu": {"": {name: dice.randrange(10_000) for name in cpu}},
                "disk": {f"sd{letter}": {name: dice.randrange(10**6) for name in disk} for letter in "abcdef"},
            },
        )
        for index in range(count)
    ]


async def spool_a_day(source: Agent) -> None:
    """86,400 samples, a second apart, as batches of ten. The values repeat every ten seconds, to be quick."""
    content = build_batch("web-1", source.lanes.spool.epoch, "metrics", 0, busy_samples(PER_BATCH)).families
    for first in range(0, DAY_S, PER_BATCH):
        start_ms = START_MS + 1000 * first
        times = [start_ms, *[1000] * (PER_BATCH - 1)]
        batch = Batch("web-1", source.lanes.spool.epoch, "metrics", 0, times, content)
        await source.lanes.store(numbered(batch), PER_BATCH, start_ms + 1000 * (PER_BATCH - 1))


def resident_mib() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


@pytest.mark.fault
async def test_a_day_of_samples_goes_out_behind_the_present_once_and_with_flat_memory(
    bus_url: str, tmp_path: Path
) -> None:
    now_ms = START_MS + 1000 * DAY_S + 300_000
    async with half_agent(tmp_path, now_ms / 1000) as source:
        await spool_a_day(source)
        assert source.lanes.spool.backlog.batches == DAY_S // PER_BATCH
        gc.collect()
        before_mib, most_mib = resident_mib(), 0.0
        present = samples(PER_BATCH, now_ms - 10_000)
        await source.spool(present)
        async with bus.connection(bus_url, "test") as client:
            async with publishing(bus_url, source):
                await source.lanes.drained.wait()
                assert source.lanes.spool.has_backfill, "the present waited for the past"
                later = samples(PER_BATCH, now_ms)
                await source.spool(later)
                await source.lanes.drained.wait()
                assert source.lanes.spool.has_backfill, "a batch of now waited for the past"

                def all_out() -> bool:
                    nonlocal most_mib
                    most_mib = max(most_mib, resident_mib())
                    return source.lanes.spool.backlog.batches == 0

                await eventually(all_out, 100)
            in_present, in_past = await stored(client, "METRICS"), await stored(client, "BACKFILL")
    assert all_times(in_present) == [sample.time_ms for sample in (*present, *later)]
    assert all_times(in_past) == [START_MS + 1000 * second for second in range(DAY_S)]
    assert [batch.seq for _, batch in in_past] == list(range(1, len(in_past) + 1))
    assert len(in_past) < DAY_S / PER_BATCH / 20, "merged"
    assert most_mib - before_mib < GROWTH_MIB
