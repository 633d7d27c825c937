"""From ticks to the spool: the sampling loop, and the queue between it and the disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from agent.sampling.plan import Plans
from agent.sampling.sampler import Sampler
from agent.sampling.ticker import Ticker
from agent.sending.batching import Batcher, batches, numbered
from agent.sending.early import Early
from agent.sending.lanes import Lanes
from agent.sending.live import LiveFeed
from agent.system.notify import Notifier
from agent.system.state import AgentState
from schemas.codec import Sample, times_ms
from schemas.watches import Watch

logger = logging.getLogger(__name__)

QUEUED_BATCHES = 64
"""Batches that may wait for a disk that hangs; past it the oldest are lost and counted."""


class Intake:
    """Samples on their way to the spool."""

    def __init__(self, host: str, lanes: Lanes, batcher: Batcher, most_bytes: int, status: AgentState) -> None:
        self._host = host
        self._lanes = lanes
        self._batcher = batcher
        self._most_bytes = most_bytes
        self._status = status
        self._early = Early()
        self._queue: asyncio.Queue[list[Sample]] = asyncio.Queue(QUEUED_BATCHES)

    def use_interval(self, interval_s: float) -> None:
        """From now on a batch spans `interval_s`."""
        self._batcher.use_interval(interval_s)

    def use_watches(self, watches: Sequence[Watch]) -> None:
        """From now on a batch goes at once when a value crosses one of their thresholds."""
        self._early.use(watches)

    def add(self, sample: Sample) -> None:
        """Take one sample; never waits."""
        due = self._batcher.add(sample)
        if due:
            self._put(due)
        if self._early.wants(sample, leaves=self._batcher.empty):
            self._status.early_batches += 1
            self._put(self._batcher.take())

    def _put(self, samples: list[Sample]) -> None:
        if self._queue.full():
            self._queue.get_nowait()
            self._queue.task_done()
            if not self._status.lost_batches:
                logger.error("spool slower than sampling, batches dropped", extra={"queued": QUEUED_BATCHES})
            self._status.lost_batches += 1
        self._queue.put_nowait(samples)

    async def store(self) -> None:
        """Spool batches as they become due, for ever."""
        while True:
            samples = await self._queue.get()
            for batch in batches(self._host, self._lanes.spool.epoch, samples, self._most_bytes):
                await self._lanes.store(numbered(batch), len(batch.times), times_ms(batch.times)[-1])
            self._queue.task_done()

    async def finish(self) -> None:
        """Spool the samples in hand; returns when all are on the disk."""
        samples = self._batcher.take()
        if samples:
            self._put(samples)
        await self._queue.join()

    async def send(self, within_s: float) -> None:
        """Spool the samples in hand and, with a bus, wait until it has stored them; no longer than `within_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.finish()
                if self._lanes.online:
                    await self._lanes.drained.wait()


async def keep_synced(lanes: Lanes, every_s: float) -> None:
    """Put what the spool wrote on the disk every `every_s`; 0: it does so itself, with every batch."""
    while every_s:
        await asyncio.sleep(every_s)
        await lanes.disk.run(lanes.spool.sync)


async def sample_on_grid(
    plans: Plans, sampler: Sampler, feed: LiveFeed, intake: Intake, status: AgentState, systemd: Notifier
) -> None:
    """Sample at every tick, for ever; `systemd` is told that one is over, and that one is waited for."""

    def waiting() -> None:
        ticker.interval_s = plans.current.sample_interval_s
        systemd.alive()

    ticker = Ticker(plans.current.sample_interval_s, waiting=waiting)
    sampler.prime()
    while True:
        plan = plans.current
        ticker.interval_s = plan.sample_interval_s
        intake.use_interval(plan.batch_interval_s)
        intake.use_watches(plan.watches)
        status.config_revision = plan.revision
        tick = await ticker.next()
        status.late_ticks += tick.skipped
        sample = await sampler.sample(tick, feed.named)
        if sample is not None:
            feed.offer(sample, sampler.last_known)
            intake.add(sample)
        systemd.ticked()
