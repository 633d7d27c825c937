"""Alert rules: what REST takes, the database keeps and the alert machine evaluates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from schemas.catalogue import CATALOGUE, Family, metric_named
from schemas.subjects import valid_host

NO_NUL = r"^[^\x00]*\Z"  # JSON has NUL, PostgreSQL not
TEXT = "text without NUL characters"
Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=NO_NUL, description=TEXT)]
RuleId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}\Z", description="1 to 40 characters, each a-z, 0-9 or -")]
Seconds = Annotated[float, Meta(ge=0, le=7 * 86400)]

HOST_DOWN = "host.down"


class Threshold(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a level begins and where it ends again; the gap between the two is the hysteresis."""

    raise_at: float
    clear_at: float


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One alert rule. `metric` is a dotted catalogue path, or `host.down`, whose thresholds are seconds of silence."""

    id: RuleId
    name: Name
    metric: str
    host: str = "*"
    """A host id, or `*` for all."""
    instance: Annotated[str, Meta(pattern=NO_NUL, description=TEXT)] = "*"
    """An instance name, or `*` for each of them."""
    comparison: Literal["above", "below"] = "above"
    warning: Threshold | None = None
    critical: Threshold | None = None
    for_s: Seconds = 0
    """The condition must hold this long, in sample time, before the alert fires."""
    recover_for_s: Seconds = 0
    """The recovery must hold this long before the alert resolves."""
    enabled: bool = True
    runbook_url: Annotated[str, Meta(max_length=500, pattern=NO_NUL, description=TEXT)] = ""


class InvalidField(ValueError):
    """A value that its type allows and its meaning does not; names the field, the value and the remedy."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        super().__init__(f"{field}: {value!r}: {remedy}")
        self.field = field
        self.value = value
        self.remedy = remedy


class InvalidFields(ValueError):
    """All that is wrong with a document: one fault or more."""

    def __init__(self, faults: Sequence[InvalidField]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def check_rule(rule: Rule, catalogue: tuple[Family, ...] = CATALOGUE, in_force: bool = False) -> None:
    """Raise InvalidFields unless `rule` makes sense.

    Of a rule that is `in_force` a threshold out of reach is no fault while another one can be reached.
    """
    faults = list(_faults(rule, catalogue))
    beyond = list(_range_faults(rule, catalogue))
    if not in_force or len(beyond) == len(list(_thresholds(rule))):
        faults += beyond
    if faults:
        raise InvalidFields(faults)


def check_change(before: Rule | None, after: Rule, catalogue: tuple[Family, ...] = CATALOGUE) -> None:
    """Raise InvalidFields unless `after` makes sense in the place of `before`.

    What an earlier version took is not asked again: it may stay, be switched off, and on again where it can fire.
    """
    if before is not None and after == replace(before, enabled=after.enabled):
        if after.enabled and not before.enabled:
            check_rule(after, catalogue, in_force=True)
        return
    check_rule(after, catalogue)


def _faults(rule: Rule, catalogue: tuple[Family, ...]) -> Iterator[InvalidField]:
    yield from _metric_faults(rule, catalogue)
    if rule.host != "*" and not valid_host(rule.host):
        yield InvalidField(
            "host", rule.host, "must be * for all hosts, or a host id: 1 to 40 characters, each a-z, 0-9 or -"
        )
    if not rule.instance:
        yield InvalidField("instance", rule.instance, "must be * for all instances, or the name of one")
    yield from _threshold_faults(rule)
    if rule.runbook_url and not rule.runbook_url.startswith(("http://", "https://")):
        yield InvalidField("runbook_url", rule.runbook_url, "must start with http:// or https://, or be empty")


def _metric_faults(rule: Rule, catalogue: tuple[Family, ...]) -> Iterator[InvalidField]:
    if rule.metric == HOST_DOWN:
        if rule.comparison != "above":
            yield InvalidField("comparison", rule.comparison, 'must be "above" for host.down')
        instances = ""
    else:
        try:
            family, _ = metric_named(rule.metric, catalogue)
        except KeyError:
            yield InvalidField(
                "metric", rule.metric, "unknown metric; use a path that GET /api/v1/metrics lists, or host.down"
            )
            return
        instances = family.instance
    if rule.instance not in ("", "*") and not instances:
        yield InvalidField("instance", rule.instance, f"must be *: {rule.metric} has no instances")


def _range_faults(rule: Rule, catalogue: tuple[Family, ...]) -> Iterator[InvalidField]:
    """Thresholds that no value of the metric can reach, or that every silence has reached."""
    if rule.metric == HOST_DOWN:
        for field, threshold in _thresholds(rule):
            if threshold.raise_at <= 0:
                remedy = "must be more than 0: host.down is in seconds of silence"
                yield InvalidField(f"{field}.raise_at", threshold.raise_at, remedy)
        return
    try:
        _, metric = metric_named(rule.metric, catalogue)
    except KeyError:
        return
    least, most = metric.bounds
    unit = f" {metric.unit}" if metric.unit else ""
    for field, threshold in _thresholds(rule):
        if not math.isfinite(threshold.raise_at):
            continue
        if rule.comparison == "above" and threshold.raise_at > most:
            remedy = f"must be at most {most:g}{unit}: {rule.metric} is never more"
            yield InvalidField(f"{field}.raise_at", threshold.raise_at, remedy)
        elif rule.comparison == "below" and threshold.raise_at < least:
            remedy = f"must be at least {least:g}{unit}: {rule.metric} is never less"
            yield InvalidField(f"{field}.raise_at", threshold.raise_at, remedy)


def _thresholds(rule: Rule) -> Iterator[tuple[str, Threshold]]:
    """Those that it has, with the names of their fields."""
    for field, threshold in (("warning", rule.warning), ("critical", rule.critical)):
        if threshold is not None:
            yield field, threshold


def _threshold_faults(rule: Rule) -> Iterator[InvalidField]:
    if rule.warning is None and rule.critical is None:
        yield InvalidField("critical", None, "required; set a warning threshold, a critical threshold, or both")
    sign = 1 if rule.comparison == "above" else -1
    side = "at or below" if sign > 0 else "at or above"
    for field, threshold in _thresholds(rule):
        if not (math.isfinite(threshold.raise_at) and math.isfinite(threshold.clear_at)):
            yield InvalidField(field, threshold, "thresholds must be finite numbers")
        elif sign * threshold.clear_at > sign * threshold.raise_at:
            remedy = f"must be {side} raise_at, which is {threshold.raise_at:g}"
            yield InvalidField(f"{field}.clear_at", threshold.clear_at, remedy)
    if rule.warning and rule.critical and sign * rule.warning.raise_at > sign * rule.critical.raise_at:
        remedy = f"must be {side} critical.raise_at, which is {rule.critical.raise_at:g}"
        yield InvalidField("warning.raise_at", rule.warning.raise_at, remedy)


def default_rules() -> list[Rule]:
    """The rules of a first start: few and quiet."""

    def above(id: str, name: str, metric: str, warning: float, critical: float, back: float, for_s: float) -> Rule:
        return Rule(
            id,
            name,
            metric,
            warning=Threshold(warning, warning - back),
            critical=Threshold(critical, critical - back),
            for_s=for_s,
            recover_for_s=60,
        )

    return [
        above("cpu", "CPU busy", "cpu.total", 75, 90, 10, 300),
        above("memory", "Memory used", "memory.used_percent", 80, 92, 5, 180),
        above("filesystem", "File system full", "filesystem.used_percent", 85, 95, 3, 120),
        above("inodes", "Inodes used up", "filesystem.inodes_percent", 85, 95, 3, 120),
        above("gpu-temperature", "GPU hot", "gpu.temperature", 83, 90, 5, 120),
        Rule("host-down", "Host down", HOST_DOWN, critical=Threshold(60, 60)),
    ]
