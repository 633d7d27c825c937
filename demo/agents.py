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

from agent.service import phase_of
from agent.system.worker import Worker
from demo.machines import Machine, make_fleet
from demo.simulated import Agent, Reach, start
from infra.cli import process
from infra.log import set_up_logging

logger = logging.getLogger(__name__)

DISK_THREADS = 8
"""Shared by the agents; each of their spools stays on one."""
DESCRIPTORS_EACH = 4
STARTING_AT_ONCE = 20
"""Agents of all processes together that are on their way to the bus."""
FINISH_S = 2.0
TOGETHER = 10
"""Hosts that sample in one breath."""
SPREAD_S = 0.9
"""Of a second, in which all hosts get their turn."""
MOST_BEHIND_S = 30
CATCH_UP_S = 60
"""So much of what passed while they connected is caught up with even by a large fleet."""
BY_BUS_S = 600
BY_BUS_HOST_SECONDS = 30_000


class FleetFile(Struct):
    """`fleet.json`: which fleet, and how it reaches the bus."""

    hosts: int
    seed: int
    every_s: int
    """Seconds from one sample of a host to the next."""
    began_s: int
    from_s: int
    """From when on the agents send; what was before is in the tables."""
    reach: Reach


def fleet_path(directory: str) -> Path:
    return Path(directory) / "fleet.json"


def main(argv: Sequence[str]) -> int:
    directory, part, parts = argv[0], int(argv[1]), int(argv[2])
    set_up_logging("auto", logging.WARNING)
    fleet = msgspec.json.decode(fleet_path(directory).read_bytes(), type=FleetFile)
    allow_descriptors(-(-fleet.hosts // parts) * DESCRIPTORS_EACH + 200)

    async def body() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
        await run(fleet, part, parts, stop)

    with process.runner() as loop:
        loop.run(body())
    return 0


def by_bus_s(hosts: int) -> int:
    """So much of the past goes over the bus, where rules are held against it: of a small fleet the minutes that it
    takes to know at once what is wrong, of a large one what its agents soon catch up with.
    """
    return min(BY_BUS_S, BY_BUS_HOST_SECONDS // hosts)


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
    at_once = asyncio.Semaphore(max(2, STARTING_AT_ONCE // parts))

    async with asyncio.TaskGroup() as group:

        async def begin(number: int, machine: Machine) -> None:
            async with at_once:
                agent = await start(machine, fleet.reach, disks[number % len(disks)], fleet.every_s)
                agents.append(agent)
                running.append(group.create_task(agent.run()))
                await agent.connected()

        async def live() -> None:
            # Before the first sample: while the past is caught up with, a server would not wait for who connects.
            await asyncio.gather(*(begin(number, machine) for number, machine in enumerate(machines)))
            await _sample(agents, fleet.from_s, max(CATCH_UP_S, 2 * by_bus_s(fleet.hosts)))

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


async def _sample(agents: Sequence[Agent], from_s: int, most_behind_s: int) -> None:
    """First what was since `from_s`, as far as that is not too much, then every second in its time."""
    second = max(from_s, int(time.time()) - most_behind_s)
    skipped = second - from_s
    while True:
        if skipped:
            logger.warning("seconds skipped, too many hosts for this machine", extra={"skipped": skipped})
        await _take(agents, second)
        second, skipped = next_second(second, time.time(), most_behind_s)
        if time.time() - second < 1:
            most_behind_s = MOST_BEHIND_S


def next_second(second: int, now_s: float, most_behind_s: int) -> tuple[int, int]:
    """What to sample after `second`, and how many seconds are left out: who is too far behind goes on at present."""
    following, present = second + 1, int(now_s)
    return (present, present - following) if present - following > most_behind_s else (following, 0)


async def _take(agents: Sequence[Agent], second: int) -> None:
    for first in range(0, len(agents), TOGETHER):
        await asyncio.sleep(max(0.0, second + SPREAD_S * first / len(agents) - time.time()))
        for agent in agents[first : first + TOGETHER]:
            agent.take(second)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
