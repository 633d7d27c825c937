"""The choice of a step and of what it is read from."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.gateway.history.resolution import HOUR_MS, LENGTH_MS, MINUTE_MS, SPARE_POINTS, Reach, choose_grid

DAY_MS = 24 * HOUR_MS
START_MS = 1_800_000_000_000
PERIODS = st.sampled_from([100, 250, 1000, 1500, 5000, 7000, 10_000, 60_000, 90_000, 300_000])
REACHES = st.builds(
    lambda raw_ms, more_ms: Reach(raw_ms, max(0, raw_ms - more_ms)), st.integers(0, 2 * 10**12), st.integers(0, 10**11)
)


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
    grid = choose_grid(START_MS, START_MS + 400 * DAY_MS, 401, 1000)
    assert grid.step_ms == DAY_MS
    assert all(time % DAY_MS == 0 for time in grid.times_ms)


@pytest.mark.parametrize(
    ("span_ms", "points", "period_ms", "step_ms", "resolution"),
    [
        (HOUR_MS, 600, 1000, 6000, "raw"),
        (DAY_MS, 5000, 1000, 20_000, "raw"),
        (DAY_MS, 600, 1000, 180_000, "minute"),
        (7 * DAY_MS, 600, 1000, 1_200_000, "minute"),
        (30 * DAY_MS, 600, 1000, 2 * HOUR_MS, "hour"),
        (DAY_MS, 600, 300_000, 300_000, "raw"),
        (2 * DAY_MS, 600, 7000, 300_000, "minute"),
    ],
)
def test_steps_of_minutes_and_hours_are_read_from_roll_ups(
    span_ms: int, points: int, period_ms: int, step_ms: int, resolution: str
) -> None:
    grid = choose_grid(START_MS, START_MS + span_ms, points, period_ms)
    assert (grid.step_ms, grid.resolution) == (step_ms, resolution)


def test_where_raw_rows_are_gone_a_step_is_at_least_a_minute() -> None:
    gone = Reach(raw_ms=START_MS + 1)
    grid = choose_grid(START_MS, START_MS + HOUR_MS, 600, 1000, gone)
    assert (grid.step_ms, grid.resolution, grid.count) == (60_000, "minute", 60)


def test_where_minutes_are_gone_too_a_step_is_at_least_an_hour() -> None:
    gone = Reach(raw_ms=START_MS + DAY_MS, minute_ms=START_MS + 1)
    grid = choose_grid(START_MS, START_MS + 90 * MINUTE_MS, 600, 1000, gone)
    assert (grid.step_ms, grid.resolution, grid.count) == (HOUR_MS, "hour", 2)


def test_a_range_read_from_minutes_is_widened_to_whole_ones() -> None:
    grid = choose_grid(START_MS + 1, START_MS + DAY_MS + 1, 1000, 1000)
    assert (grid.from_ms, grid.to_ms) == (START_MS, START_MS + DAY_MS + MINUTE_MS)


@pytest.mark.parametrize("points", [1, 2, 10])
def test_few_points_are_of_exactly_the_range_that_was_asked_for(points: int) -> None:
    grid = choose_grid(START_MS + 1234, START_MS + 1234 + HOUR_MS, points, 1000)
    assert (grid.from_ms, grid.to_ms) == (START_MS + 1234, START_MS + 1234 + HOUR_MS)


def test_few_points_are_widened_to_minutes_where_raw_rows_are_gone() -> None:
    grid = choose_grid(START_MS + 1234, START_MS + 1234 + HOUR_MS, 1, 1000, Reach(raw_ms=START_MS + DAY_MS))
    assert (grid.from_ms, grid.to_ms) == (START_MS, START_MS + HOUR_MS + MINUTE_MS)


def test_few_points_end_exactly_where_raw_rows_are_still_there() -> None:
    grid = choose_grid(START_MS + 1234, START_MS + DAY_MS + 1234, 1, 1000, Reach(raw_ms=START_MS + DAY_MS))
    assert (grid.from_ms, grid.to_ms) == (START_MS, START_MS + DAY_MS + 1234)


@given(st.integers(946_684_800_000, 4 * 10**12), st.integers(1, 10**11), st.integers(1, 5000), PERIODS, REACHES)
@example(946_684_800_000, 750_005, 50, 100, Reach())
def test_every_grid_keeps_its_promises(from_ms: int, span_ms: int, points: int, period_ms: int, reach: Reach) -> None:
    to_ms = from_ms + span_ms
    grid = choose_grid(from_ms, to_ms, points, period_ms, reach)
    length_ms = LENGTH_MS[grid.resolution]
    assert 1 <= grid.count <= points
    assert grid.step_ms >= period_ms
    assert grid.step_ms % length_ms == 0
    if points >= SPARE_POINTS:
        assert grid.from_ms % length_ms == grid.to_ms % length_ms == 0
    elif from_ms >= reach.raw_ms:
        assert (grid.from_ms, grid.to_ms) == (from_ms, to_ms)
    elif from_ms >= reach.minute_ms + MINUTE_MS:
        assert from_ms - grid.from_ms < MINUTE_MS
        assert grid.to_ms - to_ms < MINUTE_MS
    assert all(time % grid.step_ms == 0 for time in (grid.times_ms[0], grid.times_ms[-1]))
    assert grid.times_ms[0] <= grid.from_ms
    assert grid.times_ms[-1] < to_ms <= grid.to_ms <= grid.times_ms[-1] + grid.step_ms
    assert -length_ms < grid.from_ms - from_ms <= grid.step_ms
    assert grid.from_ms <= from_ms or points >= SPARE_POINTS
    assert grid.to_ms < to_ms + length_ms
    assert grid.resolution != "raw" or grid.from_ms >= reach.raw_ms
    assert grid.resolution != "minute" or grid.from_ms >= min(reach.minute_ms, reach.raw_ms) - MINUTE_MS
