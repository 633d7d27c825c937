"""A fleet of synthetic agents: the real spool and publisher, with samples whose values are known."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from nats.aio.client import Client

from agent.sending.batching import batches, numbered
from agent.sending.lanes import Lanes
from agent.sending.publisher import send_backfill, send_present
from agent.spool.spool import Limits, open_spool
from agent.system.state import AgentState
from agent.system.worker import Worker
from infra.bus.connection import keep_connected
from schemas.codec import Sample

SAMPLES = 10


def cpu_total(host: int, tick: int) -> int:
    """CPU of host `host` at sample `tick`, in 0.01 %: a square wave that crosses any threshold, of its own period."""
    return 9_500 + (tick * 7 + host) % 100 if tick // (20 + host) % 2 else 1_000 + tick % 100


def known_sample(host: int, tick: int, start_ms: int) -> Sample:
    """Everything that host `host` says at `tick`."""
    disks: dict[str, dict[str, int | None]] = {
        "sda": {"read": host * 1_000_003 + tick, "busy": tick % 10_000},
        "sdb": {"read": None if tick % 3 else tick},
    }
    return Sample(start_ms + 1000 * tick, {"cpu": {"": {"total": cpu_total(host, tick), "user": tick}}, "disk": disks})


async def synthetic_agent(
    host: int,
    url: str,
    directory: Path,
    start_ms: int,
    pace_s: float,
    enough: Callable[[int], bool],
    *,
    first: int = 0,
    backfill_after_s: float = 86_400,
) -> int:
    """Publish batches of known samples, from number `first` on, until `enough(batches)`.

    Returns how many ticks they took, all acknowledged in the metrics lane or handed to the backfill lane.
    """
    disk = Worker(f"agent {host}")
    limits = Limits(64 * 2**20, max_age_s=86_400, backfill_after_s=backfill_after_s, message_bytes=200_000)
    spool = await disk.run(open_spool, directory, limits)
    lanes = Lanes(f"host-{host}", spool, disk, AgentState(), pace_s=0.05)

    async def session(client: Client) -> None:
        lanes.client = client
        async with asyncio.TaskGroup() as group:
            group.create_task(send_present(client, lanes))
            group.create_task(send_backfill(client, lanes))

    made = first
    try:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(keep_connected(url, lanes.host, session))
            while not enough(made):
                ticks = range(made * SAMPLES, (made + 1) * SAMPLES)
                [batch] = batches(
                    lanes.host,
                    spool.epoch,
                    [known_sample(host, tick, start_ms) for tick in ticks],
                    limits.message_bytes,
                )
                await lanes.store(numbered(batch), SAMPLES, start_ms + 1000 * ticks[-1])
                made += 1
                await asyncio.sleep(pace_s)
            await lanes.drained.wait()
            while spool.has_backfill:
                await asyncio.sleep(0.05)
            sending.cancel()
    finally:
        await disk.run(spool.close)
        disk.close()
    return made * SAMPLES


def main(host: str, url: str, directory: str, start_ms: str, first: str, last: str) -> None:
    """An agent of its own process that spools batches `first` up to `last` and lives until it is killed."""

    def enough(batches: int) -> bool:
        if batches == int(last):
            print("spooled", flush=True)
        return batches >= int(last)

    asyncio.run(synthetic_agent(int(host), url, Path(directory), int(start_ms), 0, enough, first=int(first)))


if __name__ == "__main__":
    main(*sys.argv[1:])
