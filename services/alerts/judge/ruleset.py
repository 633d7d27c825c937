"""Rules as the evaluation wants them: sorted by host and family, overrides applied, thresholds as counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from schemas.catalogue import CATALOGUE, COLUMN_LIMITS, Family
from schemas.matching import fits
from schemas.rulechecks import Measured, check_rule, measured, overridden, variant_for
from schemas.rules import Rule
from schemas.virtual import HOST_CLOCK, HOST_DOWN, HOST_UPTIME
from services.alerts.judge.machine import Limits, limits_of

WITH_BATCHES = frozenset({HOST_UPTIME, HOST_CLOCK})


class Condition(Struct, frozen=True):
    """A rule's second condition, on counts of another column of the same block."""

    code: int
    above: bool
    least: float
    """The count from which it holds, up or down as it compares."""

    def holds(self, count: int) -> bool:
        return count >= self.least if self.above else count <= self.least


class CompiledRule(Struct, frozen=True):
    """One enabled rule as it is for some hosts, ready to be held against their batches."""

    rule: Rule
    limits: Limits
    unit: str
    about_sonde: bool = False
    family: str = ""
    """Empty for a virtual metric, which no batch carries."""
    metric: str = ""
    """Its name in the family."""
    with_instances: bool = False
    """Whether the family has them."""
    code: int = 0
    resolution: float = 1
    trip: float = math.inf
    """A count at or beyond this one, upwards or downwards as the rule compares, may reach the lowest threshold."""
    least: int = 0
    most: int = 0
    """Counts outside `least`..`most` do not fit the metric's column: ingest refuses them, and they are no evidence."""
    also: Condition | None = None
    no_data_ms: int = 0
    """How long values may be missing; 0: however long."""
    goal: float = 0
    """For the function time_left: the value that is to be reached."""

    def is_about(self, instance: str) -> bool:
        rule = self.rule
        return fits(rule.instance, instance) and not any(fits(pattern, instance) for pattern in rule.not_instances)

    def value(self, count: int | None) -> float | None:
        """`count` in the metric's unit; None for null and for what cannot be."""
        if count is None or not self.least <= count <= self.most:
            return None
        # Rounded so that 57 counts of 0.01 are the 0.57 that someone wrote into a threshold.
        return round(count * self.resolution, 9)


class OfHost(Struct, frozen=True):
    """The rules that look at one host, or at several alike."""

    by_family: dict[str, list[CompiledRule]]
    by_id: dict[str, CompiledRule]
    """Virtual ones too."""
    trends: list[CompiledRule]
    """Those that look at how long something will last."""
    with_batches: list[CompiledRule]
    """Those about what is known of the host with each of its batches."""
    down: list[CompiledRule]
    """Those about its silence."""
    down_keys: frozenset[tuple[str, str]]
    """Where their states are."""
    patience_s: float
    """The shortest silence that means anything to one of those."""


class RuleSet:
    """All enabled rules, found by host. A host's tags decide with its name which rules look at it, and how."""

    def __init__(self, rules: Iterable[Rule], catalogue: tuple[Family, ...] = CATALOGUE) -> None:
        """`rules` must have passed `check_rule`."""
        self.rules: dict[str, Rule] = {}
        self.about_sonde: list[CompiledRule] = []
        self._variants: dict[str, list[CompiledRule | None]] = {}
        """Rule id -> as it is where no override fits, then with each of its overrides; None: it is off there."""
        self._hosts: dict[str, OfHost] = {}
        self._alike: dict[tuple[int, ...], OfHost] = {}
        self._tags: dict[str, frozenset[str]] = {}
        for rule in rules:
            check = compile_rule(rule, catalogue)
            variants = [overridden(rule, override) for override in rule.overrides]
            if not any(variant.enabled for variant in (rule, *variants)):
                continue
            self.rules[rule.id] = rule
            if check.about_sonde:
                self.about_sonde.append(check)
                continue
            self._variants[rule.id] = [check if rule.enabled else None]
            for variant in variants:
                self._variants[rule.id].append(compile_variant(variant, catalogue) if variant.enabled else None)

    @property
    def down(self) -> bool:
        """Whether any rule is about hosts that are silent."""
        return any(rule.metric == HOST_DOWN for rule in self.rules.values())

    def set_tags(self, tags: Mapping[str, frozenset[str]]) -> None:
        """The tags of all hosts; one that is not there has none."""
        for host in [host for host in self._hosts if self._tags.get(host) != tags.get(host)]:
            del self._hosts[host]
        self._tags = dict(tags)

    def tags(self, host: str) -> frozenset[str]:
        return self._tags.get(host, frozenset())

    def of(self, host: str) -> OfHost:
        """The rules that look at `host`."""
        found = self._hosts.get(host)
        if found is None:
            found = self._hosts[host] = self._find(host)
        return found

    def check(self, host: str, rule_id: str, instance: str) -> CompiledRule | None:
        """The rule by which the alert of `instance` of `host` is judged; None when none is any more."""
        if not host:
            return next((it for it in self.about_sonde if it.rule.id == rule_id and it.is_about(instance)), None)
        check = self.of(host).by_id.get(rule_id)
        return check if check is not None and check.is_about(instance) else None

    def _find(self, host: str) -> OfHost:
        tags = self.tags(host)
        chosen = tuple(variant_for(self.rules[rule_id], host, tags) for rule_id in self._variants)
        alike = self._alike.get(chosen)
        if alike is None:
            checks = [
                check
                for variants, number in zip(self._variants.values(), chosen, strict=True)
                if number >= 0 and (check := variants[number]) is not None
            ]
            alike = self._alike[chosen] = _of_host(checks)
        return alike


def _of_host(checks: Sequence[CompiledRule]) -> OfHost:
    by_family: dict[str, list[CompiledRule]] = {}
    for check in checks:
        if check.family:
            by_family.setdefault(check.family, []).append(check)
    down = [check for check in checks if check.rule.metric == HOST_DOWN]
    return OfHost(
        by_family,
        {check.rule.id: check for check in checks},
        [check for check in checks if check.rule.window.function == "time_left"],
        [check for check in checks if check.rule.metric in WITH_BATCHES],
        down,
        frozenset((check.rule.id, "") for check in down),
        min((check.limits.lowest() for check in down), default=math.inf),
    )


def compile_rule(rule: Rule, catalogue: tuple[Family, ...] = CATALOGUE) -> CompiledRule:
    """`rule` with its numbers worked out. Raises InvalidFields when it makes no sense to this version."""
    check_rule(rule, catalogue, in_force=True)
    return compile_variant(rule, catalogue)


def compile_variant(rule: Rule, catalogue: tuple[Family, ...] = CATALOGUE) -> CompiledRule:
    """The same for a rule that is known to make sense."""
    about = measured(rule.metric, catalogue)
    if about.family is None or about.metric is None:
        return CompiledRule(rule, limits_of(rule), about.unit, about.about_sonde)
    limits = limits_of(rule, about.family.period_s)
    least, most = COLUMN_LIMITS[about.metric.column]
    return CompiledRule(
        rule,
        limits,
        about.unit,
        False,
        about.family.name,
        about.metric.name,
        bool(about.family.instance),
        about.metric.code,
        about.metric.resolution,
        _trip(limits, about),
        least,
        most,
        _also(rule, catalogue),
        0 if rule.no_data == "keep" else max(1, round(rule.no_data_s * 1000)),
        rule.window.limit if rule.window.limit is not None else about.most,
    )


def _trip(limits: Limits, about: Measured) -> float:
    """The count from which values may reach the lowest threshold."""
    assert about.metric is not None  # noqa: S101  # the caller has looked
    lowest = limits.lowest() / about.metric.resolution
    # One count on the safe side of floating point: what trips is looked at again in units.
    return math.floor(lowest) - 1 if limits.sign > 0 else math.ceil(lowest) + 1


def _also(rule: Rule, catalogue: tuple[Family, ...]) -> Condition | None:
    if rule.also is None:
        return None
    metric = measured(rule.also.metric, catalogue).metric
    if metric is None:
        return None
    # Rounded, as floating point would miss the count that stands for the value which somebody wrote.
    return Condition(metric.code, rule.also.comparison == "above", round(rule.also.value / metric.resolution, 6))
