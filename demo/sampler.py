"""What a simulated agent samples at each second: the curves, of which it makes two minutes at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.sampling.plan import Plan
from demo.curves import lines_of
from demo.lines import Line
from demo.machines import Machine
from schemas.catalogue import CATALOGUE
from schemas.codec import Sample
from schemas.metric import Family

BLOCK_S = 120

Values = dict[str, int | None]
Instances = dict[str, Values]


class Block:
    """Two minutes of one family, made when they are first asked for."""

    def __init__(self, machine: Machine, family: Family, number: int) -> None:
        times = np.arange(number * BLOCK_S, (number + 1) * BLOCK_S, dtype=np.int64)
        self.number = number
        self._names = [metric.name for metric in family.metrics]
        lines = lines_of(machine, family, times)
        self._rows = [(line.instance, np.stack(line.counts, axis=1), _unknown(line)) for line in lines]
        self.labels = {line.instance: line.labels for line in lines if line.labels}

    def at(self, second: int) -> Instances:
        """The values at one second of it."""
        found: Instances = {}
        for instance, rows, unknown in self._rows:
            values: Values = dict(zip(self._names, rows[second].tolist(), strict=True))
            found[instance] = values | unknown if unknown else values
        return found


def _unknown(line: Line) -> Values:
    """The metrics that are unknown at all times."""
    names = [metric.name for metric in line.family.metrics]
    return {name: None for name, unknown in zip(names, line.unknown, strict=True) if unknown}


class Simulated:
    """The sampler of one simulated agent."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._blocks: dict[str, Block] = {}

    def sample(self, second: int, plan: Plan, watched: bool) -> Sample | None:
        """What `plan` wants at that Unix second; None where that is no tick of it. `watched`: somebody looks here."""
        if second % max(1, round(plan.sample_interval_s)):
            return None
        return self._sample(second, plan, watched, due=lambda period_s: second % period_s == 0)

    def last_known(self, second: int, plan: Plan) -> Sample:
        """The values of the families that are not sampled at every tick."""
        return self._sample(second, plan, watched=False, due=lambda period_s: period_s > plan.sample_interval_s)

    def _sample(self, second: int, plan: Plan, watched: bool, due: Callable[[int], bool]) -> Sample:
        sample = Sample(1000 * second, {})
        for family in CATALOGUE:
            period_s = self._period_s(family, plan, watched)
            if period_s is None or not due(period_s):
                continue
            block = self._block(family, second)
            instances = block.at(second % BLOCK_S)
            if not instances:
                continue
            sample.families[family.name] = instances
            if block.labels:
                sample.labels[family.name] = block.labels
            if period_s not in (round(family.period_s), round(plan.sample_interval_s)):
                sample.periods_ms[family.name] = 1000 * period_s
        return sample

    def _period_s(self, family: Family, plan: Plan, watched: bool) -> int | None:
        """How often the family is sampled; None: not at all, or not now.

        Containers are on until settings are pushed, unlike those of a real machine, where somebody has to want them.
        """
        own = plan.families[family.name]
        enabled = own.enabled or (family.sampled == "never" and plan.revision == 0)
        if not enabled or (own.watched and not watched):
            return None
        return max(1, round(own.period_s))

    def _block(self, family: Family, second: int) -> Block:
        held = self._blocks.get(family.name)
        if held is None or held.number != second // BLOCK_S:
            held = self._blocks[family.name] = Block(self._machine, family, second // BLOCK_S)
        return held
