"""Many agents in one process against the embedded stack: is every sample stored once, and what does it cost?

Each agent is whole but for its collectors: connection, host id, spool, batches, both lanes, live feed and events of its
own. They share one reading of this machine a second, varied a little, for a thousand sets of collectors would measure
collectors. Ingest runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import psutil
from nats.aio.client import Client

from agent import service
from agent.sampling import sources
from agent.sampling.plan import Plans, make_plan
from agent.sampling.sampler import Sampler
from agent.sampling.ticker import Ticker
from agent.selfreport.facts import host_facts
from agent.sending.batching import Batcher
from agent.sending.events import publish_events
from agent.sending.intake import Intake, keep_synced
from agent.sending.lanes import Lanes
from agent.sending.live import LiveFeed, publish_live
from agent.sending.publisher import send_backfill, send_present
from agent.spool.spool import Spool, open_spool
from agent.system.state import AgentState
from agent.system.worker import Worker
from benchmarks.figures import Figure, figure, parser, show
from benchmarks.processes import memory_kib, running
from infra.bus.connection import connection as bus_connection
from infra.bus.connection import keep_connected
from infra.bus.patience import ANYBODY, Access
from infra.bus.streams import ensure_streams
from infra.cli import process
from infra.servers.embedded import nats_server, postgres_server
from infra.settings import AgentSettings
from infra.storage.database import connection as database_connection
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.codec import Sample
from schemas.messages import HostFacts

FIGURES = (
    "agents.connected",
    "agents.samples",
    "agents.rows",
    "agents.lost",
    "agents.doubled",
    "agents.publish_p50_ms",
    "agents.publish_p99_ms",
    "agents.cpu_percent",
    "agents.nats_cpu_percent",
    "agents.ingest_cpu_percent",
    "agents.agent_kib",
    "agents.reconnects",
)
"""Names of what it prints."""
DISK_THREADS = 8
"""Shared by the agents; each of their spools stays on one."""
DESCRIPTORS_EACH = 3
"""Connection, spool file, lock."""
STARTING_AT_ONCE = 20
SETTLE_S = 120.0
"""How long agents and ingest may take to finish once the last sample is taken."""
STORED = "SELECT count(*), count(DISTINCT (host_id, time)) FROM cpu"


def open_bus(_: str) -> Access:
    return ANYBODY


class Member:
    """One agent."""

    def __init__(self, host: str, settings: AgentSettings, spool: Spool, disk: Worker) -> None:
        limits = service.spool_limits(settings)
        self.status = AgentState()
        self.lanes = Lanes(host, spool, disk, self.status)
        self.feed = LiveFeed(host, now_ms=int(time.time() * 1000))
        phase = zlib.crc32(host.encode()) % 1000 / 1000
        batcher = Batcher(settings.batch_interval_s, phase, service.MOST_SAMPLES)
        self.intake = Intake(host, self.lanes, batcher, limits.message_bytes, self.status)
        self.round_trips_ms: list[float] = []

    async def session(self, client: Client, facts: HostFacts) -> None:
        self.status.begin_session()
        lanes = self.lanes
        lanes.client = client
        async with asyncio.TaskGroup() as sending:
            sending.create_task(send_present(client, lanes))
            sending.create_task(send_backfill(client, lanes))
            sending.create_task(publish_live(client, self.feed, lanes.host, lanes.spool.epoch))
            sending.create_task(publish_events(client, lanes.host, lanes.spool, self.status, lambda: facts))

    def take(self, sample: Sample) -> None:
        self.feed.offer(sample, lambda _: sample)
        self.intake.add(sample)
        if self.status.publish_ms is not None:
            self.round_trips_ms.append(self.status.publish_ms)
            self.status.publish_ms = None

    async def finish(self) -> None:
        await self.intake.finish()
        await self.lanes.drained.wait()


class Fleet:
    """All agents and their tasks."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._disks = [Worker(f"spools {number}") for number in range(DISK_THREADS)]
        self._starting = asyncio.Semaphore(STARTING_AT_ONCE)
        self._tasks: list[asyncio.Task[None]] = []
        self.members: list[Member] = []

    async def start(self, group: asyncio.TaskGroup, count: int, access_of: Callable[[str], Access] = open_bus) -> None:
        """Returns once every agent is connected; `access_of` a host says as whom."""
        facts = host_facts(self._settings, make_plan(self._settings), [])
        async with asyncio.TaskGroup() as starting:
            for number in range(count):
                starting.create_task(self._start(group, number, facts, access_of))

    async def _start(
        self, group: asyncio.TaskGroup, number: int, facts: HostFacts, access_of: Callable[[str], Access]
    ) -> None:
        host, disk = f"bench-{number}", self._disks[number % DISK_THREADS]
        settings = self._settings
        async with self._starting:
            spool = await disk.run(open_spool, Path(settings.data, host), service.spool_limits(settings))
            member = Member(host, settings, spool, disk)
            self.members.append(member)

            async def session(client: Client) -> None:
                await member.session(client, facts)

            name = f"sonde agent {host}"
            self._tasks += [
                group.create_task(member.intake.store()),
                group.create_task(keep_synced(member.lanes, settings.spool_sync_s)),
                group.create_task(keep_connected(settings.nats_url, name, session, access=access_of(host))),
            ]
            while not member.lanes.online:
                await asyncio.sleep(0.01)

    async def feed(self, seconds: float) -> int:
        """Take a sample a second and give every agent its own version of it; returns how many that were."""
        settings = self._settings
        plans, status = Plans(make_plan(settings)), AgentState()
        roots = sources.roots_of(settings)
        choices = sources.new_choices(roots.sys)
        sampler = Sampler(sources.fast_collectors(roots, choices), sources.gpus(roots, choices), plans, status)
        sampler.prime()
        ticker = Ticker(1.0)
        given = 0
        ends_s = time.monotonic() + seconds
        while time.monotonic() < ends_s:
            sample = await sampler.sample(await ticker.next())
            for number, member in enumerate(self.members if sample else ()):
                assert sample is not None
                member.take(varied(sample, number))
                given += 1
                if number % 50 == 49:
                    await asyncio.sleep(0)
        return given

    async def finish(self) -> None:
        """Everything given is on the bus; all agents have ended."""
        async with asyncio.timeout(SETTLE_S), asyncio.TaskGroup() as finishing:
            for member in self.members:
                finishing.create_task(member.finish())
        for task in self._tasks:
            task.cancel()
        for member in self.members:
            await member.lanes.disk.run(member.lanes.spool.close)
        for disk in self._disks:
            disk.close()


def varied(sample: Sample, number: int) -> Sample:
    """`sample` as another machine would have it: every value moved by a little of its own."""
    families = {
        family: {
            instance: {
                name: None if count is None else count + (number * 31 + position) % 17
                for position, (name, count) in enumerate(row.items())
            }
            for instance, row in instances.items()
        }
        for family, instances in sample.families.items()
    }
    return Sample(sample.time_ms, families, sample.labels, sample.periods_ms)


def main(argv: Sequence[str]) -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--agents", type=int, default=1000)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--sync", type=float, default=0, help="the agents' spool_sync_s")
    options = arguments.parse_args(argv)
    allow_descriptors(options.agents * DESCRIPTORS_EACH + 200)
    with process.runner() as loop:
        show(loop.run(measure(options.agents, options.seconds, options.sync)), options.json, FIGURES)
    return 0


def allow_descriptors(wanted: int) -> None:
    """Let this process open as many files as it needs; SystemExit where the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"agents: {wanted} open files needed, the limit is {hard}: raise it with ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


async def measure(agents: int, seconds: float, sync_s: float) -> list[Figure]:
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = await stack.enter_async_context(nats_server(data / "nats"))
        postgres = await stack.enter_async_context(postgres_server(data / "postgres"))
        database = await stack.enter_async_context(database_connection(postgres.url, "bench"))
        await migrate(database, await detect(database))
        async with bus_connection(bus.url, "bench") as client:
            await ensure_streams(client)
        own = {"SONDE_NATS_URL": bus.url, "SONDE_DATABASE_URL": postgres.url}
        ingest = await stack.enter_async_context(running([sys.executable, "-m", "infra.cli.main", "ingest"], own))
        fleet = Fleet(AgentSettings(data=str(data / "spools"), nats_url=bus.url, spool_sync_s=sync_s))
        alone_kib = memory_kib(psutil.Process().pid)
        parts = [psutil.Process(), psutil.Process(bus.process.pid), psutil.Process(ingest.pid)]
        async with asyncio.TaskGroup() as group:
            await fleet.start(group, agents)
            before, began_s = [spent_s(part) for part in parts], time.monotonic()
            given = await fleet.feed(seconds)
            elapsed_s = time.monotonic() - began_s
            cpu = [100 * (spent_s(part) - was) / elapsed_s for part, was in zip(parts, before, strict=True)]
            each_kib = (memory_kib(parts[0].pid) - alone_kib) / agents
            await fleet.finish()
        rows = distinct = 0
        deadline_s = time.monotonic() + SETTLE_S
        while rows < given and time.monotonic() < deadline_s:
            rows, distinct = await database.fetchrow(STORED)  # type: ignore[misc]
            await asyncio.sleep(0.2)
    trips = np.array([ms for member in fleet.members for ms in member.round_trips_ms])
    return [
        figure("agents.connected", len(fleet.members), "agents"),
        figure("agents.samples", given, "samples"),
        figure("agents.rows", rows, "rows of cpu"),
        figure("agents.lost", given - distinct, "samples", 0),
        figure("agents.doubled", rows - distinct, "rows", 0),
        figure("agents.publish_p50_ms", float(np.percentile(trips, 50)), "ms"),
        figure("agents.publish_p99_ms", float(np.percentile(trips, 99)), "ms"),
        figure("agents.cpu_percent", cpu[0], "% of one core, all agents"),
        figure("agents.nats_cpu_percent", cpu[1], "% of one core"),
        figure("agents.ingest_cpu_percent", cpu[2], "% of one core"),
        figure("agents.agent_kib", each_kib, "KiB each"),
        figure("agents.reconnects", sum(member.status.reconnects for member in fleet.members), "reconnects", 0),
    ]


def spent_s(part: psutil.Process) -> float:
    times = part.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
