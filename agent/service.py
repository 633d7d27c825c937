"""The agent: sampling, spooling and publishing, wired together."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
import zlib
from pathlib import Path
from typing import Any

from agent.belonging import joined, stay_enrolled, stay_on_bus
from agent.identity.member import Member
from agent.orders.commands import Orders
from agent.orders.config import Pushed
from agent.orders.verbs import agent_verbs
from agent.sampling import background as readers
from agent.sampling import sources
from agent.sampling.plan import Plans, make_plan
from agent.sampling.sampler import Sampler
from agent.selfreport.facts import boot_id, host_facts
from agent.selfreport.local import told_locally
from agent.selfreport.status import agent_status
from agent.sending import intake
from agent.sending.batching import Batcher
from agent.sending.lanes import Lanes
from agent.sending.live import LiveFeed
from agent.session import session_of
from agent.spool.aside import owner_of, set_aside
from agent.spool.spool import Limits, Spool, open_spool
from agent.system.notify import Notifier
from agent.system.state import AgentState
from agent.system.worker import Worker
from infra.clock import now_ms
from infra.settings import AgentSettings
from schemas.messages import HostFacts

logger = logging.getLogger(__name__)

FLUSH_WITHIN_S = 2.0
MOST_SAMPLES = 5000
"""Samples in one batch, whatever the intervals."""


async def run(settings: AgentSettings, stop: asyncio.Event) -> None:
    """Watch this machine until `stop` is set. Then the samples in hand go to the spool and, if it is there, the bus.

    Raises SpoolInUse when another agent uses the same data directory.
    """
    systemd = Notifier()
    member = await joined(settings, stop, systemd)
    if member is None:
        return
    disk = Worker("spool")
    limits = spool_limits(settings)
    spool = await disk.run(_open_spool, settings, limits, member.host)
    try:
        status = AgentState(told_dropped=spool.backlog.dropped)
        await _run(settings, limits, Lanes(member.host, spool, disk, status), member, systemd, stop)
    finally:
        with contextlib.suppress(TimeoutError):  # a disk that hangs: the spool was left as after a crash
            async with asyncio.timeout(FLUSH_WITHIN_S):
                await disk.run(spool.close)
        disk.close()


def _open_spool(settings: AgentSettings, limits: Limits, host: str) -> Spool:
    """The spool of this host. Raises SpoolInUse."""
    directory = Path(settings.data) / "agent" / "spool"
    machine = boot_id(settings.proc_root)
    spool = open_spool(directory, limits, machine=machine)
    waiting = spool.oldest()
    owner = host if waiting is None else owner_of(waiting) or host
    if owner == host:
        return spool
    spool.close()
    try:
        aside = set_aside(directory, owner)
    except OSError as error:
        logger.error("spool of another host not set aside", extra={"owner": owner, "host": host, "error": str(error)})
    else:
        logger.warning("spool of another host set aside", extra={"owner": owner, "host": host, "directory": str(aside)})
    return open_spool(directory, limits, machine=machine)


def phase_of(host: str) -> float:
    """Share of an interval after whose begin a host's batches end: a fleet must not publish in one breath."""
    return zlib.crc32(host.encode()) % 1000 / 1000


def spool_limits(settings: AgentSettings) -> Limits:
    return Limits(
        spool_bytes=settings.spool_bytes,
        max_age_s=settings.spool_max_age_s,
        backfill_after_s=settings.backfill_after_s,
        message_bytes=min(200_000, settings.spool_bytes // 8),
        sync_s=settings.spool_sync_s,
    )


async def _run(
    settings: AgentSettings, limits: Limits, lanes: Lanes, member: Member, systemd: Notifier, stop: asyncio.Event
) -> None:
    host, spool, status = lanes.host, lanes.spool, lanes.status
    plans = Plans(make_plan(settings))
    roots = sources.roots_of(settings)
    choices = sources.new_choices(roots.sys)
    gpus = sources.gpus(roots, choices)
    collectors = sources.fast_collectors(roots, choices)
    collectors["agent"] = sources.own_collector(status, lambda: spool.backlog)
    sampler = Sampler(collectors, gpus, plans, status)
    slow = sources.slow_sources(roots, choices, status)
    of_plan = functools.partial(readers.wanted, sources=slow, sampler=sampler, status=status, root=roots.host)
    feed = LiveFeed(host, now_ms=now_ms())
    batcher = Batcher(plans.current.batch_interval_s, phase_of(host), MOST_SAMPLES)
    samples = intake.Intake(host, lanes, batcher, limits.message_bytes, status)
    pushed = Pushed(settings, plans, status, lanes.disk)
    await pushed.restore()
    started_s = time.monotonic()

    def facts() -> HostFacts:
        return host_facts(settings, plans.current, gpus.names, status.config_error)

    def tell() -> dict[str, Any]:
        of_member = member.report(status)
        return agent_status(lanes, plans.current, sampler, gpus.names, started_s) | {"identity": of_member}

    orders = Orders(agent_verbs(lanes, samples, tell))
    session = session_of(lanes, feed, pushed, orders, facts)
    async with told_locally(settings.data, tell), asyncio.TaskGroup() as group:
        reading = [
            group.create_task(intake.sample_on_grid(plans, sampler, feed, samples, status, systemd)),
            group.create_task(readers.keep_reading(plans, choices, of_plan)),
        ]
        sending = [
            group.create_task(samples.store()),
            group.create_task(intake.keep_synced(lanes, settings.spool_sync_s)),
            group.create_task(stay_on_bus(member, session)),
            *([] if member.identity is None else [group.create_task(stay_enrolled(member, lanes))]),
        ]
        logger.info("agent started", extra={"host": host, "epoch": spool.epoch, "backlog": spool.backlog.batches})
        await stop.wait()
        systemd.stopping()
        for task in reading:
            task.cancel()
        await asyncio.wait(reading)
        await samples.send(FLUSH_WITHIN_S)  # what is not sent by then stays in the spool
        for task in sending:
            task.cancel()
        gpus.close()
