"""One tick: every family that is due becomes catalogue counts in one sample.

A collector that fails costs its own family and nothing else; it is logged when it begins to fail and when it works
again. Families that are read off the tick (file systems, directories ...) are put in when they arrive.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from agent.collectors.gpu.gpu import Gpus
from agent.collectors.readings import Reading, scales, to_counts
from agent.sampling.plan import FamilyPlan, Plans
from agent.sampling.sources import Collect
from agent.sampling.ticker import Tick
from agent.system.state import AgentState
from schemas.catalogue import CATALOGUE, Family
from schemas.codec import EARLIEST_MS, LATEST_MS, MOST_NAME, Sample

logger = logging.getLogger(__name__)


class Sampler:
    """Holds the collectors, what arrived off the tick, and the last values of what is read less often than that."""

    def __init__(
        self,
        collectors: Mapping[str, Collect],
        gpus: Gpus,
        plans: Plans,
        status: AgentState,
        catalogue: tuple[Family, ...] = CATALOGUE,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`collectors`: what is read on the tick, by family; none of it may hang. `clock`: what rates go by."""
        self._collectors = collectors
        self._gpus = gpus
        self._plans = plans
        self._status = status
        self._clock = clock
        self._scales = scales(catalogue)
        self._usual_s = {family.name: family.period_s for family in catalogue}
        self._periods: dict[str, int] = {}
        self._paused: set[str] = set()
        """Families that were sampled once and then not, whose counters are from long ago."""
        self._arrived: dict[str, Reading] = {}
        self._slow: dict[str, Reading] = {}
        self._odd: set[str] = set()
        """Families of which instances are left out."""
        self.failing: dict[str, str] = {}
        """Families that could not be read last time, and why."""

    def post(self, family: str, reading: Reading, partial: bool = False) -> None:
        """Put a family that was read off the tick into the next sample.

        `partial`: other instances of the family are read by somebody else and stay as they were.
        """
        self._arrived[family] = self._arrived[family].with_more(reading) if family in self._arrived else reading
        self._slow[family] = self._slow[family].with_more(reading) if partial and family in self._slow else reading

    def forget(self, family: str, instance: str | None = None) -> None:
        """Know nothing any more of a family, or of one instance of it, that is no longer read."""
        if instance is None:
            self._slow.pop(family, None)
            self._arrived.pop(family, None)
            self.failing.pop(family, None)
        for held in (self._slow, self._arrived):
            if family in held:
                held[family].instances.pop(instance or "", None)

    def prime(self) -> None:
        """Read the counters once, so that the first sample has rates."""
        for family, collect in self._collectors.items():
            plan = self._plans.current.families[family]
            if plan.enabled and not plan.watched and self._every_tick(plan):
                self._collect(family, collect)

    async def sample(self, tick: Tick, watched: bool = False) -> Sample | None:
        """Read what is due at `tick`; None while the wall clock is so wrong that no sample could be stored.

        `watched`: somebody looks at this host.
        """
        if not EARLIEST_MS <= tick.time_ms <= LATEST_MS:
            self.fail("clock", f"{tick.time_ms} ms is no date to store samples under")
            return None
        self.works("clock")
        began = self._clock()
        gpu = self._start_gpus() if self._is_due("gpu", tick, watched) else None
        sample = Sample(tick.time_ms, {})
        for family, collect in self._collectors.items():
            if self._is_due(family, tick, watched) and (reading := self._collect(family, collect)):
                self._take(sample, family, reading)
        for family, reading in self._arrived.items():
            self._add(sample, family, reading)
        self._arrived.clear()
        self._status.count_tick((self._clock() - began) * 1000)
        if gpu is not None and (reading := await self._finish(gpu)):
            self._take(sample, "gpu", reading)
        return sample

    def _start_gpus(self) -> Awaitable[Reading | None] | None:
        """Begin to read the GPUs; what is returned waits for them, half of the interval at most."""
        within_s = self._plans.current.sample_interval_s / 2
        try:
            return self._gpus.finish(self._gpus.start(within_s), within_s)
        except Exception as error:  # looking for a driver must not cost the others either
            self.fail("gpu", error)
            return None

    async def _finish(self, gpu: Awaitable[Reading | None]) -> Reading | None:
        try:
            reading = await gpu
        except Exception as error:  # whatever a vendor's library comes up with costs the gpu family alone
            self.fail("gpu", error)
            return None
        self.works("gpu")
        return reading

    def _take(self, sample: Sample, family: str, reading: Reading) -> None:
        """Put what was just read into `sample`; what is not read at every tick is remembered besides.

        The first reading after a pause is neither: its rates would be means over the whole pause.
        """
        if family in self._paused:
            self._paused.discard(family)
            return
        if not self._every_tick(self._plans.current.families[family]):
            self._slow[family] = reading
        self._add(sample, family, reading)

    def last_known(self, time_ms: int) -> Sample:
        """The last values of the families that are not read at every tick."""
        sample = Sample(time_ms, {})
        for family, reading in self._slow.items():
            self._add(sample, family, reading)
        return sample

    def _every_tick(self, plan: FamilyPlan) -> bool:
        return plan.period_s <= self._plans.current.sample_interval_s

    def _is_due(self, family: str, tick: Tick, watched: bool) -> bool:
        """Whether `family` is to be read at `tick`: at the first one of each of its periods."""
        plan = self._plans.current.families[family]
        if not plan.enabled or (plan.watched and not watched):
            if self._periods.pop(family, None) is not None:
                self.forget(family)
                self._paused.add(family)
            return False
        if self._every_tick(plan):
            self._periods[family] = 0
            return True
        period = int(tick.time_ms // (plan.period_s * 1000))
        due = self._periods.get(family) != period
        self._periods[family] = period
        return due

    def _collect(self, family: str, collect: Collect) -> Reading | None:
        """Rates go by the time of this very reading: work before it in the same tick must not count as elapsed."""
        try:
            instances = collect(self._clock())
        except Exception as error:  # a failing collector must not cost the others
            self.fail(family, error)
            return None
        self.works(family)
        return Reading(instances)

    def works(self, family: str) -> None:
        """Note that a family could be read."""
        if self.failing.pop(family, None) is not None:
            logger.info("collector recovered", extra={"family": family})

    def fail(self, family: str, error: object) -> None:
        """Note that a family could not be read; said once until it can be again."""
        text = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error)
        if family not in self.failing:
            logger.error("collector failed", extra={"family": family, "error": text})
        self.failing[family] = text
        self._slow.pop(family, None)  # what it was before is not what it is

    def _sendable(self, family: str, reading: Reading) -> Reading:
        """`reading` without the instances whose names no batch may have: one of them would cost the whole batch."""
        odd = [name for name in reading.instances if len(name) > MOST_NAME or "\0" in name]
        nul = any("\0" in text for of in reading.labels.values() for text in of.values())
        if not odd and not nul:
            return reading
        if odd and family not in self._odd:
            self._odd.add(family)
            facts = {"family": family, "instances": len(odd), "first": odd[0][:60]}
            logger.warning("instances skipped, invalid name", extra=facts)
        instances = {name: values for name, values in reading.instances.items() if name not in odd}
        labels = {
            name: {key: text.replace("\0", "") for key, text in of.items()}
            for name, of in reading.labels.items()
            if name in instances
        }
        return Reading(instances, labels)

    def _add(self, sample: Sample, family: str, reading: Reading | None) -> None:
        if reading is None or not reading.instances or family not in self._scales:
            return
        try:
            reading = self._sendable(family, reading)
            if not reading.instances:
                return
            for text in (*reading.instances, *(text for of in reading.labels.values() for text in of.values())):
                text.encode()  # as the batch will be
            sample.families[family] = to_counts(reading.instances, self._scales[family])
        except Exception as error:  # a value that is no number, a name that is no text, must not cost the others
            self.fail(family, error)
            return
        if reading.labels:
            sample.labels[family] = dict(reading.labels)
        plan = self._plans.current.families[family]
        if plan.period_s != self._usual_s[family] and not self._every_tick(plan):
            sample.periods_ms[family] = round(plan.period_s * 1000)
