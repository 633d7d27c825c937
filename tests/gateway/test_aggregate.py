"""Rows to aligned columns."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.families import CPU
from services.gateway.aggregate import columns, place, steps_of_rows
from services.gateway.resolution import Grid

STEP_MS = 1000


def grid_of(count: int, step_ms: int = STEP_MS, first: int = 1000) -> Grid:
    return Grid(first * step_ms, (first + count) * step_ms, step_ms, first, count)


def test_a_single_row_in_a_step_is_its_mean_least_and_greatest_value() -> None:
    grid = grid_of(3)
    steps = steps_of_rows(grid, [1_001_200], [[1234, None]])
    total, user = columns(CPU, CPU.metrics[:2], "", grid, steps)
    assert (total.avg, total.min, total.max) == ([None, 12.34, None], [None, 12.34, None], [None, 12.34, None])
    assert user.avg == user.min == user.max == [None, None, None]


def test_several_rows_in_a_step_are_summed_up_without_their_nulls() -> None:
    grid = grid_of(1)
    steps = steps_of_rows(grid, [1_000_000, 1_000_300, 1_000_600], [[100], [None], [201]])
    (total,) = columns(CPU, CPU.metrics[:1], "", grid, steps)
    assert (total.avg, total.min, total.max) == ([1.505], [1.0], [2.01])


@given(
    st.integers(0, STEP_MS - 1),
    st.lists(st.integers(-STEP_MS // 5, STEP_MS // 5), min_size=1, max_size=100),
)
def test_a_regular_sampler_with_jitter_leaves_no_hole_whatever_its_phase(phase_ms: int, jitter_ms: list[int]) -> None:
    start_ms = 1000 * STEP_MS + phase_ms + STEP_MS
    times = [start_ms + k * STEP_MS + late for k, late in enumerate(jitter_ms)]
    placed = place(times, grid_of(len(times) + 3))
    assert all(after - before == 1 for before, after in pairwise(placed))


@given(st.sets(st.integers(0, 99_999), min_size=1))
def test_no_row_is_moved_by_more_than_half_a_step(offsets_ms: set[int]) -> None:
    grid = grid_of(100)
    times = sorted(1000 * STEP_MS + offset for offset in offsets_ms)
    for time, index in zip(times, place(times, grid), strict=True):
        begin = (grid.first + index) * STEP_MS
        assert begin - STEP_MS / 2 <= time < begin + STEP_MS
        assert 0 <= index < grid.count


@given(st.lists(st.integers(1, 90), min_size=1, max_size=30))
def test_rows_within_their_steps_stay_there(gaps: list[int]) -> None:
    numbers = [sum(gaps[: k + 1]) for k in range(len(gaps))]
    times = [(1000 + number) * STEP_MS + 400 for number in numbers]
    assert place(times, grid_of(numbers[-1] + 1)) == numbers
