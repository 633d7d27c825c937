"""Sample times as they are judged, whatever the host's clock does."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.judge.axis import APART_MS, STEP_MS, Axis
from tests.alerts.builders import NOON_MS, rule
from tests.alerts.judge.judged import cpu, judge_of, kinds, timeline

HOUR_MS = 3_600_000
HELD = rule(for_s=15, recover_for_s=5)


def judged(axis: Axis, times: Sequence[int]) -> list[int]:
    return axis.judge("web-1", times, times[-1]).times


def test_ascending_times_are_judged_as_they_are() -> None:
    axis = Axis()
    assert judged(axis, [1000, 2000]) == [1000, 2000]
    assert judged(axis, [3000, 5000]) == [3000, 5000]


def test_after_a_clock_was_set_back_time_goes_on() -> None:
    axis = Axis()
    judged(axis, [HOUR_MS, HOUR_MS + 1000])
    assert judged(axis, [5000, 6000]) == [HOUR_MS + 1000 + STEP_MS, HOUR_MS + 2000 + STEP_MS]
    assert judged(axis, [7000]) == [HOUR_MS + 3000 + STEP_MS]


def test_a_clock_that_has_passed_the_point_again_is_taken_at_its_word() -> None:
    axis = Axis()
    judged(axis, [HOUR_MS])
    judged(axis, [5000])
    assert judged(axis, [HOUR_MS + 60_000]) == [HOUR_MS + 60_000]


def test_hosts_have_clocks_of_their_own() -> None:
    axis = Axis()
    judged(axis, [HOUR_MS])
    assert axis.judge("db-1", [5000], 5000).times == [5000]


def test_a_host_that_is_forgotten_begins_anew() -> None:
    axis = Axis()
    judged(axis, [HOUR_MS])
    axis.forget("web-1")
    assert judged(axis, [5000]) == [5000]


@given(st.lists(st.lists(st.integers(1, 10**7), min_size=1, max_size=5), min_size=1, max_size=20))
def test_judged_times_always_ascend(batches: list[list[int]]) -> None:
    axis = Axis()
    taken = [time for batch in batches for time in judged(axis, batch)]
    assert taken == sorted(set(taken))


def test_a_hold_goes_on_over_an_hour_set_back() -> None:
    judging = judge_of(HELD)
    judging.take(cpu([8000] * 10))
    judging.take(cpu([8000] * 10, NOON_MS + 10_000 - HOUR_MS), arrived_ms=NOON_MS + 20_000)
    assert kinds(judging.transitions) == [("fire", "")]


def test_an_alert_resolves_although_the_clock_was_set_back() -> None:
    judging = judge_of(rule(for_s=0, recover_for_s=5))
    judging.take(cpu([8000] * 10))
    judging.take(cpu([100] * 10, NOON_MS + 10_000 - HOUR_MS), arrived_ms=NOON_MS + 20_000)
    assert kinds(judging.transitions) == [("fire", ""), ("resolve", "")]


def test_a_clock_that_is_ahead_is_judged_all_the_same() -> None:
    judging = judge_of(HELD)
    judging.take(cpu([8000] * 20, NOON_MS + HOUR_MS), arrived_ms=NOON_MS + 19_000)
    assert kinds(judging.transitions) == [("fire", "")]


def test_what_a_clock_that_is_ahead_saw_is_told_by_the_buss() -> None:
    judging = judge_of(HELD)
    judging.take(cpu([8000] * 20, NOON_MS + HOUR_MS), arrived_ms=NOON_MS + 19_000)
    assert timeline(judging.transitions) == [(15, "fire")]


def test_a_clock_that_is_a_little_ahead_is_taken_at_its_word() -> None:
    judging = judge_of(HELD)
    judging.take(cpu([8000] * 20, NOON_MS + APART_MS), arrived_ms=NOON_MS + 19_000)
    assert timeline(judging.transitions) == [(15 + APART_MS / 1000, "fire")]
