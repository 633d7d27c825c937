"""A demonstration from its servers on: makes the fleet and its past, then keeps the processes of its agents running."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from demo.agents import FleetFile, fleet_path
from demo.history import spans, write_history
from demo.hosts import add_hosts, add_identities
from demo.incidents import write_events, write_incidents
from demo.machines import make_fleet
from demo.simulated import Reach
from infra.authority.authority import Authority
from infra.bus.connection import first_fault
from infra.settings import ServerSettings
from infra.storage.database import connection
from infra.storage.engine import detect

BY_BUS_S = 600
"""So much of the past goes over the bus, where rules are held against it: what is wrong is known at once."""
BY_BUS_HOST_SECONDS = 30_000
STOP_WITHIN_S = 10.0
HOSTS_EACH = 400
"""Agents of one process: a thousand keep more than one core busy."""


class Demonstration(Struct, frozen=True):
    """What is asked for."""

    hosts: int
    days: float
    seed: int


class FleetEnded(Exception):
    """A process of agents ended by itself."""


async def prepare(wanted: Demonstration, server: ServerSettings, authority: Authority) -> Path:
    """Fill the empty database of `server`, and write what the agents need; their directory."""
    directory = Path(server.data) / "fleet"
    began_s = int(time.time())
    from_s = began_s - min(BY_BUS_S, max(30, BY_BUS_HOST_SECONDS // wanted.hosts))
    fleet = make_fleet(wanted.hosts, wanted.seed, began_s)
    reach = Reach(str(directory), server.nats_url, server.nats_ca, server.nats_server_name)
    async with connection(server.database_url, "demo") as database:
        sparse, _ = spans(wanted.hosts, wanted.days, from_s)
        ids = await add_hosts(database, fleet, sparse.from_s)
        await add_identities(database, authority, reach.credentials, fleet)
        await write_history(database, await detect(database), fleet, ids, wanted.days, from_s)
        await write_incidents(database, fleet, sparse.from_s, from_s)
        await write_events(database, fleet, ids, sparse.from_s, from_s)
    file = FleetFile(wanted.hosts, wanted.seed, began_s, from_s, reach)
    await asyncio.to_thread(fleet_path(str(directory)).write_bytes, msgspec.json.encode(file))
    return directory


async def run(directory: Path, hosts: int, stop: asyncio.Event) -> None:
    """Let the fleet live until `stop` is set. Raises FleetEnded."""
    parts = -(-hosts // HOSTS_EACH)
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
