"""The fleet of `bench_alerts`: every host's batch once in ten seconds, evenly spread, on the bus until killed.

python benchmarks/alerts_fleet.py ADDRESS-OF-THE-BUS HOSTS

A line on its standard input is answered with the share of the batches that were due and were sent.
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

SAMPLES = 10
INSTANCES = {"disk": ("sda", "sdb"), "network": ("eth0", "eth1", "wlan0")}
"""Families with instances that are in every sample, and theirs."""
WITHOUT = tuple(family for family in CATALOGUE if not family.instance)
LOW, HIGH, TRIP = 1000, 3000, 7500
VARIANTS = 100
"""Building a thousand batches in a second would take a processor, so they are variations of as many."""


def make_batch(host: str, seq: int, start_ms: int, firing: bool, dice: random.Random) -> Batch:
    """Ten seconds of one host; every metric moves, and those of a firing host stand above the threshold."""
    base = TRIP if firing else LOW
    families = [(family, INSTANCES.get(family.name, ("",))) for family in CATALOGUE]
    chosen = [(family, names) for family, names in families if family in WITHOUT or family.name in INSTANCES]

    def values(metrics: int) -> list[int]:
        return [base + dice.randrange(HIGH - LOW) for _ in range(metrics)]

    samples = [
        Sample(
            start_ms + 1000 * tick,
            {
                family.name: {
                    name: dict(zip((m.name for m in family.metrics), values(len(family.metrics)), strict=True))
                    for name in names
                }
                for family, names in chosen
            },
        )
        for tick in range(SAMPLES)
    ]
    return build_batch(host, "bench", "metrics", seq, samples)


async def publish(url: str, hosts: int) -> None:
    """Publish for ever, at the pace of the clock."""
    dice = random.Random(7)
    made = [make_batch("", 0, 0, False, dice) for _ in range(VARIANTS)]
    sent = 0
    started = time.perf_counter()

    async def answer() -> None:
        while await asyncio.to_thread(sys.stdin.readline):
            due = (time.perf_counter() - started) * hosts / SAMPLES
            print(min(1.0, sent / max(1.0, due)), flush=True)

    async with bus_connection(url, "bench fleet") as client, asyncio.TaskGroup() as group:
        group.create_task(answer())
        while True:
            seq, host = divmod(sent, hosts)
            batch = made[sent % len(made)]
            batch.host, batch.seq = f"host-{host}", seq + 1
            batch.times[0] = round(time.time() * 1000) - SAMPLES * 1000
            await client.publish(f"metrics.{batch.host}", encode_batch(batch))
            sent += 1
            await asyncio.sleep(max(0.0, sent * SAMPLES / hosts - (time.perf_counter() - started)))


if __name__ == "__main__":
    asyncio.run(publish(sys.argv[1], int(sys.argv[2])))
