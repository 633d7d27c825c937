"""Rows to aligned columns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infra.storage.packed import NO_VALUE, Ints
from schemas.families import CPU, MEMORY
from services.gateway.history.aggregate import Summary, place
from services.gateway.history.resolution import Grid

STEP_MS = 1000
TOTAL = CPU.metric("total")


def grid_of(count: int, step_ms: int = STEP_MS, first: int = 1000) -> Grid:
    return Grid(first * step_ms, (first + count) * step_ms, step_ms, first, count)


def ints(*values: int) -> Ints:
    return np.array(values, np.int64)


def test_a_single_row_in_a_step_is_its_mean_least_and_greatest_value() -> None:
    summary = Summary(grid_of(3))
    summary.add_rows(ints(1), ints(1234))
    assert summary.columns(TOTAL) == ([None, 12.34, None], [None, 12.34, None], [None, 12.34, None])


def test_several_rows_in_a_step_are_summed_up_without_their_nulls() -> None:
    summary = Summary(grid_of(1))
    summary.add_rows(ints(0, 0, 0), ints(100, NO_VALUE, 201))
    assert summary.columns(TOTAL) == ([1.505], [1.0], [2.01])


def test_parts_of_a_step_from_several_tables_add_up() -> None:
    summary = Summary(grid_of(2))
    summary.add(ints(0, 1), ints(60, 10), np.array([6000.0, 10.0]), ints(50, 1), ints(150, 1))
    summary.add(ints(0), ints(30), np.array([9000.0]), ints(20), ints(300))
    assert summary.columns(TOTAL) == ([1.6667, 0.01], [0.2, 0.01], [3.0, 0.01])


def test_what_has_no_values_changes_nothing() -> None:
    summary = Summary(grid_of(1))
    summary.add(ints(0), ints(0), np.array([0.0]), ints(NO_VALUE), ints(NO_VALUE))
    assert summary.empty
    assert (summary.mean(), summary.peak()) == (None, None)
    assert summary.columns(TOTAL) == ([None], [None], [None])


def test_counts_beyond_what_a_float_holds_stay_exact() -> None:
    greatest = 2**56 - 1
    summary = Summary(grid_of(1))
    summary.add_rows(ints(0), ints(greatest))
    assert summary.columns(MEMORY.metric("used")) == ([greatest], [greatest], [greatest])


@given(
    st.integers(0, STEP_MS - 1),
    st.lists(st.integers(-STEP_MS // 5, STEP_MS // 5), min_size=1, max_size=100),
)
def test_a_regular_sampler_with_jitter_leaves_no_hole_whatever_its_phase(phase_ms: int, jitter_ms: list[int]) -> None:
    start_ms = 1000 * STEP_MS + phase_ms + STEP_MS
    times = [start_ms + k * STEP_MS + late for k, late in enumerate(jitter_ms)]
    placed = place(ints(*times), grid_of(len(times) + 3)).tolist()
    assert all(after - before == 1 for before, after in pairwise(placed))


@given(st.sets(st.integers(0, 99_999), min_size=1))
def test_no_row_is_moved_by_more_than_half_a_step(offsets_ms: set[int]) -> None:
    grid = grid_of(100)
    times = sorted(1000 * STEP_MS + offset for offset in offsets_ms)
    for time, index in zip(times, place(ints(*times), grid).tolist(), strict=True):
        begin = (grid.first + index) * STEP_MS
        assert begin - STEP_MS / 2 <= time < begin + STEP_MS
        assert 0 <= index < grid.count


@given(st.lists(st.integers(1, 90), min_size=1, max_size=30))
def test_rows_within_their_steps_stay_there(gaps: list[int]) -> None:
    numbers = [sum(gaps[: k + 1]) for k in range(len(gaps))]
    times = [(1000 + number) * STEP_MS + 400 for number in numbers]
    assert place(ints(*times), grid_of(numbers[-1] + 1)).tolist() == numbers
