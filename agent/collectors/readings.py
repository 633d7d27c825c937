"""What collectors return, and how it becomes catalogue counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from schemas.catalogue import COLUMN_LIMITS, Family

Values = dict[str, float | None]
"""Metric name -> value in the metric's unit; None where it could not be read."""
Instances = dict[str, Values]
"""Instance name -> values; the empty name for a family without instances."""
Labels = dict[str, dict[str, str]]
Counts = dict[str, dict[str, int | None]]


class Reading(NamedTuple):
    """One family, read once."""

    instances: Instances
    labels: Mapping[str, dict[str, str]] = MappingProxyType({})

    def with_more(self, other: Reading) -> Reading:
        """Both readings' instances; where both have one, the other's."""
        return Reading(self.instances | other.instances, {**self.labels, **other.labels})


class Scale(NamedTuple):
    """How a metric's value becomes its stored count."""

    resolution: float
    low: int
    high: int


def scales(families: Iterable[Family]) -> dict[str, dict[str, Scale]]:
    """Family name -> metric name -> scale."""
    return {
        family.name: {metric.name: Scale(metric.resolution, *COLUMN_LIMITS[metric.column]) for metric in family.metrics}
        for family in families
    }


def to_counts(instances: Instances, scale: dict[str, Scale]) -> Counts:
    """Values in units as whole catalogue counts; what its column cannot hold, or is not a number, becomes null.

    Metrics that the catalogue does not know are left out.
    """
    return {
        instance: {name: to_count(value, scale[name]) for name, value in values.items() if name in scale}
        for instance, values in instances.items()
    }


def to_count(value: float | None, scale: Scale) -> int | None:
    """One value in its unit as a catalogue count."""
    if value is None:
        return None
    if type(value) is not int or scale.resolution != 1:
        count = value / scale.resolution
        if not math.isfinite(count):
            return None
        value = round(count)
    return value if scale.low <= value <= scale.high else None
