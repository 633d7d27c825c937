"""Simulated agents in a process of their own: every second each samples what its curves say.

`python -m demo.agents DIRECTORY PART PARTS`: of the fleet in `fleet.json` there those whose number is PART modulo
PARTS. Ends when its standard input does, so that it never outlives whoever started it.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from agent.system.worker import Worker
from demo.machines import Machine, make_fleet
from demo.simulated import Agent, Reach, phase_of, start
from infra.cli import process
from infra.log import set_up_logging

logger = logging.getLogger(__name__)

DISK_THREADS = 8
"""Shared by the agents; each of their spools stays on one."""
DESCRIPTORS_EACH = 4
STARTING_AT_ONCE = 20
FINISH_S = 2.0
TOGETHER = 10
"""Hosts that sample in one breath."""
SPREAD_S = 0.9
"""Of a second, in which all hosts get their turn."""
MOST_BEHIND_S = 30


class FleetFile(Struct):
    """`fleet.json`: which fleet, and how it reaches the bus."""

    hosts: int
    seed: int
    began_s: int
    from_s: int
    """From when on the agents send; what was before is in the tables."""
    reach: Reach


def fleet_path(directory: str) -> Path:
    return Path(directory) / "fleet.json"


def main(argv: Sequence[str]) -> int:
    directory, part, parts = argv[0], int(argv[1]), int(argv[2])
    set_up_logging("json", logging.WARNING)
    fleet = msgspec.json.decode(fleet_path(directory).read_bytes(), type=FleetFile)
    allow_descriptors(fleet.hosts // parts * DESCRIPTORS_EACH + 200)

    async def body() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
        await run(fleet, part, parts, stop)

    with process.runner() as loop:
        loop.run(body())
    return 0


def allow_descriptors(wanted: int) -> None:
    """Let this process open as many files as it needs, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


async def run(fleet: FleetFile, part: int, parts: int, stop: asyncio.Event) -> None:
    """Let a part of the fleet live until `stop` is set."""
    whole = make_fleet(fleet.hosts, fleet.seed, fleet.began_s)
    machines = [machine for machine in whole[part::parts] if machine.story != "silent"]
    machines.sort(key=lambda machine: phase_of(machine.name))
    disks = [Worker(f"spools {number}") for number in range(min(DISK_THREADS, len(machines)))]
    agents: list[Agent] = []
    running: list[asyncio.Task[None]] = []
    at_once = asyncio.Semaphore(STARTING_AT_ONCE)

    async with asyncio.TaskGroup() as group:

        async def begin(number: int, machine: Machine) -> None:
            async with at_once:
                agent = await start(machine, fleet.reach, disks[number % len(disks)])
                agents.append(agent)
                running.append(group.create_task(agent.run()))
                await agent.connected()

        async def live() -> None:
            # Before the first sample: while the past is caught up with, a server would not wait for who connects.
            await asyncio.gather(*(begin(number, machine) for number, machine in enumerate(machines)))
            await _sample(agents, fleet.from_s)

        living = group.create_task(live())
        await stop.wait()
        living.cancel()
        async with asyncio.TaskGroup() as finishing:
            for agent in agents:
                finishing.create_task(agent.finish(FINISH_S))
        for task in running:
            task.cancel()
    for disk in disks:
        disk.close()


async def _sample(agents: Sequence[Agent], from_s: int) -> None:
    """First what was since `from_s`, then every second in its time, the hosts spread over it."""
    second = from_s
    while second < time.time() - 1:
        await _take(agents, second, spread_s=0)
        second += 1
    skipped = 0
    while True:
        await _take(agents, second, SPREAD_S)
        behind = int(time.time()) - second - 1
        if behind > MOST_BEHIND_S:
            skipped += behind
            logger.warning("seconds skipped, too many hosts for this machine", extra={"skipped": skipped})
            second += behind
        second += 1


async def _take(agents: Sequence[Agent], second: int, spread_s: float) -> None:
    for first in range(0, len(agents), TOGETHER):
        due_s = second + spread_s * first / len(agents) if spread_s else 0.0
        await asyncio.sleep(max(0.0, due_s - time.time()))
        for agent in agents[first : first + TOGETHER]:
            agent.take(second)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
