"""Whether an alert rule makes sense: what it is about exists, and it can fire and end. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from schemas.catalogue import CATALOGUE, Family, Metric, metric_named
from schemas.health import SERVICES
from schemas.matching import covers, fits, is_glob
from schemas.rules import (
    COUNTERS,
    LONGEST_WINDOW_S,
    SHORTEST_WINDOW_S,
    InvalidField,
    InvalidFields,
    Override,
    Rule,
    Threshold,
)
from schemas.virtual import HOST_DOWN, VirtualMetric, virtual_metric


class Measured(Struct, frozen=True):
    """What a rule is about: of the catalogue, or a virtual metric."""

    path: str
    unit: str
    least: float
    most: float
    instances: str
    """What there are several of; empty: nothing."""
    about_sonde: bool = False
    family: Family | None = None
    """Null: nothing that is sampled."""
    metric: Metric | None = None


def measured(path: str, catalogue: tuple[Family, ...] = CATALOGUE) -> Measured:
    """What the metric `path` is. Raises KeyError when there is none."""
    virtual: VirtualMetric | None = virtual_metric(path)
    if virtual is not None:
        return Measured(path, virtual.unit, 0, virtual.most, virtual.instance, virtual.about == "sonde")
    family, metric = metric_named(path, catalogue)
    least, most = metric.bounds
    return Measured(path, metric.unit, least, most, family.instance, False, family, metric)


def check_rule(rule: Rule, catalogue: tuple[Family, ...] = CATALOGUE, in_force: bool = False) -> None:
    """Raise InvalidFields unless `rule` makes sense.

    Of a rule that is `in_force` a threshold out of reach is no fault while another one can be reached.
    """
    try:
        about = measured(rule.metric, catalogue)
    except KeyError:
        remedy = "unknown metric; use a path that GET /api/v1/metrics lists, such as cpu.total or host.down"
        fault = InvalidField("metric", rule.metric, remedy)
        raise InvalidFields([fault, *_threshold_faults(rule, "", required=True)]) from None
    faults = [*_scope_faults(rule, about), *_threshold_faults(rule, "", required=True), *_window_faults(rule, about)]
    faults += [*_also_faults(rule, about, catalogue), *_override_faults(rule, about)]
    if rule.runbook_url and not rule.runbook_url.startswith(("http://", "https://")):
        faults.append(InvalidField("runbook_url", rule.runbook_url, "must start with http:// or https://, or be empty"))
    beyond = list(_range_faults(rule, about, ""))
    if not in_force or len(beyond) == len(list(_thresholds(rule))):
        faults += beyond
    if not in_force:
        faults += _ending_faults(rule, about, "")
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


def _scope_faults(rule: Rule, about: Measured) -> Iterator[InvalidField]:
    """What of the hosts and instances that the rule asks for cannot be."""
    if about.path == HOST_DOWN and rule.comparison != "above":
        yield InvalidField("comparison", rule.comparison, 'must be "above" for host.down')
    if not is_glob(rule.host):
        remedy = "must be * for all hosts, or a host id: 1 to 40 characters, each a-z, 0-9 or -, or * or ? for others"
        yield InvalidField("host", rule.host, remedy)
    if not rule.instance:
        yield InvalidField("instance", rule.instance, "must be * for all instances, or the name of one")
    elif rule.instance != "*" and not about.instances:
        yield InvalidField("instance", rule.instance, f"must be *: {rule.metric} has no instances")
    if rule.not_instances and not about.instances:
        yield InvalidField("not_instances", rule.not_instances, f"must be empty: {rule.metric} has no instances")
    if about.instances and (by := next((each for each in rule.not_instances if covers(each, rule.instance)), "")):
        remedy = f"must leave some of the instances that the rule is about, which are {rule.instance}"
        yield InvalidField("not_instances", by, remedy)
    yield from _own_faults(rule, about)
    if both := set(rule.tags) & set(rule.without_tags):
        yield InvalidField("without_tags", min(both), "is asked for in tags, too: no host fits both")
    if rule.no_data != "keep" and about.family is None:
        yield InvalidField("no_data", rule.no_data, f"must be keep: {rule.metric} is sampled by no host")


def _own_faults(rule: Rule, about: Measured) -> Iterator[InvalidField]:
    """What a rule about Sonde itself cannot ask for."""
    if not about.about_sonde:
        return
    for field in ("tags", "without_tags", "overrides"):
        if getattr(rule, field):
            yield InvalidField(field, len(getattr(rule, field)), f"must be empty: {rule.metric} is of no host")
    if rule.host != "*":
        yield InvalidField("host", rule.host, f"must be *: {rule.metric} is of no host")
    if about.instances == "service" and rule.instance and not any(fits(rule.instance, name) for name in SERVICES):
        yield InvalidField("instance", rule.instance, f"must be * or one of the services {', '.join(SERVICES)}")


def _threshold_faults(rule: Rule, within: str, required: bool) -> Iterator[InvalidField]:
    if required and rule.warning is None and rule.critical is None:
        remedy = "required; set a warning threshold, a critical threshold, or both"
        yield InvalidField(f"{within}critical", None, remedy)
    sign = 1 if rule.comparison == "above" else -1
    side = "at or below" if sign > 0 else "at or above"
    for field, threshold in _thresholds(rule):
        if not (math.isfinite(threshold.raise_at) and math.isfinite(threshold.clear_at)):
            yield InvalidField(f"{within}{field}", threshold, "thresholds must be finite numbers")
        elif sign * threshold.clear_at > sign * threshold.raise_at:
            remedy = f"must be {side} raise_at, which is {threshold.raise_at:g}"
            yield InvalidField(f"{within}{field}.clear_at", threshold.clear_at, remedy)
    if rule.warning and rule.critical and sign * rule.warning.raise_at > sign * rule.critical.raise_at:
        remedy = f"must be {side} critical.raise_at, which is {rule.critical.raise_at:g}"
        yield InvalidField(f"{within}warning.raise_at", rule.warning.raise_at, remedy)


def _range_faults(rule: Rule, about: Measured, within: str) -> Iterator[InvalidField]:
    """Thresholds that no value can reach, or that every silence has reached."""
    if about.path == HOST_DOWN:
        for field, threshold in _thresholds(rule):
            if threshold.raise_at <= 0:
                remedy = "must be more than 0: host.down is in seconds of silence"
                yield InvalidField(f"{within}{field}.raise_at", threshold.raise_at, remedy)
        return
    least, most, unit = _bounds(rule, about)
    for field, threshold in _thresholds(rule):
        if not math.isfinite(threshold.raise_at):
            continue
        if rule.comparison == "above" and threshold.raise_at > most:
            remedy = f"must be at most {most:g}{unit}: {_what(rule)} is never more"
            yield InvalidField(f"{within}{field}.raise_at", threshold.raise_at, remedy)
        elif rule.comparison == "below" and threshold.raise_at < least:
            remedy = f"must be at least {least:g}{unit}: {_what(rule)} is never less"
            yield InvalidField(f"{within}{field}.raise_at", threshold.raise_at, remedy)


def _ending_faults(rule: Rule, about: Measured, within: str) -> Iterator[InvalidField]:
    """Thresholds that no value clears: what fired would fire for ever."""
    least, most, unit = _bounds(rule, about)
    for field, threshold in _thresholds(rule):
        if not math.isfinite(threshold.clear_at) or not least <= threshold.raise_at <= most:
            continue  # that is said already
        if rule.comparison == "above" and threshold.clear_at < least:
            remedy = f"must be at least {least:g}{unit}: {_what(rule)} is never less, so it would fire for ever"
            yield InvalidField(f"{within}{field}.clear_at", threshold.clear_at, remedy)
        elif rule.comparison == "below" and threshold.clear_at > most:
            remedy = f"must be at most {most:g}{unit}: {_what(rule)} is never more, so it would fire for ever"
            yield InvalidField(f"{within}{field}.clear_at", threshold.clear_at, remedy)


def _bounds(rule: Rule, about: Measured) -> tuple[float, float, str]:
    """Between what the value that is held against the thresholds always is, and its unit."""
    span = about.most - about.least
    fall = 0 if about.path in COUNTERS else -span
    match rule.window.function:
        case "time_left":
            return 0, math.inf, " s"
        case "rate":
            return fall, span, ""
        case "increase":
            return fall, span, f" {about.unit}".rstrip()
        case _:
            return about.least, about.most, f" {about.unit}".rstrip()


def _what(rule: Rule) -> str:
    function = rule.window.function
    return rule.metric if function in ("last", "avg", "min", "max", "p95") else f"{function} of {rule.metric}"


def _window_faults(rule: Rule, about: Measured) -> Iterator[InvalidField]:
    window = rule.window
    if window.function == "last":
        if window.seconds:
            yield InvalidField("window.seconds", window.seconds, 'must be 0 for the function "last"')
    elif about.family is None:
        remedy = f'must be "last": {rule.metric} is sampled by no host'
        yield InvalidField("window.function", window.function, remedy)
    else:
        yield from _length_faults(rule, about.family)
    if window.function == "time_left":
        yield from _trend_faults(rule, about)
    elif window.limit is not None:
        yield InvalidField("window.limit", window.limit, 'must be null: it is for the function "time_left"')


def _length_faults(rule: Rule, family: Family) -> Iterator[InvalidField]:
    window = rule.window
    trend = window.function == "time_left"
    least = max(600.0, 4 * family.period_s) if trend else max(SHORTEST_WINDOW_S, 2 * family.period_s)
    if window.seconds < least:
        remedy = f"must be at least {least:g}: {rule.metric} is sampled every {family.period_s:g} s"
        yield InvalidField("window.seconds", window.seconds, remedy)
    elif not trend and window.seconds > LONGEST_WINDOW_S:
        remedy = f"must be at most {LONGEST_WINDOW_S:g} for the function {window.function}"
        yield InvalidField("window.seconds", window.seconds, remedy)


def _trend_faults(rule: Rule, about: Measured) -> Iterator[InvalidField]:
    if rule.comparison != "below":
        yield InvalidField("comparison", rule.comparison, 'must be "below" for the function "time_left"')
    if rule.window.limit is None and about.metric is not None and about.metric.most is None:
        remedy = f"required: {rule.metric} has no most of its own that it could reach"
        yield InvalidField("window.limit", None, remedy)
    if rule.window.limit is not None and not about.least <= rule.window.limit <= about.most:
        remedy = f"must be from {about.least:g} to {about.most:g}: {rule.metric} never reaches anything else"
        yield InvalidField("window.limit", rule.window.limit, remedy)


def _also_faults(rule: Rule, about: Measured, catalogue: tuple[Family, ...]) -> Iterator[InvalidField]:
    also = rule.also
    if also is None:
        return
    if about.family is None:
        yield InvalidField("also", also.metric, f"must be null: {rule.metric} is sampled by no host")
        return
    try:
        other = measured(also.metric, catalogue)
    except KeyError:
        other = None
    if other is None or other.family is not about.family or also.metric == rule.metric:
        remedy = f"must be another metric of the family {about.family.name}"
        yield InvalidField("also.metric", also.metric, remedy)
    elif not math.isfinite(also.value):
        yield InvalidField("also.value", also.value, "must be a finite number")
    elif (also.comparison == "above" and also.value > other.most) or (
        also.comparison == "below" and also.value < other.least
    ):
        remedy = f"must be from {other.least:g} to {other.most:g}: {also.metric} is always between them"
        yield InvalidField("also.value", also.value, remedy)


def _override_faults(rule: Rule, about: Measured) -> Iterator[InvalidField]:
    yield from _taken_faults(rule)
    for number, override in enumerate(rule.overrides):
        within = f"overrides[{number}]."
        if not override.hosts and not override.tags:
            yield InvalidField(f"{within}hosts", None, "required; name hosts, tags, or both")
        merged = overridden(rule, override)
        yield from _threshold_faults(merged, within, required=False)
        if merged == rule:
            yield InvalidField(f"overrides[{number}]", None, "must change something, such as a threshold or enabled")
        if override.warning is not None or override.critical is not None:
            yield from _range_faults(merged, about, within)
            yield from _ending_faults(merged, about, within)


def _taken_faults(rule: Rule) -> Iterator[InvalidField]:
    """Overrides that leave nothing to fire, or nothing to those after them."""
    on = False
    for number, override in enumerate(rule.overrides):
        on = on or override.enabled is not False
        named = not override.hosts or any(covers(pattern, rule.host) for pattern in override.hosts)
        if not (named and (override.hosts or override.tags) and set(override.tags) <= set(rule.tags)):
            continue
        if not on:
            remedy = "must not be false for every host that the rule is about; set enabled of the rule to false"
            yield InvalidField(f"overrides[{number}].enabled", False, remedy)
        elif number + 1 < len(rule.overrides):
            remedy = f"is never taken: overrides[{number}] fits every host that the rule is about; put it before"
            yield InvalidField(f"overrides[{number + 1}]", None, remedy)
        return


def overridden(rule: Rule, override: Override) -> Rule:
    """`rule` as it is for the hosts that `override` is about."""
    names = ("warning", "critical", "for_s", "recover_for_s", "enabled")
    return replace(rule, **{name: value for name in names if (value := getattr(override, name)) is not None})


def variant_for(rule: Rule, host: str, tags: frozenset[str]) -> int:
    """Which of a rule's variants is for `host`: 0 without an override, else its number from 1; -1: none."""
    if not fits(rule.host, host) or not tags.issuperset(rule.tags) or not tags.isdisjoint(rule.without_tags):
        return -1
    for number, override in enumerate(rule.overrides, 1):
        named = not override.hosts or any(fits(pattern, host) for pattern in override.hosts)
        if named and tags.issuperset(override.tags):
            return number
    return 0


def _thresholds(rule: Rule) -> Iterator[tuple[str, Threshold]]:
    """Those that it has, with the names of their fields."""
    for field, threshold in (("warning", rule.warning), ("critical", rule.critical)):
        if threshold is not None:
            yield field, threshold
