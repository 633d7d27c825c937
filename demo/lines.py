"""What one family of a host is at some times, in whole counts of the catalogue's resolution. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec import Struct

from demo.noise import Floats, Ints
from schemas.metric import COLUMN_LIMITS, Family

Columns = Mapping[str, Floats | float | None]
"""Metric name -> values in the metric's unit; None and NaN stand for unknown."""


class Line(Struct, frozen=True):
    """One instance of a family; the host itself where the family has none."""

    family: Family
    instance: str
    labels: dict[str, str]
    counts: list[Ints]
    """Per metric of the family; meaningless where unknown."""
    unknown: list[bool]
    """Per metric: whether it is unknown at all times."""


def line(
    family: Family, times_s: Ints, columns: Columns, instance: str = "", labels: dict[str, str] | None = None
) -> Line:
    """`columns` as counts, within what their metric can be. Raises KeyError for a metric that the family lacks."""
    for name in columns:
        family.metric(name)
    counts: list[Ints] = []
    unknown: list[bool] = []
    for metric in family.metrics:
        values = columns.get(metric.name)
        unknown.append(values is None)
        if values is None:
            counts.append(np.zeros(len(times_s), dtype=np.int64))
            continue
        least, most = COLUMN_LIMITS[metric.column]
        if metric.most is not None:
            least, most = 0, round(metric.most / metric.resolution)
        scaled = np.rint(np.asarray(values, dtype=np.float64) / metric.resolution)
        within = np.minimum(np.maximum(scaled, least), most)  # np.clip takes three times as long for so few
        counts.append(np.broadcast_to(within, len(times_s)).astype(np.int64))
    return Line(family, instance, labels or {}, counts, unknown)
