"""From ticks to the spool: the sampling loop, and the queue between it and the disk."""

from __future__ import annotations

import asyncio
import logging
import time

from agent.batching import Batcher, batches, numbered
from agent.collectors.filesystem import Filesystems
from agent.live import LiveFeed
from agent.publisher import Lanes
from agent.sampler import Sampler
from agent.status import Status
from agent.ticker import Ticker
from schemas.catalogue import FILESYSTEM
from schemas.codec import Sample, times_ms

logger = logging.getLogger(__name__)

QUEUED_BATCHES = 64
"""Batches that may wait for a disk that hangs; past it the oldest are lost and counted."""


class Intake:
    """Samples on their way to the spool."""

    def __init__(self, host: str, lanes: Lanes, batcher: Batcher, most_bytes: int, status: Status) -> None:
        self._host = host
        self._lanes = lanes
        self._batcher = batcher
        self._most_bytes = most_bytes
        self._status = status
        self._queue: asyncio.Queue[list[Sample]] = asyncio.Queue(QUEUED_BATCHES)

    def add(self, sample: Sample) -> None:
        """Take one sample; never waits."""
        due = self._batcher.add(sample)
        if due:
            self._put(due)

    def _put(self, samples: list[Sample]) -> None:
        if self._queue.full():
            self._queue.get_nowait()
            self._queue.task_done()
            if not self._status.lost_batches:
                logger.error("spool does not keep up, batches are lost", extra={"queued": QUEUED_BATCHES})
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


async def sample_on_grid(interval_s: float, sampler: Sampler, feed: LiveFeed, intake: Intake, status: Status) -> None:
    """Sample at every tick, for ever."""
    ticker = Ticker(interval_s)
    sampler.prime(time.monotonic())
    while True:
        tick = await ticker.next()
        status.late_ticks += tick.skipped
        sample = await sampler.sample(tick)
        if sample is not None:
            feed.offer(sample, sampler.last_known)
            intake.add(sample)


async def measure_filesystems(filesystems: Filesystems, sampler: Sampler) -> None:
    """Measure the file systems once per period, for ever."""
    period_s = FILESYSTEM.period_s
    try:
        while True:
            began = time.monotonic()
            try:
                sampler.post(FILESYSTEM.name, await filesystems.collect())
            except Exception as error:  # a failing collector must not cost the others
                sampler.fail(FILESYSTEM.name, error)
            else:
                sampler.works(FILESYSTEM.name)
            await asyncio.sleep(max(period_s / 2, began + period_s - time.monotonic()))
    finally:
        filesystems.close()
