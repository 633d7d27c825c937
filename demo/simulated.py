"""One simulated agent: a real one but for what it samples, with spool, both lanes, live feed, settings and orders."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from nats.aio.client import Client

from agent import service
from agent.orders.commands import Orders
from agent.orders.config import Pushed
from agent.orders.verbs import agent_verbs
from agent.sampling.plan import Plans, make_plan
from agent.sending.batching import Batcher
from agent.sending.intake import Intake
from agent.sending.lanes import Lanes
from agent.sending.live import LiveFeed
from agent.session import session_of
from agent.spool.spool import open_spool
from agent.system.state import AgentState
from agent.system.worker import Worker
from demo.facts import batch_interval_s, facts_of, top_of
from demo.hosts import credentials_of
from demo.machines import Machine
from demo.sampler import Simulated
from demo.stories import is_up_at
from infra.bus.connection import keep_connected
from infra.bus.patience import Access
from infra.settings import AgentSettings
from schemas.codec import Sample
from schemas.families import AGENT
from schemas.messages import HostFacts
from schemas.version import VERSION

UNSYNCED_S = 600.0
"""Spools are never put on the disk on purpose: nobody minds what a power failure costs a simulated host."""
CATCH_UP_S = 3600.0
"""Samples from before the start are sent as present ones."""
TOP_EVERY_S = 10
CONNECTED_WITHIN_S = 30.0
UPDATED_AFTER_S = 120.0
"""How long after the agents began one more of them is updated."""


class Reach(Struct, frozen=True):
    """How simulated agents reach the bus, and where they keep things."""

    data: str
    """Directory of the fleet."""
    nats_url: str
    ca: str = ""
    server_name: str = ""

    @property
    def credentials(self) -> Path:
        return Path(self.data) / "identities"


class Agent:
    """One simulated agent."""

    def __init__(self, machine: Machine, reach: Reach, lanes: Lanes, settings: AgentSettings) -> None:
        self.machine = machine
        self._reach, self._lanes = reach, lanes
        self._began_s = time.monotonic()
        self._plans = Plans(make_plan(settings))
        self._sampler = Simulated(machine)
        host, status = machine.name, lanes.status
        self._feed = LiveFeed(host, now_ms=int(time.time() * 1000))
        batcher = Batcher(self._plans.current.batch_interval_s, service.phase_of(host), service.MOST_SAMPLES)
        limits = service.spool_limits(settings)
        self._intake = Intake(host, lanes, batcher, limits.message_bytes, status)
        self._pushed = Pushed(settings, self._plans, status, lanes.disk)
        self._session = session_of(
            lanes, self._feed, self._pushed, Orders(agent_verbs(lanes, self._intake, self._tell)), self._facts
        )
        self._up = asyncio.Event()
        """Set while the host has its network."""
        self._down = asyncio.Event()
        self._known = asyncio.Event()
        """Set once it has been connected."""

    def take(self, second: int) -> None:
        """Sample that Unix second, unless the host was away then."""
        self._follow_network()
        plan = self._plans.current
        self._intake.use_interval(plan.batch_interval_s)
        self._intake.use_watches(plan.watches)
        if not is_up_at(self.machine, second):
            return
        sample = self._sampler.sample(second, plan, self._feed.named)
        if sample is None:
            return
        self._add_own(sample)
        if self._feed.named and second % TOP_EVERY_S == 0:
            self._lanes.status.top = top_of(self.machine, second)
        self._feed.offer(sample, self._last_known)
        self._intake.add(sample)

    async def run(self) -> None:
        """Keep the bus informed, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._intake.store())
            while True:
                await self._up.wait()
                connected = group.create_task(self._stay_connected())
                await self._down.wait()
                connected.cancel()
                await asyncio.wait({connected})

    async def _stay_connected(self) -> None:
        host, reach = self.machine.name, self._reach
        credentials = str(credentials_of(reach.credentials, host))
        access = Access(credentials, f"_INBOX_{host}", reach.ca, reach.server_name)
        await keep_connected(reach.nats_url, f"sonde agent {host}", self._on_bus, access=access)

    async def _on_bus(self, client: Client) -> None:
        self._known.set()
        await self._session(client)

    def _follow_network(self) -> None:
        """Tell whoever keeps the connection whether the host has its network now, whatever second is sampled."""
        up = is_up_at(self.machine, int(time.time()))
        now, before = (self._up, self._down) if up else (self._down, self._up)
        now.set()
        before.clear()

    def _add_own(self, sample: Sample) -> None:
        """What only this agent itself knows, in the family about agents."""
        own = sample.families.get(AGENT.name, {}).get("")
        if own is None:
            return
        backlog, status = self._lanes.spool.backlog, self._lanes.status
        own |= {
            "buffered_batches": backlog.batches,
            "buffered_bytes": backlog.bytes,
            "dropped_total": backlog.dropped + status.lost_batches,
            "reconnects": status.reconnects,
            "config_revision": self._plans.current.revision,
        }

    async def connected(self) -> None:
        """Return when it is connected for the first time, has no network now, or the bus lets it wait for too long."""
        self._follow_network()
        if self._up.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._known.wait(), CONNECTED_WITHIN_S)

    async def finish(self, within_s: float) -> None:
        """Send what is in hand, as agents do that are stopped."""
        await self._intake.send(within_s)

    def _last_known(self, time_ms: int) -> Sample:
        return self._sampler.last_known(time_ms // 1000, self._plans.current)

    def _facts(self) -> HostFacts:
        plan = self._plans.current
        updated = time.monotonic() - self._began_s > UPDATED_AFTER_S
        told = facts_of(self.machine, plan.sample_interval_s, plan.batch_interval_s, plan.revision, updated=updated)
        return replace(told, config_error=self._lanes.status.config_error)

    def _tell(self) -> dict[str, Any]:
        backlog, status = self._lanes.spool.backlog, self._lanes.status
        return {
            "host": self.machine.name,
            "version": VERSION,
            "simulated": True,
            "config_revision": self._plans.current.revision,
            "bus": {"connected": self._lanes.online, "reconnects": status.reconnects},
            "spool": {"batches": backlog.batches, "bytes": backlog.bytes},
        }


def settings_of(machine: Machine, reach: Reach, every_s: int) -> AgentSettings:
    """What a machine of that kind would be set to that is sampled every `every_s`."""
    return AgentSettings(
        data=str(Path(reach.data) / "agents" / machine.name),
        nats_url=reach.nats_url,
        host=machine.name,
        tags=",".join(machine.tags),
        sample_interval_s=every_s,
        batch_interval_s=batch_interval_s(every_s),
        spool_sync_s=UNSYNCED_S,
        spool_bytes=8 * 2**20,
        backfill_after_s=CATCH_UP_S,
    )


async def start(machine: Machine, reach: Reach, disk: Worker, every_s: int) -> Agent:
    """An agent whose spool is open; `disk` is the thread that alone uses it."""
    settings = settings_of(machine, reach, every_s)
    directory = Path(settings.data) / "agent" / "spool"
    spool = await disk.run(open_spool, directory, service.spool_limits(settings))
    return Agent(machine, reach, Lanes(machine.name, spool, disk, AgentState()), settings)
