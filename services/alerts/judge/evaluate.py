"""One batch held against the rules: states and batch in, changed states and transitions out. Pure.

Nearly every column of every batch is quiet: nothing active, no clock running, no value at a threshold. That is decided
on the integer counts of the wire, and such a column touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct, field

from schemas.columns import Column, column_bounds, unpack_column
from schemas.messages import AlertTransition, Batch, Block, Series
from schemas.rules import COUNTERS
from services.alerts.judge.axis import Judged
from services.alerts.judge.machine import OK, Change, State, lack, limits_at, miss, step
from services.alerts.judge.ruleset import CompiledRule, OfHost
from services.alerts.judge.trend import Trend
from services.alerts.judge.windows import SlidingWindow, runs

Key = tuple[str, str]
"""Rule id and instance: what tells a host's states apart."""


Values = list[tuple[int, float | None]]
"""What is held against the thresholds, by judged time."""


class Looking(Struct):
    """What is remembered of a host's values besides states: made anew from the stream after a restart."""

    windows: dict[Key, SlidingWindow | Trend] = field(default_factory=dict)
    warm: set[str] = field(default_factory=set)
    """Rules whose trends were given the past that is stored."""


WINDOW_KEPT_MS = 3_600_000


def forget_ended(looking: Looking) -> None:
    """Drop the windows of instances that are no more: those that others of the host outlive by an hour."""
    newest_ms = max((window.newest_ms for window in looking.windows.values()), default=0)
    for key in [key for key, held in looking.windows.items() if held.newest_ms < newest_ms - WINDOW_KEPT_MS]:
        del looking.windows[key]


class Outcome(Struct):
    """What a batch did."""

    changed: dict[Key, State | None] = {}
    """New states of this host; None: forgotten."""
    transitions: list[AlertTransition] = []
    """In order of sample time; not numbered yet."""


class _Turn(Struct):
    """One batch in the works."""

    host: str
    judged: Judged
    states: Mapping[Key, State]
    looking: Looking
    outcome: Outcome

    def note(self, check: CompiledRule, instance: str, change: Change | None) -> None:
        if change is not None:
            self.outcome.transitions.append(transition_of(check, self.host, instance, change, self.judged))


def evaluate(
    rules: OfHost,
    batch: Batch,
    judged: Judged,
    states: Mapping[Key, State],
    looking: Looking,
    known: Mapping[str, float] | None = None,
) -> Outcome:
    """Hold a checked `batch`, whose samples count as taken at the times of `judged`, against the `rules` of its host.

    `states` are those of the host; `looking` is changed. `known`: virtual metrics of the host as of now.
    """
    turn = _Turn(batch.host, judged, states, looking, Outcome())
    for block in batch.families:
        for check in rules.by_family.get(block.family, ()):
            if check.code in block.codes:
                _evaluate_block(turn, check, block)
    for check in rules.with_batches:
        value = (known or {}).get(check.rule.metric)
        key = (check.rule.id, "")
        before = states.get(key, OK)
        state, change = step(check.limits, before, value, judged.times[-1])
        turn.note(check, "", change)
        if state is not before:
            turn.outcome.changed[key] = state
    if states:
        _miss_instances(turn, rules, batch)
    turn.outcome.transitions.sort(key=lambda transition: transition.time)
    return turn.outcome


def _evaluate_block(turn: _Turn, check: CompiledRule, block: Block) -> None:
    index = block.codes.index(check.code)
    also = check.also
    other = block.codes.index(also.code) if also is not None and also.code in block.codes else -1
    if also is not None and other < 0:
        return
    everything = check.rule.instance == "*" and not check.rule.not_instances
    rule_id = check.rule.id
    for series in block.series:
        if not everything and not check.is_about(series.instance):
            continue
        key = (rule_id, series.instance)
        before = turn.states.get(key, OK)
        column = series.columns[index]
        rows = len(turn.judged.times) if series.rows is None else len(series.rows)
        if check.no_data_ms:
            _evaluate_watched(turn, check, key, before, series, column, block.period_ms, other)
            continue
        values = _values(turn, check, key, before, series, column, block.period_ms)
        if values is None:
            continue
        holds = _holding(turn, check, series, other, rows)
        state = before
        if before.absent_ms or before.period_ms != block.period_ms:
            state = msgspec.structs.replace(before, absent_ms=0, period_ms=block.period_ms)
        limits = limits_at(check.limits, block.period_ms)
        for time_ms, value in values:
            held = True if holds is None else holds.get(time_ms)
            if held is not None:
                state, change = step(limits, state, value, time_ms, held)
                turn.note(check, series.instance, change)
        if state is not before and not (state.quiet and before is OK and not state.fires):
            turn.outcome.changed[key] = state


def _evaluate_watched(
    turn: _Turn,
    check: CompiledRule,
    key: Key,
    before: State,
    series: Series,
    column: Column,
    period_ms: int,
    other: int,
) -> None:
    """A series of a rule to which it means something that values are missing: every row counts."""
    times = _times(series, turn.judged.times)
    known = [check.value(count) for count in unpack_column(column, len(times))]
    fires = check.rule.no_data == "alert"
    state, expected = before, before is not OK
    if state.period_ms != period_ms:
        state = msgspec.structs.replace(state, period_ms=period_ms)
    limits = limits_at(check.limits, period_ms)
    values = known
    if check.rule.window.function != "last":
        at = dict(_windowed(turn, check, key, None, series, column, period_ms) or ())
        values = [at.get(time_ms) for time_ms in times]
    holds = _holding(turn, check, series, other, len(times))
    for time_ms, raw, value in zip(times, known, values, strict=True):
        if raw is None:
            if expected or not fires:
                state, change = lack(limits, state, fires, check.no_data_ms, time_ms)
                turn.note(check, series.instance, change)
            continue
        if fires and not expected:  # from now on it is
            state, expected = State(last_ms=time_ms - 1, period_ms=period_ms), True
        if state.absent_ms:
            state = msgspec.structs.replace(state, absent_ms=0)
        held = True if holds is None else holds.get(time_ms)
        if held is not None:
            state, change = step(limits, state, value, time_ms, held)
            turn.note(check, series.instance, change)
    if state is not before and (expected or not state.quiet or state.fires):
        turn.outcome.changed[key] = state


def _values(
    turn: _Turn, check: CompiledRule, key: Key, before: State, series: Series, column: Column, period_ms: int
) -> Iterable[tuple[int, float | None]] | None:
    """What is held against the thresholds, by time; None when none of it can matter."""
    if check.rule.window.function != "last":
        return _windowed(turn, check, key, before, series, column, period_ms)
    times = _times(series, turn.judged.times)
    if before.quiet and not trips(check, column, len(times)):
        return None
    return zip(times, map(check.value, unpack_column(column, len(times))), strict=True)


def trips(check: CompiledRule, column: Column, rows: int) -> bool:
    """True unless no value of `column`, as it travels, can reach the rule's lowest threshold."""
    trip, upwards = check.trip, check.limits.sign > 0
    bounds = column_bounds(column, rows)
    if bounds is None or (bounds[1] < trip if upwards else bounds[0] > trip):
        return False
    values = [count for count in unpack_column(column, rows) if count is not None]
    return bool(values) and (max(values) >= trip if upwards else min(values) <= trip)


def _windowed(
    turn: _Turn, check: CompiledRule, key: Key, before: State | None, series: Series, column: Column, period_ms: int
) -> Values | None:
    """The rule's function at the times of `series`; None when none of them can matter to `before`."""
    return _enter(check, key, turn.looking, _times(series, turn.judged.times), column, period_ms, before)


def feed(rules: OfHost, batch: Batch, times: list[int], looking: Looking) -> None:
    """Let windows remember a batch that was judged before, and nothing else."""
    for block in batch.families:
        for check in rules.by_family.get(block.family, ()):
            if check.rule.window.function == "last" or check.code not in block.codes:
                continue
            index = block.codes.index(check.code)
            for series in block.series:
                if check.is_about(series.instance):
                    key = (check.rule.id, series.instance)
                    _remember(check, key, looking, _times(series, times), series.columns[index], block.period_ms)


def _window(check: CompiledRule, key: Key, looking: Looking, period_ms: int) -> SlidingWindow | Trend:
    """The window of an instance that is sampled so often, made if need be."""
    window = looking.windows.get(key)
    if window is None:
        window = looking.windows[key] = window_of(check)
    if period_ms:
        window.widen(limits_at(check.limits, period_ms).gap_ms)
    return window


def _remember(
    check: CompiledRule, key: Key, looking: Looking, times: list[int], column: Column, period_ms: int
) -> None:
    """Put a column into its window; what the function is then does not matter."""
    window = _window(check, key, looking, period_ms)
    if isinstance(window, Trend):
        window.add(times, [check.value(count) for count in unpack_column(column, len(times))])
        return
    for some_times, some in runs(times, column, limits_at(check.limits, period_ms).gap_ms):
        window.add(some_times, some)


def _enter(
    check: CompiledRule,
    key: Key,
    looking: Looking,
    times: list[int],
    column: Column,
    period_ms: int,
    before: State | None,
) -> Values | None:
    """Put a column into its window; what the function is then, unless a quiet state `before` shows no interest."""
    window = _window(check, key, looking, period_ms)
    if isinstance(window, Trend):
        return window.add(times, [check.value(count) for count in unpack_column(column, len(times))])
    found: Values = []
    for some_times, some in runs(times, column, limits_at(check.limits, period_ms).gap_ms):
        bounds = window.add(some_times, some)
        if before is None or not before.quiet or _may_trip(check, bounds):
            found += window.values(check.least, check.most, check.resolution)
    return found or None


def window_of(check: CompiledRule) -> SlidingWindow | Trend:
    """An empty window as the rule has it."""
    window = check.rule.window
    span_ms = round(window.seconds * 1000)
    if window.function == "time_left":
        return Trend(span_ms, check.limits.gap_ms, check.goal)
    return SlidingWindow(window.function, span_ms, check.limits.gap_ms, check.rule.metric in COUNTERS)


def _may_trip(check: CompiledRule, bounds: tuple[int, int] | None) -> bool:
    """Whether the function of counts within `bounds` can reach the lowest threshold."""
    if bounds is None:
        return False
    if check.rule.window.function in ("rate", "increase"):
        at = check.limits.lowest() * check.limits.sign
        if at <= 0:
            return True
        if check.rule.window.function == "rate" or check.rule.metric in COUNTERS:  # one that began anew grows twice
            return bounds[1] != bounds[0]
        return (bounds[1] - bounds[0] + 1) * check.resolution >= at
    return bounds[1] >= check.trip if check.limits.sign > 0 else bounds[0] <= check.trip


def _holding(turn: _Turn, check: CompiledRule, series: Series, other: int, rows: int) -> dict[int, bool | None] | None:
    """Whether the rule's second condition held, by time; None where nobody knows. None for a rule that has none."""
    also = check.also
    if also is None:
        return None
    counts = unpack_column(series.columns[other], rows)
    times = _times(series, turn.judged.times)
    return {time_ms: None if count is None else also.holds(count) for time_ms, count in zip(times, counts, strict=True)}


def _times(series: Series, times: list[int]) -> list[int]:
    return times if series.rows is None else [times[row] for row in series.rows]


def _miss_instances(turn: _Turn, rules: OfHost, batch: Batch) -> None:
    """Note instances that were there and that this batch lacks, alone or with their whole family."""
    present: dict[str, set[str]] = {}
    newest_ms = turn.judged.times[-1]
    for key, known in turn.states.items():
        rule_id, instance = key
        check = rules.by_id.get(rule_id)
        if check is None or not check.family:
            continue
        before = turn.outcome.changed.get(key) or known
        if before.quiet and not check.no_data_ms:
            continue
        if check.family not in present:
            blocks = (block for block in batch.families if block.family == check.family)
            present[check.family] = {series.instance for block in blocks for series in block.series}
        if instance in present[check.family]:
            continue
        limits = limits_at(check.limits, before.period_ms)
        state: State | None
        if check.no_data_ms:
            # A family is not in every batch: it may be sampled less often.
            wait_ms = max(check.no_data_ms, limits.gap_ms)
            state, change = lack(limits, before, check.rule.no_data == "alert", wait_ms, newest_ms)
        else:
            state, change = miss(limits, before, newest_ms)
        turn.note(check, instance, change)
        if state is None:
            turn.looking.windows.pop(key, None)
        if state is not before:
            turn.outcome.changed[key] = state


def transition_of(
    check: CompiledRule, host: str, instance: str, change: Change, judged: Judged | None = None
) -> AlertTransition:
    """`change` with its rule and host, as it travels; its number comes when it is stored."""
    rule = check.rule

    def told_s(time_ms: int) -> float:
        return (judged.told_ms(time_ms) if judged is not None else time_ms) / 1000

    return AlertTransition(
        id=0,
        time=told_s(change.time_ms),
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
        since=told_s(change.since_ms),
        peak=change.peak,
        peak_time=told_s(change.peak_ms) if change.peak_ms else None,
        flapping=change.flapping,
    )
