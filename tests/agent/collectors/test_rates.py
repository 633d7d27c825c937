"""Laws of counter differences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.rates import mean, per_second, share_percent

counters = st.integers(0, 2**63)
seconds = st.floats(0.001, 1e6)


@given(counters, counters, seconds)
def test_a_counter_that_went_back_has_no_rate(low: int, more: int, elapsed_s: float) -> None:
    assert per_second(low + more + 1, low, elapsed_s) is None


@given(counters, st.integers(0, 2**40), seconds)
def test_a_rate_times_its_time_is_the_growth(before: int, growth: int, elapsed_s: float) -> None:
    rate = per_second(before, before + growth, elapsed_s)
    assert rate is not None
    assert abs(rate * elapsed_s - growth) <= 1e-9 * growth


@given(counters, counters)
def test_without_time_there_is_no_rate(before: int, growth: int) -> None:
    assert per_second(before, before + growth, 0) is None


@given(st.floats(0, 1e12), st.floats(0, 1e12))
def test_a_part_of_a_whole_is_between_nothing_and_all(part: float, rest: float) -> None:
    share = share_percent(part, part + rest)
    assert share is None if part + rest == 0 else 0 <= share <= 100.0000001  # type: ignore[operator]


def test_a_share_of_nothing_is_unknown() -> None:
    assert share_percent(0, 0) is None


def test_without_requests_they_have_no_mean_time() -> None:
    assert mean(100, 200, 5, 5) is None


def test_mean_time_is_growth_per_request() -> None:
    assert mean(100, 160, 5, 8) == 20
