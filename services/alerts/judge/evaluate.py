"""One batch held against the rules: states and batch in, changed states and transitions out. Pure.

Nearly every column of every batch is quiet: nothing active, no clock running, no value at a threshold. That is decided
on the integer counts of the wire, and such a column touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from schemas.codec import times_ms
from schemas.columns import Column, column_bounds, unpack_column
from schemas.messages import AlertTransition, Batch, Block, Series
from services.alerts.judge.machine import OK, Change, State, limits_at, miss, step
from services.alerts.judge.ruleset import CompiledRule, RuleSet

Key = tuple[str, str]
"""Rule id and instance: what tells a host's states apart."""

AHEAD_MS = 300_000
"""Samples later than this after their arrival come from a wrong clock: ingest refuses them, and here they would make
every true sample after them look like a replay."""


class Outcome(Struct):
    """What a batch did."""

    changed: dict[Key, State | None] = {}
    """New states of this host; None: forgotten."""
    transitions: list[AlertTransition] = []
    """In order of sample time; not numbered yet."""
    ahead: int = 0
    """Samples passed over because they were too far in the future."""


def evaluate(rules: RuleSet, batch: Batch, states: Mapping[Key, State], arrived_ms: int) -> Outcome:
    """Hold a checked `batch`, stored by the bus at `arrived_ms`, against `rules`; `states` are those of its host."""
    outcome = Outcome()
    times: list[int] = times_ms(batch.times)
    latest_ms = arrived_ms + AHEAD_MS
    usable = len(times) if max(times) <= latest_ms else 0
    if not usable:
        outcome.ahead = sum(time > latest_ms for time in times)
    for block in batch.families:
        for check in rules.of(batch.host, block.family):
            if check.code in block.codes:
                _evaluate_block(check, batch.host, block, times, latest_ms, bool(usable), states, outcome)
    if states:
        _miss_instances(rules, batch, times, latest_ms, states, outcome)
    outcome.transitions.sort(key=lambda transition: transition.time)
    return outcome


def _evaluate_block(
    check: CompiledRule,
    host: str,
    block: Block,
    times: list[int],
    latest_ms: int,
    all_usable: bool,
    states: Mapping[Key, State],
    outcome: Outcome,
) -> None:
    index = block.codes.index(check.code)
    rule_id, wanted = check.rule.id, check.rule.instance
    limits = limits_at(check.limits, block.period_ms)
    for series in block.series:
        if wanted not in ("*", series.instance):
            continue
        key = (rule_id, series.instance)
        before = states.get(key, OK)
        rows = len(times) if series.rows is None else len(series.rows)
        column = series.columns[index]
        if before.quiet and not trips(check, column, rows):
            continue
        state = msgspec.structs.replace(before, absent_ms=0) if before.absent_ms else before
        for time_ms, count in zip(_times(series, times), unpack_column(column, rows), strict=True):
            if all_usable or time_ms <= latest_ms:
                state, change = step(limits, state, check.value(count), time_ms)
                if change is not None:
                    outcome.transitions.append(transition_of(check, host, series.instance, change))
        if state is not before:
            outcome.changed[key] = state


def trips(check: CompiledRule, column: Column, rows: int) -> bool:
    """True unless no value of `column`, as it travels, can reach the rule's lowest threshold."""
    trip, upwards = check.trip, check.limits.sign > 0
    bounds = column_bounds(column, rows)
    if bounds is None or (bounds[1] < trip if upwards else bounds[0] > trip):
        return False
    values = [count for count in unpack_column(column, rows) if count is not None]
    return bool(values) and (max(values) >= trip if upwards else min(values) <= trip)


def _times(series: Series, times: list[int]) -> list[int]:
    return times if series.rows is None else [times[row] for row in series.rows]


def _miss_instances(
    rules: RuleSet,
    batch: Batch,
    times: list[int],
    latest_ms: int,
    states: Mapping[Key, State],
    outcome: Outcome,
) -> None:
    """Note active or pending instances that this batch's families no longer have."""
    present = {block.family: {series.instance for series in block.series} for block in batch.families}
    period_ms = {block.family: block.period_ms for block in batch.families}
    newest_ms = max((time for time in times if time <= latest_ms), default=0)
    for key, before in states.items():
        rule_id, instance = key
        check = rules.by_id.get(rule_id)
        if check is None or before.quiet or instance in present.get(check.family, (instance,)):
            continue
        state, change = miss(limits_at(check.limits, period_ms[check.family]), before, newest_ms)
        if change is not None:
            outcome.transitions.append(transition_of(check, batch.host, instance, change))
        if state is not before:
            outcome.changed[key] = state


def transition_of(check: CompiledRule, host: str, instance: str, change: Change) -> AlertTransition:
    """`change` with its rule and host, as it travels; its number comes when it is stored."""
    rule = check.rule
    return AlertTransition(
        id=0,
        time=change.time_ms / 1000,
        kind=change.kind,
        host=host,
        rule=rule.id,
        rule_name=rule.name,
        metric=rule.metric,
        instance=instance,
        severity=change.severity,
        value=change.value,
        unit=check.unit,
        threshold=change.threshold,
        since=change.since_ms / 1000,
        peak=change.peak,
        peak_time=change.peak_ms / 1000 if change.peak_ms else None,
    )
