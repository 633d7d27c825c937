"""What holds for any rule and any samples."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.rules import Rule, Threshold
from services.alerts.judge.machine import OK, Change, limits_of, step
from tests.alerts.builders import BUSY, NOON_MS

Samples = Sequence[tuple[int, float | None]]

values = st.one_of(st.none(), st.integers(0, 100).map(float))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any valid rule on a percentage."""
    sign = draw(st.sampled_from((1, -1)))
    warning, critical = sorted(draw(st.tuples(st.integers(1, 99), st.integers(1, 99))))
    gaps = draw(st.tuples(st.integers(0, 30), st.integers(0, 30)))
    present = draw(st.sampled_from(((True, True), (True, False), (False, True))))
    raises = (warning, critical) if sign > 0 else (critical, warning)
    thresholds = [
        Threshold(at, at - sign * gap) if there else None for at, gap, there in zip(raises, gaps, present, strict=True)
    ]
    return Rule(
        "law",
        "Law",
        "cpu.total",
        comparison="above" if sign > 0 else "below",
        warning=thresholds[0],
        critical=thresholds[1],
        for_s=draw(st.integers(0, 60)),
        recover_for_s=draw(st.integers(0, 60)),
    )


@st.composite
def samples(draw: st.DrawFn) -> Samples:
    """Values at ascending times, with now and then a long gap."""
    waits = draw(st.lists(st.one_of(st.integers(1, 20), st.integers(100, 200)), min_size=1, max_size=60))
    at_ms = NOON_MS
    taken: list[tuple[int, float | None]] = []
    for wait_s in waits:
        at_ms += wait_s * 1000
        taken.append((at_ms, draw(values)))
    return taken


def run(rule: Rule, taken: Samples) -> list[Change]:
    state = OK
    limits = limits_of(rule)
    changes = []
    for at_ms, value in taken:
        state, change = step(limits, state, value, at_ms)
        if change is not None:
            changes.append(change)
    return changes


@given(rules(), samples(), st.data())
def test_replaying_any_stretch_changes_nothing(rule: Rule, taken: Samples, data: st.DataObject) -> None:
    until = data.draw(st.integers(0, len(taken)))
    back_to = data.draw(st.integers(0, until))
    assert run(rule, [*taken[:until], *taken[back_to:until], *taken[until:]]) == run(rule, taken)


@given(rules(), samples())
def test_nothing_fires_before_its_condition_held_long_enough(rule: Rule, taken: Samples) -> None:
    sign = 1 if rule.comparison == "above" else -1
    lowest = min(sign * level.raise_at for level in (rule.warning, rule.critical) if level)
    for change in run(rule, taken):
        if change.kind == "fire":
            assert change.time_ms - change.since_ms >= rule.for_s * 1000
            held = [value for at_ms, value in taken if change.since_ms <= at_ms <= change.time_ms]
            assert all(value is None or sign * value >= lowest for value in held)


@given(rules(), samples())
def test_firing_and_resolving_alternate(rule: Rule, taken: Samples) -> None:
    ends = [change.kind for change in run(rule, taken) if change.kind in ("fire", "resolve")]
    assert ends[::2] == ["fire"] * len(ends[::2])
    assert ends[1::2] == ["resolve"] * len(ends[1::2])


@given(rules(), samples())
def test_levels_change_only_while_firing_and_in_turn(rule: Rule, taken: Samples) -> None:
    changes = run(rule, taken)
    for before, after in pairwise(changes):
        if after.kind == "escalate":
            assert (before.severity, after.severity) == ("warning", "critical")
            assert before.kind in ("fire", "deescalate")
        if after.kind == "deescalate":
            assert (before.severity, after.severity) == ("critical", "warning")
    assert not changes or changes[0].kind == "fire"


@given(rules(), samples())
def test_a_level_that_the_rule_lacks_is_never_told(rule: Rule, taken: Samples) -> None:
    levels = {"warning": rule.warning, "critical": rule.critical}
    assert all(levels[change.severity] is not None for change in run(rule, taken))


@given(rules(), samples())
def test_a_resolved_alert_had_recovered_for_its_time(rule: Rule, taken: Samples) -> None:
    sign = 1 if rule.comparison == "above" else -1
    lowest = min(sign * level.raise_at for level in (rule.warning, rule.critical) if level)
    for change in run(rule, taken):
        if change.kind == "resolve":
            start_ms = change.time_ms - rule.recover_for_s * 1000
            calm = [value for at_ms, value in taken if start_ms <= at_ms <= change.time_ms]
            assert all(value is None or sign * value < lowest for value in calm)


@given(samples())
def test_nulls_never_make_a_change(taken: Samples) -> None:
    without = [(at_ms, value) for at_ms, value in taken if value is not None]
    assert run(BUSY, taken) == run(BUSY, without)
