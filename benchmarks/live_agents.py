"""The agents of `bench_live`: every sample of a fleet on the bus, live and in its batches.

python benchmarks/live_agents.py ADDRESS-OF-THE-BUS HOSTS
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

from infra.bus.connection import connection as bus_connection
from schemas.catalogue import CATALOGUE
from schemas.codec import Sample, build_batch, encode_batch
from schemas.messages import Batch

BATCH_SAMPLES = 10
PERIOD_MS = 1000
INSTANCES = {"filesystem": ("/", "/home"), "disk": ("sda",), "network": ("eth0", "eth1")}
FAMILIES = ("cpu", "memory", "filesystem", "disk", "network")
VARIANTS = 50
"""Different values; hosts share them."""


async def publish(url: str, hosts: int) -> None:
    """Every host's sample once a second on live.<host>, and ten of them in a batch, evenly spread, until killed."""
    dice = random.Random(7)
    live = [build_batch("host", "bench", "live", 1, [a_sample(dice, 0)]) for _ in range(VARIANTS)]
    batches = [
        build_batch("host", "bench", "metrics", 1, [a_sample(dice, PERIOD_MS * k) for k in range(BATCH_SAMPLES)])
        for _ in range(VARIANTS)
    ]
    times = [[0] * BATCH_SAMPLES for _ in range(hosts)]
    async with bus_connection(url, "bench agents") as client:
        started = time.perf_counter()
        sent = 0
        while True:
            round_, host = divmod(sent, hosts)
            name, now_ms = f"host-{host}", time.time_ns() // 1_000_000
            message = at(live[(sent * 7) % VARIANTS], name, sent + 1, [now_ms])
            await client.publish(f"live.{name}", message)
            times[host][(round_ + host) % BATCH_SAMPLES] = now_ms
            if (round_ + host) % BATCH_SAMPLES == BATCH_SAMPLES - 1 and round_ >= BATCH_SAMPLES:
                message = at(batches[sent % VARIANTS], name, sent + 1, sorted(times[host]))
                await client.publish(f"metrics.{name}", message)
            sent += 1
            ahead_s = sent / hosts - (time.perf_counter() - started)
            if ahead_s > 0:
                await client.flush()
                await asyncio.sleep(ahead_s)


def at(batch: Batch, host: str, seq: int, times_ms: list[int]) -> bytes:
    """That batch as one of `host` at those times."""
    batch.host, batch.seq = host, seq
    batch.times = [now - before for before, now in zip([0, *times_ms], times_ms, strict=False)]
    return encode_batch(batch)


def a_sample(dice: random.Random, time_ms: int) -> Sample:
    """All that an ordinary host measures at once."""
    return Sample(
        time_ms,
        {
            family.name: {
                instance: {metric.name: dice.randrange(10_000) for metric in family.metrics}
                for instance in INSTANCES.get(family.name, ("",))
            }
            for family in CATALOGUE
            if family.name in FAMILIES
        },
    )


if __name__ == "__main__":
    asyncio.run(publish(sys.argv[1], int(sys.argv[2])))
