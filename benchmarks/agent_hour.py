"""An hour of an agent as fast as it goes: how much more memory it holds at the end than after ten minutes.

Real collectors, sampler, batches, spool and publisher; only the clocks are made to run. `bench_agent` runs it in a
process of its own.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from pathlib import Path

import psutil
from nats.aio.client import Client

from agent import service
from agent.sampling import sources
from agent.sampling.plan import Plans, make_plan
from agent.sampling.sampler import Sampler
from agent.sampling.ticker import Tick
from agent.sending import intake as intakes
from agent.sending.batching import Batcher
from agent.sending.lanes import Lanes
from agent.sending.publisher import send_backfill, send_present
from agent.spool.spool import open_spool
from agent.system.state import AgentState
from agent.system.worker import Worker
from infra.bus.connection import keep_connected
from infra.settings import AgentSettings

TICKS = 3600
SETTLED_TICKS = 600
"""From here on memory must not grow."""


async def growth_mib(url: str, data: str) -> float:
    """Resident memory after an hour's ticks less that after ten minutes', in MiB."""
    settings = AgentSettings(nats_url=url, data=data, host="hour")
    limits = service.spool_limits(settings)
    now_s = float(int(time.time()))
    plans, status, disk = Plans(make_plan(settings)), AgentState(), Worker("spool")
    spool = await disk.run(open_spool, Path(data, "spool"), limits, lambda: now_s)
    lanes = Lanes("hour", spool, disk, status)
    roots = sources.roots_of(settings)
    choices = sources.new_choices(roots.sys)
    collectors = sources.fast_collectors(roots, choices)
    collectors["agent"] = sources.own_collector(status, lambda: spool.backlog)
    sampler = Sampler(collectors, sources.gpus(roots, choices), plans, status, clock=lambda: now_s)
    batcher = Batcher(settings.batch_interval_s, 0.5, service.MOST_SAMPLES)
    intake = intakes.Intake("hour", lanes, batcher, limits.message_bytes, status)

    async def session(client: Client) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(send_present(client, lanes))
            group.create_task(send_backfill(client, lanes))

    own = psutil.Process()
    settled = after = 0
    gc.collect()
    gc.freeze()  # as the agent does
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(keep_connected(url, "hour", session)), group.create_task(intake.store())]
        sampler.prime()
        for number in range(1, TICKS + 1):
            now_s += 1
            sample = await sampler.sample(Tick(int(now_s * 1000), now_s, 0))
            if sample is not None:
                intake.add(sample)
            if number % 10 == 0:
                await intake.finish()
                await lanes.drained.wait()
            if number == SETTLED_TICKS:
                settled = own.memory_info().rss
        after = own.memory_info().rss
        for task in tasks:
            task.cancel()
    await disk.run(spool.close)
    disk.close()
    if spool.backlog.dropped or status.lost_batches:
        raise RuntimeError(f"lost {spool.backlog.dropped + status.lost_batches} batches: this was no ordinary hour")
    return (after - settled) / 2**20


if __name__ == "__main__":
    print(asyncio.run(growth_mib(*sys.argv[1:])))
