"""When a batch is not to wait for its time: a value of the newest sample may begin or end an alert. Pure.

Each level of each watch and instance is on or off, as the judge would have it: on once its threshold has been reached
for as long as the rule says, off once it has been below the other one likewise. Between the two thresholds nothing
changes, so a value that trembles at one of them does not matter; one that leaps to and fro is held back by a limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from schemas.catalogue import CATALOGUE, metric_named
from schemas.codec import Sample
from schemas.matching import fits
from schemas.metric import Family
from schemas.watches import Watch

LEAST_APART_MS = 1000
"""Between two early batches."""
BURST = 6
"""Early batches in a row; then one more every `REFILL_MS`."""
REFILL_MS = 10_000
MOST_LEVELS = 10_000
"""That are on, or about to change; beyond, the oldest are forgotten, mostly of instances that have ended."""


class _Level(Struct, frozen=True):
    """One level of one watch, in the metric's unit and so that worse is higher."""

    number: int
    metric: str
    resolution: float
    sign: int
    raise_at: float
    clear_at: float
    for_ms: int
    recover_for_ms: int
    instance: str
    not_instances: tuple[str, ...]

    def is_about(self, instance: str) -> bool:
        return fits(self.instance, instance) and not any(fits(pattern, instance) for pattern in self.not_instances)


class _Standing(Struct):
    """How one level stands for one instance."""

    on: bool = False
    since_ms: int = 0
    """Since when values have called for the opposite; 0: they do not."""


class Early:
    """Looks at every sample, and says which batches go at once."""

    def __init__(self, catalogue: tuple[Family, ...] = CATALOGUE) -> None:
        self._catalogue = catalogue
        self._watches: Sequence[Watch] = ()
        self._levels: dict[str, list[_Level]] = {}
        """By family."""
        self._standing: dict[tuple[int, str], _Standing] = {}
        self._wanted = False
        """Something has changed that was not sent yet."""
        self._left = float(BURST)
        self._looked_ms = self._sent_ms = 0

    def use(self, watches: Sequence[Watch]) -> None:
        """Look at these from now on; metrics that this version does not know are passed over."""
        if watches == self._watches:
            return
        self._watches, self._levels, self._standing = watches, {}, {}
        number = 0
        for watch in watches:
            try:
                family, metric = metric_named(watch.metric, self._catalogue)
            except KeyError:
                continue
            sign = 1 if watch.above else -1
            for raise_at, clear_at in watch.levels:
                number += 1
                level = _Level(
                    number,
                    metric.name,
                    metric.resolution,
                    sign,
                    sign * raise_at,
                    sign * clear_at,
                    round(watch.for_s * 1000),
                    round(watch.recover_for_s * 1000),
                    watch.instance,
                    tuple(watch.not_instances),
                )
                self._levels.setdefault(family.name, []).append(level)

    def wants(self, sample: Sample, leaves: bool) -> bool:
        """Whether what is in hand is to be sent with `sample`. `leaves`: the sample is in a batch that goes anyway."""
        for family, levels in self._levels.items():
            for instance, values in sample.families.get(family, {}).items():
                for level in levels:
                    count = values.get(level.metric)
                    if count is not None and level.is_about(instance) and self._changes(level, instance, count, sample):
                        self._wanted = True
        self._refill(sample.time_ms)
        if leaves:
            self._wanted = False
            return False
        if not self._wanted or self._left < 1 or 0 <= sample.time_ms - self._sent_ms < LEAST_APART_MS:
            return False
        self._wanted = False
        self._left -= 1
        self._sent_ms = sample.time_ms
        return True

    def _changes(self, level: _Level, instance: str, count: int, sample: Sample) -> bool:
        """Whether the level has just gone on or off."""
        key = (level.number, instance)
        standing = self._standing.get(key)
        # Rounded as the judge does it, so that 57 counts of 0.01 are 0.57.
        worse = level.sign * round(count * level.resolution, 9)
        on = standing is not None and standing.on
        opposite = worse <= level.clear_at and worse < level.raise_at if on else worse >= level.raise_at
        if not opposite:
            if standing is not None:
                standing.since_ms = 0
                if not on:
                    del self._standing[key]
            return False
        if standing is None:
            if len(self._standing) >= MOST_LEVELS:
                del self._standing[next(iter(self._standing))]
            standing = self._standing[key] = _Standing()
        standing.since_ms = standing.since_ms or sample.time_ms
        if sample.time_ms - standing.since_ms < (level.recover_for_ms if on else level.for_ms):
            return False
        standing.on, standing.since_ms = not on, 0
        if on:
            del self._standing[key]
        return True

    def _refill(self, time_ms: int) -> None:
        passed_ms = max(0, time_ms - self._looked_ms) if self._looked_ms else 0
        self._looked_ms = time_ms
        self._left = min(float(BURST), self._left + passed_ms / REFILL_MS)
