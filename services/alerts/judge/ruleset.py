"""Rules as the evaluation wants them: sorted by family and host, thresholds as counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import Struct

from schemas.catalogue import CATALOGUE, COLUMN_LIMITS, Family, metric_named
from schemas.rulechecks import check_rule
from schemas.rules import Rule
from schemas.virtual import HOST_DOWN
from services.alerts.judge.machine import Limits, limits_of

DOWN_UNIT = "s"


class CompiledRule(Struct, frozen=True):
    """One enabled rule, ready to be held against a batch."""

    rule: Rule
    limits: Limits
    unit: str
    family: str = ""
    """Empty for host.down, which no batch carries."""
    code: int = 0
    resolution: float = 1
    trip: float = math.inf
    """A count at or beyond this one, upwards or downwards as the rule compares, may reach the lowest threshold."""
    least: int = 0
    most: int = 0
    """Counts outside `least`..`most` do not fit the metric's column: ingest refuses them, and they are no evidence."""

    def covers(self, host: str, instance: str) -> bool:
        return self.rule.host in ("*", host) and self.rule.instance in ("*", instance)

    def value(self, count: int | None) -> float | None:
        """`count` in the metric's unit; None for null and for what cannot be."""
        if count is None or not self.least <= count <= self.most:
            return None
        # Rounded so that 57 counts of 0.01 are the 0.57 that someone wrote into a threshold.
        return round(count * self.resolution, 9)


class RuleSet:
    """All enabled rules, found by host and family."""

    def __init__(self, rules: Iterable[Rule], catalogue: tuple[Family, ...] = CATALOGUE) -> None:
        """`rules` must have passed `check`."""
        self.by_id: dict[str, CompiledRule] = {}
        self.down: list[CompiledRule] = []
        self._fleet: dict[str, list[CompiledRule]] = {}
        self._own: dict[tuple[str, str], list[CompiledRule]] = {}
        for rule in rules:
            if not rule.enabled:
                continue
            check = compile_rule(rule, catalogue)
            self.by_id[rule.id] = check
            if not check.family:
                self.down.append(check)
            elif rule.host == "*":
                self._fleet.setdefault(check.family, []).append(check)
            else:
                self._own.setdefault((rule.host, check.family), []).append(check)

    def of(self, host: str, family: str) -> list[CompiledRule]:
        """The rules that look at `family` of `host`."""
        fleet = self._fleet.get(family, [])
        own = self._own.get((host, family))
        return fleet + own if own else fleet


def compile_rule(rule: Rule, catalogue: tuple[Family, ...] = CATALOGUE) -> CompiledRule:
    """`rule` with its numbers worked out. Raises InvalidFields when it makes no sense to this version."""
    check_rule(rule, catalogue, in_force=True)
    if rule.metric == HOST_DOWN:
        return CompiledRule(rule, limits_of(rule), DOWN_UNIT)
    family, metric = metric_named(rule.metric, catalogue)
    limits = limits_of(rule, family.period_s)
    lowest = limits.lowest() / metric.resolution
    # One count on the safe side of floating point: what trips is looked at again in units.
    trip = math.floor(lowest) - 1 if limits.sign > 0 else math.ceil(lowest) + 1
    least, most = COLUMN_LIMITS[metric.column]
    return CompiledRule(rule, limits, metric.unit, family.name, metric.code, metric.resolution, trip, least, most)
