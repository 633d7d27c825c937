"""Values become catalogue counts."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.readings import Scale, scales, to_count, to_counts
from schemas.catalogue import CATALOGUE, COLUMN_LIMITS


def test_a_percentage_counts_hundredths() -> None:
    assert to_counts({"": {"total": 12.345}}, scales(CATALOGUE)["cpu"]) == {"": {"total": 1234}}


def test_bytes_stay_as_they_are() -> None:
    assert to_counts({"": {"total": 25276502016}}, scales(CATALOGUE)["memory"]) == {"": {"total": 25276502016}}


def test_unknown_stays_unknown() -> None:
    assert to_counts({"": {"total": None}}, scales(CATALOGUE)["cpu"]) == {"": {"total": None}}


def test_a_metric_the_catalogue_lacks_is_left_out() -> None:
    assert to_counts({"": {"total": 1, "imaginary": 2}}, scales(CATALOGUE)["cpu"]) == {"": {"total": 100}}


@given(st.floats(), st.sampled_from([metric for family in CATALOGUE for metric in family.metrics]))
def test_whatever_is_read_fits_its_column_or_is_null(value: float, metric: object) -> None:
    low, high = COLUMN_LIMITS[metric.column]  # type: ignore[attr-defined]
    count = to_count(value, Scale(metric.resolution, low, high))  # type: ignore[attr-defined]
    assert count is None or (isinstance(count, int) and low <= count <= high)
    if math.isfinite(value) and low < value / metric.resolution < high:  # type: ignore[attr-defined]
        assert count is not None
        assert abs(count * metric.resolution - value) <= 0.5001 * metric.resolution + abs(value) * 1e-9  # type: ignore[attr-defined]
