"""Counts of a metric's resolution to values in its unit, without the noise of binary fractions. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from infra.storage.packed import Floats, Ints
from schemas.catalogue import Metric

Value = float | None


def to_unit(metric: Metric) -> Callable[[int], float]:
    """Exact conversion of one count: 1234 at 0.01 is 12.34, not 12.340000000000002; whole resolutions stay integers."""
    resolution = metric.resolution
    if resolution == 1:
        return int
    inverse = round(1 / resolution)
    if resolution < 1 and math.isclose(inverse * resolution, 1):
        return lambda count: count / inverse
    if resolution == int(resolution):
        whole = int(resolution)
        return lambda count: count * whole
    return lambda count: round(count * resolution, 9)


def decimals(metric: Metric) -> int:
    """Decimals that a single value of `metric` can have."""
    return max(0, math.ceil(-math.log10(metric.resolution) - 1e-9))


def mean_to_unit(metric: Metric, mean: float) -> float:
    """A mean of counts in the metric's unit, with two decimals more than a single value has."""
    return round(mean * metric.resolution, decimals(metric) + 2)


def counts_to_unit(metric: Metric, counts: Ints) -> Ints | Floats:
    """What `to_unit` makes of each count."""
    resolution = metric.resolution
    inverse = round(1 / resolution)
    if resolution < 1 and math.isclose(inverse * resolution, 1):
        return counts / inverse
    if resolution == int(resolution):
        return counts * int(resolution)
    rounded: Floats = np.round(counts * resolution, 9)
    return rounded


def means_to_unit(metric: Metric, means: Floats) -> Floats:
    """What `mean_to_unit` makes of each mean."""
    rounded: Floats = np.round(means * metric.resolution, decimals(metric) + 2)
    return rounded
