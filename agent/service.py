"""The agent: sampling, spooling and publishing, wired together."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import time
import zlib
from pathlib import Path
from typing import Any

from agent.orders.commands import Orders
from agent.orders.config import Pushed
from agent.orders.verbs import agent_verbs
from agent.sampling import background as readers
from agent.sampling import sources
from agent.sampling.plan import Plans, make_plan
from agent.sampling.sampler import Sampler
from agent.selfreport.facts import host_facts
from agent.selfreport.local import told_locally
from agent.selfreport.status import agent_status
from agent.sending import intake
from agent.sending.batching import Batcher
from agent.sending.lanes import Lanes
from agent.sending.live import LiveFeed
from agent.session import session_of
from agent.spool.spool import Limits, open_spool
from agent.system.notify import Notifier
from agent.system.state import AgentState
from agent.system.worker import Worker
from infra.bus.connection import keep_connected
from infra.bus.patience import Access
from infra.clock import now_ms
from infra.settings import AgentSettings
from schemas.messages import HostFacts
from schemas.subjects import host_from_name

logger = logging.getLogger(__name__)

FLUSH_WITHIN_S = 2.0
MOST_SAMPLES = 5000
"""Samples in one batch, whatever the intervals."""


async def run(settings: AgentSettings, stop: asyncio.Event) -> None:
    """Watch this machine until `stop` is set. Then the samples in hand go to the spool and, if it is there, the bus.

    Raises SpoolInUse when another agent uses the same data directory.
    """
    disk = Worker("spool")
    limits = spool_limits(settings)
    spool = await disk.run(open_spool, Path(settings.data) / "agent" / "spool", limits)
    try:
        status = AgentState(told_dropped=spool.backlog.dropped)
        lanes = Lanes(settings.host or host_from_name(socket.gethostname()), spool, disk, status)
        await _run(settings, limits, lanes, stop)
    finally:
        with contextlib.suppress(TimeoutError):  # a disk that hangs: the spool was left as after a crash
            async with asyncio.timeout(FLUSH_WITHIN_S):
                await disk.run(spool.close)
        disk.close()


def spool_limits(settings: AgentSettings) -> Limits:
    return Limits(
        spool_bytes=settings.spool_bytes,
        max_age_s=settings.spool_max_age_s,
        backfill_after_s=settings.backfill_after_s,
        message_bytes=min(200_000, settings.spool_bytes // 8),
        sync_s=settings.spool_sync_s,
    )


async def _run(settings: AgentSettings, limits: Limits, lanes: Lanes, stop: asyncio.Event) -> None:
    host, spool, status = lanes.host, lanes.spool, lanes.status
    systemd, plans = Notifier(), Plans(make_plan(settings))
    roots = sources.roots_of(settings)
    choices = sources.new_choices(roots.sys)
    gpus = sources.gpus(roots, choices)
    collectors = sources.fast_collectors(roots, choices)
    collectors["agent"] = sources.own_collector(status, lambda: spool.backlog)
    sampler = Sampler(collectors, gpus, plans, status)
    slow = sources.slow_sources(roots, choices, status)
    of_plan = functools.partial(readers.wanted, sources=slow, sampler=sampler, status=status, root=roots.host)
    feed = LiveFeed(host, now_ms=now_ms())
    batcher = Batcher(plans.current.batch_interval_s, zlib.crc32(host.encode()) % 1000 / 1000, MOST_SAMPLES)
    samples = intake.Intake(host, lanes, batcher, limits.message_bytes, status)
    pushed = Pushed(settings, plans, status, lanes.disk)
    await pushed.restore()
    started_s = time.monotonic()

    def facts() -> HostFacts:
        return host_facts(settings, plans.current, gpus.names, status.config_error)

    def tell() -> dict[str, Any]:
        return agent_status(lanes, plans.current, sampler, gpus.names, started_s)

    orders = Orders(agent_verbs(lanes, samples, tell))
    session = session_of(lanes, feed, pushed, orders, facts)
    access = Access(settings.nats_credentials, f"_INBOX_{host}")
    async with told_locally(settings.data, tell), asyncio.TaskGroup() as group:
        reading = [
            group.create_task(intake.sample_on_grid(plans, sampler, feed, samples, status, systemd)),
            group.create_task(readers.keep_reading(plans, choices, of_plan)),
        ]
        sending = [
            group.create_task(samples.store()),
            group.create_task(intake.keep_synced(lanes, settings.spool_sync_s)),
            group.create_task(keep_connected(settings.nats_url, f"sonde agent {host}", session, access=access)),
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
