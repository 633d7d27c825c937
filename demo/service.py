"""A demonstration from its servers on: makes the fleet and its past, then keeps the processes of its agents running."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from demo.agents import FleetFile, by_bus_s, fleet_path
from demo.history import Written, dense_span, enter_instances, settle, spans, write_span
from demo.hosts import add_hosts, add_identities
from demo.incidents import write_events, write_incidents
from demo.machines import make_fleet
from demo.simulated import Reach
from infra.authority.authority import Authority
from infra.bus.connection import first_fault
from infra.settings import ServerSettings
from infra.storage.database import connection
from infra.storage.engine import detect

logger = logging.getLogger(__name__)

STOP_WITHIN_S = 10.0
HOSTS_EACH = 400
"""Agents of one process, where there are cores for more than one."""
HOSTS_PER_CORE = 500
"""So many are sampled every second for each core of the machine, on which everything else runs as well."""
INTERVALS_S = (1, 2, 5, 10, 30)
DAYS = 2.0
HOST_DAYS = 60.0
"""Made unless more are asked for: history of more takes minutes."""


class Demonstration(Struct, frozen=True):
    """What is asked for."""

    hosts: int
    days: float
    seed: int
    every_s: int
    """Seconds from one sample of a host to the next."""


def days_for(hosts: int) -> float:
    """Days of history that are made where nobody says how many."""
    return min(DAYS, HOST_DAYS / hosts)


def interval_for(hosts: int, cores: int) -> int:
    """Seconds from one sample of a host to the next that a machine of so many cores keeps up with."""
    return next((every_s for every_s in INTERVALS_S if hosts <= HOSTS_PER_CORE * cores * every_s), INTERVALS_S[-1])


def parts_for(hosts: int, cores: int) -> int:
    """Processes that the agents are dealt out to."""
    return max(1, min(cores, -(-hosts // HOSTS_EACH)))


class FleetEnded(Exception):
    """A process of agents ended by itself."""


async def prepare(wanted: Demonstration, server: ServerSettings, authority: Authority) -> Path:
    """Fill the empty database of `server`, and write what the agents need; their directory."""
    directory = Path(server.data) / "fleet"
    began_s, started_s = int(time.time()), time.monotonic()
    facts = {"hosts": wanted.hosts, "days": round(wanted.days, 2), "every_s": wanted.every_s, "cores": cores()}
    logger.info("writing history", extra=facts)
    machines = make_fleet(wanted.hosts, wanted.seed, began_s)
    reach = Reach(str(directory), server.nats_url, server.nats_ca, server.nats_server_name)
    sparse, _ = spans(wanted.hosts, wanted.days, began_s)
    written = Written()
    async with connection(server.database_url, "demo") as database:
        engine = await detect(database)
        ids = await add_hosts(database, machines, sparse.from_s, wanted.every_s)
        await add_identities(database, authority, reach.credentials, machines)
        fleet = await enter_instances(database, machines, ids, sparse.from_s)
        if sparse.from_s < sparse.until_s:
            await write_span(database, engine, fleet, sparse, written)
        # Only now: what passed since the start must not be left to the agents.
        from_s = int(time.time()) - by_bus_s(wanted.hosts)
        dense = dense_span(wanted.hosts, sparse.until_s, from_s)
        await write_span(database, engine, fleet, dense, written)
        await settle(database, fleet, dense, written)
        await write_incidents(database, machines, sparse.from_s, from_s)
        await write_events(database, machines, ids, sparse.from_s, from_s)
    file = FleetFile(wanted.hosts, wanted.seed, wanted.every_s, began_s, from_s, reach)
    await asyncio.to_thread(fleet_path(str(directory)).write_bytes, msgspec.json.encode(file))
    took_s = round(time.monotonic() - started_s, 1)
    logger.info("history written", extra={**facts, "rows": written.rows, "seconds": took_s})
    return directory


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


async def run(directory: Path, hosts: int, stop: asyncio.Event) -> None:
    """Let the fleet live until `stop` is set. Raises FleetEnded."""
    parts = parts_for(hosts, cores())
    try:
        async with asyncio.TaskGroup() as group:
            for part in range(parts):
                group.create_task(_run_part([str(directory), str(part), str(parts)], stop))
    except BaseExceptionGroup as faults:
        raise first_fault(faults) from None


async def _run_part(arguments: list[str], stop: asyncio.Event) -> None:
    command = [sys.executable, "-m", "demo.agents", *arguments]
    # In a session of its own it does not hear the Ctrl-C that is for all of us, and ends after what needs it.
    fleet = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, start_new_session=True)
    ended = asyncio.ensure_future(fleet.wait())
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            raise FleetEnded(f"the simulated agents ended with status {ended.result()}")
    finally:
        stopped.cancel()
        if fleet.stdin is not None:
            fleet.stdin.close()
        await asyncio.wait({ended}, timeout=STOP_WITHIN_S)
        if not ended.done():
            fleet.kill()
            await ended
