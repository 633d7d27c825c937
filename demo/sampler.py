"""What a simulated agent samples at each tick: the curves, of which it makes some hundred ticks at a time."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from agent.sampling.plan import Plan
from demo.curves import lines_of
from demo.machines import Machine
from demo.noise import Ints
from schemas.catalogue import CATALOGUE
from schemas.codec import Sample
from schemas.metric import Family

TICKS = 240
"""In one block: what numpy takes for a call hardly depends on how many there are."""

Values = dict[str, int | None]
Instances = dict[str, Values]


class Block:
    """Some hundred ticks of one family, made when the first of them is asked for."""

    def __init__(self, machine: Machine, family: Family, times_s: Ints) -> None:
        lines = lines_of(machine, family, times_s)
        self.labels = {line.instance: line.labels for line in lines if line.labels}
        self._instances: list[tuple[str, Values, list[str]]] = []
        """Name, values that stay, and the names of those that vary, whose columns follow each other in `_rows`."""
        columns: list[Ints] = []
        for line in lines:
            values: Values = {}
            varying: list[str] = []
            for metric, counts, unknown in zip(family.metrics, line.counts, line.unknown, strict=True):
                values[metric.name] = None if unknown else int(counts[0])
                if not unknown and (counts != counts[0]).any():
                    varying.append(metric.name)
                    columns.append(counts)
            self._instances.append((line.instance, values, varying))
        rows = np.stack(columns, axis=1) if columns else np.empty((len(times_s), 0), dtype=np.int64)
        small = not rows.size or max(int(rows.max()), -int(rows.min())) < 2**31
        self._rows = rows.astype(np.int32) if small else rows

    def at(self, tick: int) -> Instances:
        """The values at one tick of it."""
        row = iter(self._rows[tick].tolist())
        return {
            instance: values | dict(zip(varying, row, strict=False)) for instance, values, varying in self._instances
        }


class Simulated:
    """The sampler of one simulated agent."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._blocks: dict[str, tuple[tuple[int, int, int], Block]] = {}

    def sample(self, second: int, plan: Plan, watched: bool) -> Sample | None:
        """What `plan` wants at that Unix second; None where that is no tick of it. `watched`: somebody looks here.

        Hosts with an interval of several seconds have their ticks at different ones of these.
        """
        interval_s = max(1, round(plan.sample_interval_s))
        shift_s = self._share_of(interval_s)
        into_s = second - shift_s
        if into_s % interval_s:
            return None
        return self._sample(second, shift_s, plan, watched, due=lambda period_s: into_s % period_s == 0)

    def last_known(self, second: int, plan: Plan) -> Sample:
        """The newest values of the families that are not sampled at every tick."""
        interval_s = plan.sample_interval_s
        shift_s = self._share_of(max(1, round(interval_s)))
        return self._sample(second, shift_s, plan, watched=False, due=lambda period_s: period_s > interval_s)

    def _sample(self, second: int, shift_s: int, plan: Plan, watched: bool, due: Callable[[int], bool]) -> Sample:
        sample = Sample(1000 * second, {})
        for family in CATALOGUE:
            period_s = self._period_s(family, plan, watched)
            if period_s is None or not due(period_s):
                continue
            block, tick = self._block(family, second, period_s, shift_s)
            instances = block.at(tick)
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

    def _block(self, family: Family, second: int, period_s: int, shift_s: int) -> tuple[Block, int]:
        """The block with the family's last tick up to `second`, and which of its ticks that is."""
        tick = (second - shift_s) // period_s
        number, place = place_of(self._machine.name, family.name, tick)
        key = (number, period_s, shift_s)
        held = self._blocks.get(family.name)
        if held is None or held[0] != key:
            times_s = shift_s + period_s * np.arange(tick - place, tick - place + TICKS, dtype=np.int64)
            held = self._blocks[family.name] = key, Block(self._machine, family, times_s)
        return held[1], place

    def _share_of(self, many: int) -> int:
        """A number below `many` of this host's own, for good."""
        return zlib.crc32(self._machine.name.encode()) % many


def place_of(host: str, family: str, tick: int) -> tuple[int, int]:
    """The number of the block that holds a tick, and where in it.

    Blocks of different hosts and families begin at different ticks: a fleet must not stop to make them all at once.
    """
    return divmod(tick + zlib.crc32(f"{host} {family}".encode()) % TICKS, TICKS)
