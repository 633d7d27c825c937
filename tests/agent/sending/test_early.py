"""Which batches go at once: those with a sample that an alert may begin or end with."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.sending.early import BURST, LEAST_APART_MS, MOST_LEVELS, REFILL_MS, Early
from schemas.codec import Sample
from schemas.rules import Rule, Threshold
from schemas.watches import Watch, watches_of
from services.alerts.judge.machine import OK, limits_of, step
from tests.alerts.builders import NOON_MS
from tests.batches import instances, sample

ABOVE = Watch("cpu.total", True, [(75, 65)])


def early_at(watches: list[Watch], values: Mapping[Any, int | None], leaving: Iterable[float] = ()) -> list[float]:
    """The seconds at which an early batch goes; `leaving`: those at which one goes anyway."""
    early = Early()
    early.use(watches)
    found = []
    for second, value in values.items():
        taken = sample(NOON_MS + round(second * 1000), total=None if value is None else value * 100)
        if early.wants(taken, second in leaving):
            found.append(second)
    return found


def test_a_value_that_reaches_a_threshold_is_sent_at_once() -> None:
    assert early_at([ABOVE], {0: 20, 1: 74, 2: 75, 3: 76}) == [2]


def test_and_one_that_falls_below_where_the_level_ends() -> None:
    assert early_at([ABOVE], {0: 80, 5: 70, 6: 65, 7: 64}) == [0, 6]


def test_a_value_between_the_two_thresholds_changes_nothing() -> None:
    assert early_at([ABOVE], {0: 80, 2: 66, 4: 75, 6: 66, 8: 80}) == [0]


def test_a_level_that_must_hold_is_sent_when_it_has_held() -> None:
    watch = Watch("cpu.total", True, [(75, 65)], 30, 20)
    values = {**dict.fromkeys(range(40), 80), **dict.fromkeys(range(40, 70), 20)}
    assert early_at([watch], values) == [30, 60]


def test_a_level_that_is_broken_off_begins_anew() -> None:
    watch = Watch("cpu.total", True, [(75, 65)], 10)
    values = {**dict.fromkeys(range(8), 80), 8: 70, **dict.fromkeys(range(9, 25), 80)}
    assert early_at([watch], values) == [19]


def test_below_is_watched_likewise() -> None:
    assert early_at([Watch("cpu.total", False, [(10, 20)])], {0: 50, 2: 10, 4: 15, 6: 20}) == [2, 6]


def test_null_is_no_evidence() -> None:
    assert early_at([ABOVE], {0: 80, 2: None, 4: 80}) == [0]


def test_what_leaves_in_an_ordinary_batch_is_not_sent_twice() -> None:
    assert early_at([ABOVE], {0: 20, 1: 80, 2: 81}, leaving=[1]) == []


def test_two_early_batches_are_at_least_a_second_apart_and_the_second_is_not_forgotten() -> None:
    assert early_at([ABOVE], {0: 80, 0.25: 20, 0.5: 20, 1.0: 20}) == [0, 1.0]


def test_a_value_that_leaps_to_and_fro_is_held_back() -> None:
    leaps = {second: 100 if second % 2 else 0 for second in range(120)}
    found = early_at([ABOVE], leaps)
    assert len(found) <= BURST + 120_000 // REFILL_MS + 1


def test_each_instance_is_watched_by_itself_if_it_is_one_that_is_meant() -> None:
    early = Early()
    early.use([Watch("disk.busy", True, [(90, 80)], 0, 0, "sd*", ["sdb"])])
    for name, wanted in (("sda", True), ("sdb", False), ("nvme0", False)):
        at_ms = NOON_MS + 60_000 * (1 + len(name))
        assert early.wants(instances(at_ms, "disk", {name: {"busy": 9500}}), leaves=False) is wanted


def test_instances_that_ended_while_they_were_above_do_not_stand_in_the_way_of_new_ones() -> None:
    early = Early()
    early.use([Watch("disk.busy", True, [(90, 80)])])
    gone = {f"gone{number}": {"busy": 9500} for number in range(MOST_LEVELS)}
    assert early.wants(instances(NOON_MS, "disk", gone), leaves=False)
    for second in (60, 120):
        later = instances(NOON_MS + 1000 * second, "disk", {f"new{second}": {"busy": 9500}})
        assert early.wants(later, leaves=False)


def test_a_metric_that_this_version_does_not_know_is_passed_over() -> None:
    assert early_at([Watch("no.such", True, [(1, 0)]), ABOVE], {0: 80}) == [0]


def test_the_same_watches_again_forget_nothing() -> None:
    early = Early()
    early.use([ABOVE])
    assert early.wants(sample(NOON_MS, total=8000), leaves=False)
    early.use([Watch("cpu.total", True, [(75, 65)])])
    assert not early.wants(sample(NOON_MS + 5000, total=8000), leaves=False)


VALUES = st.lists(st.sampled_from([0, 64, 65, 66, 74, 75, 76, 100]), min_size=1, max_size=60)


@given(VALUES, st.sampled_from([0.0, 20.0, 40.0]), st.sampled_from([0.0, 20.0]))
def test_every_alert_begins_and_ends_with_a_sample_that_is_sent_at_once(
    values: list[int], for_s: float, recover_for_s: float
) -> None:
    """Samples are ten seconds apart, so that no limit holds anything back."""
    rule = Rule("r", "R", "cpu.total", warning=Threshold(75, 65), for_s=for_s, recover_for_s=recover_for_s)
    early, state, changes, sent = Early(), OK, [], []
    early.use(watches_of([rule], "web-1", frozenset()))
    for number, value in enumerate(values):
        at_ms = NOON_MS + 10_000 * number
        state, change = step(limits_of(rule), state, float(value), at_ms)
        # What a flapping alert has to wait longer for, its agent does not know.
        if change is not None and not state.flapping:
            changes.append(at_ms)
        if early.wants(Sample(at_ms, {"cpu": {"": {"total": value * 100}}}), leaves=False):
            sent.append(at_ms)
    if not state.flapping:
        assert set(changes) <= set(sent)


@given(st.lists(st.tuples(st.integers(1, 3000), st.sampled_from([0, 100])), min_size=1, max_size=300))
def test_early_batches_never_come_faster_than_the_limit(steps: list[tuple[int, int]]) -> None:
    early, at_ms, sent = Early(), NOON_MS, []
    early.use([ABOVE])
    for passed_ms, value in steps:
        at_ms += passed_ms
        if early.wants(sample(at_ms, total=value * 100), leaves=False):
            sent.append(at_ms)
    for first, second in itertools.pairwise(sent):
        assert second - first >= LEAST_APART_MS
    for number, first in enumerate(sent):
        in_minute = [time_ms for time_ms in sent[number:] if time_ms - first < 60_000]
        assert len(in_minute) <= BURST + 60_000 // REFILL_MS
