"""One tick: every family that is due becomes catalogue counts in one sample.

A collector that fails costs its own family and nothing else; it is logged when it begins to fail and when it works
again. Families that are read off the tick (file systems, directories) are put in when they arrive.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from agent.collectors.gpu import Gpus
from agent.readings import Reading, scales, to_counts
from agent.sources import Collect
from agent.status import Status
from agent.ticker import Tick
from schemas.catalogue import CATALOGUE, Family
from schemas.codec import EARLIEST_MS, LATEST_MS, Sample

logger = logging.getLogger(__name__)


class Sampler:
    """Holds the collectors, what arrived off the tick, and the last values of what is read less often than that."""

    def __init__(
        self,
        every_tick: Mapping[str, Collect],
        periodic: Mapping[str, Collect],
        gpus: Gpus,
        status: Status,
        catalogue: tuple[Family, ...] = CATALOGUE,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`periodic` families are read when their catalogue period begins."""
        self._every_tick = every_tick
        self._periodic = periodic
        self._gpus = gpus
        self._status = status
        self._clock = clock
        self._scales = scales(catalogue)
        self._period_ms = {family.name: round(family.period_s * 1000) for family in catalogue}
        self._periods: dict[str, int] = {}
        self._arrived: dict[str, Reading] = {}
        self._slow: dict[str, Reading] = {}
        self.failing: set[str] = set()
        """Families that could not be read last time."""

    def post(self, family: str, reading: Reading, partial: bool = False) -> None:
        """Put a family that was read off the tick into the next sample.

        `partial`: other instances of the family are read by somebody else and stay as they were.
        """
        self._arrived[family] = self._arrived[family].with_more(reading) if family in self._arrived else reading
        self._slow[family] = self._slow[family].with_more(reading) if partial and family in self._slow else reading

    def prime(self, monotonic_s: float) -> None:
        """Read the counters once, so that the first sample has rates."""
        for family, collect in self._every_tick.items():
            self._collect(family, collect, monotonic_s)

    async def sample(self, tick: Tick) -> Sample | None:
        """Read what is due at `tick`; None while the wall clock is so wrong that no sample could be stored."""
        if not EARLIEST_MS <= tick.time_ms <= LATEST_MS:
            self.fail("clock", f"{tick.time_ms} ms is no date to store samples under")
            return None
        began = self._clock()
        gpu = self._gpus.start()
        sample = Sample(tick.time_ms, {})
        for family, collect in self._every_tick.items():
            self._add(sample, family, self._collect(family, collect, tick.monotonic_s))
        for family, collect in self._periodic.items():
            if self._is_due(family, tick) and (reading := self._collect(family, collect, tick.monotonic_s)):
                self._slow[family] = reading
                self._add(sample, family, reading)
        for family, reading in self._arrived.items():
            self._add(sample, family, reading)
        self._arrived.clear()
        self._status.count_tick((self._clock() - began) * 1000)
        if gpu is not None:
            self._add(sample, "gpu", await self._finish(gpu))
        return sample

    async def _finish(self, gpu: asyncio.Future[Reading | None]) -> Reading | None:
        try:
            reading = await self._gpus.finish(gpu)
        except Exception as error:  # whatever a vendor's library comes up with costs the gpu family alone
            self.fail("gpu", error)
            return None
        self.works("gpu")
        return reading

    def last_known(self, time_ms: int) -> Sample:
        """The last values of the families that are not read at every tick."""
        sample = Sample(time_ms, {})
        for family, reading in self._slow.items():
            self._add(sample, family, reading)
        return sample

    def _is_due(self, family: str, tick: Tick) -> bool:
        period = tick.time_ms // self._period_ms[family]
        due = self._periods.get(family) != period
        self._periods[family] = period
        return due

    def _collect(self, family: str, collect: Collect, monotonic_s: float) -> Reading | None:
        try:
            instances = collect(monotonic_s)
        except Exception as error:  # a failing collector must not cost the others
            self.fail(family, error)
            return None
        self.works(family)
        return Reading(instances)

    def works(self, family: str) -> None:
        """Note that a family could be read."""
        if family in self.failing:
            self.failing.discard(family)
            logger.info("collector works again", extra={"family": family})

    def fail(self, family: str, error: object) -> None:
        """Note that a family could not be read; said once until it can be again."""
        if family not in self.failing:
            self.failing.add(family)
            logger.error("collector failed", extra={"family": family, "error": f"{type(error).__name__}: {error}"})

    def _add(self, sample: Sample, family: str, reading: Reading | None) -> None:
        if reading is None or not reading.instances or family not in self._scales:
            return
        try:
            sample.families[family] = to_counts(reading.instances, self._scales[family])
        except Exception as error:  # a value that is no number must not cost the other families
            self.fail(family, error)
            return
        if reading.labels:
            sample.labels[family] = dict(reading.labels)
