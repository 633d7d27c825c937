"""Batches held against rules."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Sample, decode_batch, encode_batch
from schemas.messages import Batch
from schemas.rules import Also, Threshold
from services.alerts.judge.evaluate import Key, Outcome, trips
from services.alerts.judge.machine import GAP_MS, State
from services.alerts.judge.ruleset import compile_rule
from tests.alerts.builders import NOON_MS, rule
from tests.alerts.judge.judged import cpu, gpus, judge, judge_of, kinds, mounts
from tests.batches import batch, instances, sample

QUICK = rule(for_s=0, recover_for_s=0)
FULL = rule(id="full", metric="filesystem.used_percent", warning=Threshold(85, 82), critical=None, for_s=0)


def test_a_condition_lasts_from_sample_to_sample_however_seldom_settings_make_them() -> None:
    slow = rule(id="full", metric="filesystem.used_percent", for_s=600)
    every_300_s = [
        batch(instances(NOON_MS + 300_000 * n, "filesystem", {"/": {"used_percent": 9900}}, 300_000)) for n in range(3)
    ]
    _, transitions = judge([slow], *every_300_s)
    assert kinds(transitions) == [("fire", "/")]


def test_a_quiet_batch_touches_nothing() -> None:
    assert judge_of(QUICK).take(cpu([1000, 7499, None])) == Outcome()


def test_a_batch_that_reaches_a_threshold_fires() -> None:
    _, transitions = judge([QUICK], cpu([1000, 7500]))
    assert kinds(transitions) == [("fire", "")]


def test_values_are_told_in_the_metrics_unit() -> None:
    _, (fired,) = judge([QUICK], cpu([8123]))
    assert (fired.value, fired.unit, fired.threshold, fired.metric) == (81.23, "%", 75, "cpu.total")


def test_a_transition_names_host_rule_and_sample_time() -> None:
    _, (fired,) = judge([QUICK], cpu([1000, 8000]))
    assert (fired.host, fired.rule, fired.rule_name, fired.time) == ("web-1", "busy", "CPU busy", NOON_MS / 1000 + 1)


def test_a_threshold_that_floats_cannot_hold_is_reached_exactly() -> None:
    for hundredths in range(1, 10_000):
        judged = compile_rule(rule(warning=Threshold(hundredths / 100, hundredths / 100), critical=None))
        assert trips(judged, hundredths, 1)
        assert judged.value(hundredths) == hundredths / 100


def test_a_threshold_between_two_counts_is_reached_by_the_upper_one() -> None:
    between = rule(warning=Threshold(75.005, 70), critical=None, for_s=0)
    assert judge([between], cpu([7500]))[1] == []
    assert kinds(judge([between], cpu([7501]))[1]) == [("fire", "")]


def test_a_below_rule_fires_on_low_values() -> None:
    low = rule(metric="memory.available", comparison="below", warning=Threshold(2**30, 2**31), critical=None, for_s=0)
    scarce = batch(Sample(NOON_MS, {"memory": {"": {"available": 2**29}}}))
    ample = batch(Sample(NOON_MS, {"memory": {"": {"available": 2**33}}}))
    assert kinds(judge([low], scarce)[1]) == [("fire", "")]
    assert judge([low], ample)[1] == []


def test_each_instance_is_judged_by_itself() -> None:
    _, transitions = judge([FULL], mounts(0, root=90, home=10, var=95))
    assert sorted(kinds(transitions)) == [("fire", "/root"), ("fire", "/var")]


def test_a_rule_for_one_instance_leaves_the_others_alone() -> None:
    only = rule(id="full", metric="filesystem.used_percent", instance="/var", for_s=0)
    _, transitions = judge([only], mounts(0, root=90, var=95))
    assert kinds(transitions) == [("fire", "/var")]


def test_a_rule_for_one_host_leaves_the_others_alone() -> None:
    only = rule(host="db-1", for_s=0)
    assert judge([only], cpu([9900], host="web-1"))[1] == []
    assert kinds(judge([only], cpu([9900], host="db-1"))[1]) == [("fire", "")]


def test_two_rules_on_one_metric_have_a_state_each() -> None:
    states, _ = judge([QUICK, rule(id="other", for_s=60)], cpu([8000]))
    assert {key: state.phase for key, state in states.items()} == {("busy", ""): "firing", ("other", ""): "pending"}


def test_a_disabled_rule_is_not_evaluated() -> None:
    assert judge([rule(for_s=0, enabled=False)], cpu([9900]))[1] == []


def test_a_metric_that_a_batch_lacks_leaves_its_state_alone() -> None:
    judging = judge_of(QUICK)
    judging.take(cpu([8000]))
    assert judging.take(batch(sample(NOON_MS + 5000, user=100))) == Outcome()


def test_a_null_column_leaves_its_state_alone() -> None:
    judging = judge_of(QUICK)
    judging.take(cpu([8000]))
    assert judging.take(cpu([None, None], NOON_MS + 5000)) == Outcome()


def test_a_count_beyond_its_column_is_no_evidence() -> None:
    _, transitions = judge([QUICK], cpu([1000, 2**40]))
    assert transitions == []


def test_transitions_of_a_batch_come_in_order_of_time() -> None:
    late = rule(id="a-late", for_s=5)
    _, transitions = judge([late, QUICK], cpu([8000] * 8))
    assert [transition.rule for transition in transitions] == ["busy", "a-late"]


def test_an_unplugged_instance_resolves_as_gone() -> None:
    calm = [mounts(second, root=10) for second in range(10, 20 + GAP_MS // 1000, 10)]
    states, transitions = judge([FULL], mounts(0, root=10, usb=99), *calm)
    assert kinds(transitions) == [("fire", "/usb")]
    states, transitions = judge([FULL], mounts(0, root=10, usb=99), *calm, mounts(30 + GAP_MS // 1000, root=10))
    assert kinds(transitions) == [("fire", "/usb"), ("gone", "/usb")]
    assert states == {}


def test_an_instance_that_comes_back_in_time_is_not_gone() -> None:
    away = GAP_MS // 1000 - 10
    batches = [mounts(0, usb=99), mounts(10, root=1), mounts(away, usb=99), mounts(away + 10, root=1)]
    _, transitions = judge([FULL], *batches, mounts(GAP_MS // 1000 + 20, root=1))
    assert kinds(transitions) == [("fire", "/usb")]


def test_an_instance_that_is_there_without_values_is_not_missed() -> None:
    def stuck(at_s: int) -> Batch:
        values = {"used_percent": None, "stuck": 1}
        return batch(instances(NOON_MS + 1000 * at_s, "filesystem", {"/usb": values, "/root": {"used_percent": 100}}))

    away = GAP_MS // 1000
    batches = [mounts(0, usb=99), mounts(10, root=1), stuck(away), mounts(away + 10, root=1), mounts(away + 30, root=1)]
    assert kinds(judge([FULL], *batches)[1]) == [("fire", "/usb")]


def test_an_instance_is_missed_even_when_its_family_has_none_left() -> None:
    def empty(at_s: int) -> Batch:
        return batch(Sample(NOON_MS + 1000 * at_s, {"filesystem": {}}))

    _, transitions = judge([FULL], mounts(0, usb=99), empty(10), empty(20 + GAP_MS // 1000))
    assert kinds(transitions) == [("fire", "/usb"), ("gone", "/usb")]


def test_a_family_that_ends_is_gone() -> None:
    hot = rule(id="hot", metric="gpu.temperature", warning=Threshold(83, 78), critical=None, for_s=0)
    removed = [cpu([100], NOON_MS + 1000 * second) for second in (10, 60, 10 + GAP_MS // 1000)]
    assert kinds(judge([hot], gpus(0, a=90), *removed)[1]) == [("fire", "a")]
    states, transitions = judge([hot], gpus(0, a=90), *removed, cpu([100], NOON_MS + 20_000 + GAP_MS))
    assert kinds(transitions) == [("fire", "a"), ("gone", "a")]
    assert states == {}


def test_a_family_that_comes_seldom_is_not_gone_in_between() -> None:
    full = rule(id="full", metric="filesystem.used_percent", warning=Threshold(85, 82), critical=None, for_s=0)
    seldom = instances(NOON_MS, "filesystem", {"/": {"used_percent": 9900}}, 300_000)
    between = [cpu([100], NOON_MS + 1000 * second) for second in range(10, 900, 10)]
    assert kinds(judge([full], batch(seldom), *between)[1]) == [("fire", "/")]


def test_excepted_instances_are_not_judged() -> None:
    but = rule(id="full", metric="filesystem.used_percent", not_instances=["/snap*"], for_s=0)
    assert kinds(judge([but], mounts(0, snap1=99, root=99))[1]) == [("fire", "/root")]


def test_an_instance_pattern_names_several() -> None:
    some = rule(id="full", metric="filesystem.used_percent", instance="/va?", for_s=0)
    assert kinds(judge([some], mounts(0, var=99, root=99, va=99))[1]) == [("fire", "/var")]


def space(at_s: int, percent: int, free_gib: float | None) -> Batch:
    free = None if free_gib is None else round(free_gib * 2**30)
    rows = {"/": {"used_percent": percent * 100, "available": free}}
    return batch(instances(NOON_MS + 1000 * at_s, "filesystem", rows))


SCARCE = rule(
    id="full",
    metric="filesystem.used_percent",
    warning=Threshold(90, 85),
    critical=None,
    for_s=0,
    recover_for_s=0,
    also=Also("filesystem.available", "below", 10 * 2**30),
)


def test_a_percentage_with_plenty_left_does_not_fire() -> None:
    assert judge([SCARCE], space(0, 95, 300))[1] == []


def test_both_conditions_together_fire() -> None:
    assert kinds(judge([SCARCE], space(0, 95, 9.5))[1]) == [("fire", "/")]


def test_the_end_of_the_second_condition_resolves() -> None:
    assert kinds(judge([SCARCE], space(0, 95, 9.5), space(10, 95, 300))[1]) == [("fire", "/"), ("resolve", "/")]


def test_an_unknown_second_value_changes_nothing() -> None:
    assert kinds(judge([SCARCE], space(0, 95, 9.5), space(10, 95, None))[1]) == [("fire", "/")]
    assert judge([SCARCE], space(0, 95, None))[1] == []


def test_what_is_known_of_a_host_is_judged_with_its_batches() -> None:
    ahead = rule(id="clock", metric="host.clock", warning=Threshold(60, 30), critical=None, for_s=0, recover_for_s=0)
    judging = judge_of(ahead)
    for second, value in enumerate((0.0, 90.0, 10.0)):
        judging.take(cpu([100], NOON_MS + 1000 * second), known={"host.clock": value})
    assert [(told.kind, told.value, told.unit) for told in judging.transitions] == [
        ("fire", 90, "s"),
        ("resolve", 10, "s"),
    ]


def test_what_is_not_known_of_a_host_changes_nothing() -> None:
    booted = rule(
        id="boot", metric="host.uptime", comparison="below", warning=Threshold(300, 300), critical=None, for_s=0
    )
    judging = judge_of(booted)
    judging.take(cpu([100]), known={})
    assert judging.states == {}


levels = st.one_of(st.none(), st.integers(0, 10_000))


@given(st.lists(levels, min_size=1, max_size=60), st.lists(st.integers(1, 60), max_size=6))
def test_any_batching_gives_the_same_transitions(values: list[int | None], cuts: list[int]) -> None:
    judged = [rule(id="slow", for_s=3, recover_for_s=2), QUICK]
    whole = judge(judged, cpu(values))
    edges = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    parts = [
        decode_batch(encode_batch(cpu(values[first:last], NOON_MS + 1000 * first))) for first, last in pairwise(edges)
    ]
    states, transitions = judge(judged, *parts)
    assert sorted(transitions, key=lambda t: (t.time, t.rule)) == sorted(whole[1], key=lambda t: (t.time, t.rule))
    assert remembered(states) == remembered(whole[0])


def remembered(states: dict[Key, State]) -> dict[Key, State]:
    """What matters: a state that is ok and has not fired lately is as good as none."""
    return {key: state for key, state in states.items() if not state.quiet or state.fires}


@given(st.lists(levels, min_size=1, max_size=30), st.integers(0, 100))
def test_the_fast_path_never_hides_a_value_that_reaches_the_threshold(values: list[int | None], at: int) -> None:
    for comparison in ("above", "below"):
        judged = compile_rule(rule(comparison=comparison, warning=Threshold(at, at), critical=None))
        column = cpu(values).families[0].series[0].columns[0]
        reached = any(
            value is not None and (value / 100 >= at if comparison == "above" else value / 100 <= at)
            for value in values
        )
        assert trips(judged, column, len(values)) or not reached
