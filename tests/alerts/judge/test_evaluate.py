from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Sample, decode_batch, encode_batch
from schemas.messages import AlertTransition, Batch
from schemas.rules import Rule, Threshold
from services.alerts.judge.evaluate import AHEAD_MS, Key, Outcome, evaluate, trips
from services.alerts.judge.machine import GAP_MS, State
from services.alerts.judge.ruleset import RuleSet, compile_rule
from tests.alerts.builders import NOON_MS, rule
from tests.batches import batch, instances, sample

QUICK = rule(for_s=0, recover_for_s=0)
FULL = rule(id="full", metric="filesystem.used_percent", warning=Threshold(85, 82), critical=None, for_s=0)


def cpu(values: Iterable[int | None], start_ms: int = NOON_MS, host: str = "web-1") -> Batch:
    """A batch of cpu.total counts, one a second."""
    samples = [sample(start_ms + 1000 * second, total=value) for second, value in enumerate(values)]
    return batch(*samples, host=host)


def mounts(at_s: int, **percent: int) -> Batch:
    """A batch with one sample of used space per mount, named without its slash."""
    rows = {f"/{name}": {"used_percent": value * 100} for name, value in percent.items()}
    return batch(instances(NOON_MS + 1000 * at_s, "filesystem", rows))


def judge(rules: Iterable[Rule], *batches: Batch) -> tuple[dict[Key, State], list[AlertTransition]]:
    """States and transitions after `batches` of one host, each arriving as its last sample was taken."""
    judged = RuleSet(rules)
    states: dict[Key, State] = {}
    transitions = []
    for one in batches:
        outcome = evaluate(judged, one, states, sum(one.times))
        for key, state in outcome.changed.items():
            if state is None:
                states.pop(key, None)
            else:
                states[key] = state
        transitions += outcome.transitions
    return states, transitions


def kinds(transitions: Iterable[AlertTransition]) -> list[tuple[str, str]]:
    return [(transition.kind, transition.instance) for transition in transitions]


def test_a_condition_lasts_from_sample_to_sample_however_seldom_settings_make_them() -> None:
    slow = rule(id="full", metric="filesystem.used_percent", for_s=600)
    every_300_s = [
        batch(instances(NOON_MS + 300_000 * n, "filesystem", {"/": {"used_percent": 9900}}, 300_000)) for n in range(3)
    ]
    _, transitions = judge([slow], *every_300_s)
    assert kinds(transitions) == [("fire", "/")]


def test_a_quiet_batch_touches_nothing() -> None:
    assert evaluate(RuleSet([QUICK]), cpu([1000, 7499, None]), {}, NOON_MS) == Outcome()


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
    before, _ = judge([QUICK], cpu([8000]))
    outcome = evaluate(RuleSet([QUICK]), batch(sample(NOON_MS + 5000, user=100)), before, NOON_MS)
    assert outcome == Outcome()


def test_a_null_column_leaves_its_state_alone() -> None:
    before, _ = judge([QUICK], cpu([8000]))
    outcome = evaluate(RuleSet([QUICK]), cpu([None, None], NOON_MS + 5000), before, NOON_MS)
    assert outcome == Outcome()


def test_a_count_beyond_its_column_is_no_evidence() -> None:
    _, transitions = judge([QUICK], cpu([1000, 2**40]))
    assert transitions == []


def test_samples_from_the_future_are_passed_over_and_counted() -> None:
    times = (NOON_MS, NOON_MS + AHEAD_MS + 1)
    outcome = evaluate(RuleSet([QUICK]), batch(*(sample(time, total=9900) for time in times)), {}, NOON_MS)
    assert [transition.time for transition in outcome.transitions] == [NOON_MS / 1000]
    assert outcome.ahead == 1
    state = outcome.changed["busy", ""]
    assert state is not None
    assert state.last_ms == NOON_MS


def test_transitions_of_a_batch_come_in_order_of_time() -> None:
    late = rule(id="a-late", for_s=5)
    _, transitions = judge([late, QUICK], cpu([8000] * 8))
    assert [transition.rule for transition in transitions] == ["busy", "a-late"]


def test_replaying_a_batch_changes_nothing() -> None:
    once = judge([QUICK], cpu([8000, 1000, 9900]))
    twice = judge([QUICK], cpu([8000, 1000, 9900]), cpu([8000, 1000, 9900]))
    assert twice == once


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


def test_an_instance_is_not_missed_while_its_family_is_silent() -> None:
    _, transitions = judge([FULL], mounts(0, usb=99), cpu([100], NOON_MS + 10_000), cpu([100], NOON_MS + 9_000_000))
    assert kinds(transitions) == [("fire", "/usb")]


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
    assert {key: state.phase for key, state in states.items()} == {key: state.phase for key, state in whole[0].items()}


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
