"""The gateway of `bench_live`, which says for each line how long its loop was held at most since the one before.

python benchmarks/live_gateway.py
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time

from infra.cli.process import runner
from infra.settings import ServerSettings, load_settings
from services.gateway.service import run

EVERY_S = 0.005


async def main() -> None:
    """Serve until standard input ends."""
    stop = asyncio.Event()
    longest = [0.0]

    async def look() -> None:
        while not stop.is_set():
            began_s = time.perf_counter()
            await asyncio.sleep(EVERY_S)
            longest[0] = max(longest[0], time.perf_counter() - began_s - EVERY_S)

    async def answer() -> None:
        while await asyncio.to_thread(sys.stdin.readline):
            print(1000 * longest[0], flush=True)
            longest[0] = 0.0
        stop.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(run(load_settings(ServerSettings), stop))
        group.create_task(look())
        group.create_task(answer())


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)  # to standard error: the answers have standard output
    with runner() as loop:
        loop.run(main())
