"""The choice of a step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.resolution import SPARE_POINTS, choose_grid

HOUR_MS = 3_600_000
START_MS = 1_800_000_000_000
PERIODS = st.sampled_from([100, 250, 1000, 1500, 5000, 7000, 10_000, 60_000, 300_000])


def test_an_hour_in_600_points_has_steps_of_6_s() -> None:
    grid = choose_grid(START_MS, START_MS + HOUR_MS, 600, 1000)
    assert (grid.step_ms, grid.count, grid.from_ms) == (6000, 600, START_MS)


def test_an_hour_that_begins_within_a_step_leaves_that_step_out() -> None:
    grid = choose_grid(START_MS + 1234, START_MS + 1234 + HOUR_MS, 600, 1000)
    assert (grid.step_ms, grid.count, grid.from_ms) == (6000, 600, START_MS + 6000)


def test_an_hour_in_more_points_than_samples_is_given_sample_by_sample() -> None:
    grid = choose_grid(START_MS, START_MS + HOUR_MS, 5000, 1000)
    assert (grid.step_ms, grid.count) == (1000, 3600)


def test_steps_of_a_day_begin_at_midnight_utc() -> None:
    grid = choose_grid(START_MS, START_MS + 400 * 86_400_000, 401, 1000)
    assert grid.step_ms == 86_400_000
    assert all(time % 86_400_000 == 0 for time in grid.times_ms)


@given(st.integers(946_684_800_000, 4_000_000_000_000), st.integers(1, 10**11), st.integers(1, 5000), PERIODS)
def test_every_grid_keeps_its_promises(from_ms: int, span_ms: int, points: int, period_ms: int) -> None:
    to_ms = from_ms + span_ms
    grid = choose_grid(from_ms, to_ms, points, period_ms)
    assert 1 <= grid.count <= points
    assert grid.step_ms % period_ms == 0
    assert all(time % grid.step_ms == 0 for time in (grid.times_ms[0], grid.times_ms[-1]))
    assert grid.times_ms[0] <= grid.from_ms
    assert grid.times_ms[-1] < grid.to_ms <= grid.times_ms[-1] + grid.step_ms
    assert 0 <= grid.from_ms - from_ms < grid.step_ms
    assert grid.from_ms == from_ms or points >= SPARE_POINTS
    assert grid.to_ms == to_ms
