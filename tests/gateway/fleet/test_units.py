"""Counts to units."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import CATALOGUE, Metric
from services.gateway.fleet.units import counts_to_unit, decimals, mean_to_unit, means_to_unit, to_unit

METRICS = [metric for family in CATALOGUE for metric in family.metrics]


@given(st.sampled_from(METRICS), st.integers(-(2**31), 2**31))
def test_a_value_prints_as_its_decimal_number_exactly(metric: Metric, count: int) -> None:
    assert Decimal(json.dumps(to_unit(metric)(count))) == count * Decimal(str(metric.resolution))


@pytest.mark.parametrize(
    ("resolution", "count", "value"), [(0.25, 3, 0.75), (250, 3, 750), (0.3, 3, 0.9), (2.5, 3, 7.5)]
)
def test_odd_resolutions_work_too(resolution: float, count: int, value: float) -> None:
    assert to_unit(Metric(1, "odd", "x", resolution, "int4", ""))(count) == value


def test_a_mean_has_two_decimals_more_than_a_value() -> None:
    percent = METRICS[0]
    assert decimals(percent) == 2
    assert mean_to_unit(percent, 1000 / 3) == 3.3333


@given(st.sampled_from(METRICS), st.lists(st.integers(-(2**31), 2**31), min_size=1))
def test_a_column_is_converted_as_its_counts_are(metric: Metric, counts: list[int]) -> None:
    assert counts_to_unit(metric, np.array(counts, np.int64)).tolist() == [to_unit(metric)(count) for count in counts]


@given(st.sampled_from(METRICS), st.lists(st.floats(-(2**31), 2**31), min_size=1))
def test_a_column_of_means_is_converted_as_they_are(metric: Metric, means: list[float]) -> None:
    last_digit = 10.0 ** -(decimals(metric) + 2)
    for many, one in zip(means_to_unit(metric, np.array(means)).tolist(), means, strict=True):
        assert many == pytest.approx(mean_to_unit(metric, one), abs=1.01 * last_digit)
