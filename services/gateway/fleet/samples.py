"""Columns of a batch to samples as people read them: per time, family, instance and metric a value. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schemas.api import LiveSample, Values
from schemas.catalogue import COLUMN_LIMITS, Family
from schemas.codec import DecodedSeries, Poison, decoded_series
from schemas.messages import Batch
from services.gateway.fleet.units import Value, to_unit

Converters = Mapping[str, Mapping[str, Callable[[int], float]]]
"""Family -> metric -> conversion of one count."""


def converters(catalogue: tuple[Family, ...]) -> Converters:
    return {family.name: {metric.name: to_unit(metric) for metric in family.metrics} for family in catalogue}


def samples_of(batch: Batch, catalogue: tuple[Family, ...], convert: Converters) -> list[LiveSample]:
    """The samples of a checked batch, oldest first. Raises Poison for a count that its column could not hold."""
    by_time: dict[int, Values] = {}
    for reading in decoded_series(batch, catalogue):
        name = reading.family.name
        columns = list(unit_columns(reading, convert).items())
        for k, time_ms in enumerate(reading.times):
            families = by_time.setdefault(time_ms, {})
            families.setdefault(name, {})[reading.instance] = {metric: column[k] for metric, column in columns}
    return [LiveSample(batch.host, time_ms, by_time[time_ms]) for time_ms in sorted(by_time)]


def unit_columns(reading: DecodedSeries, convert: Converters) -> dict[str, list[Value]]:
    """A reading's columns in their units. Raises Poison as above."""
    of_family = convert[reading.family.name]
    answer: dict[str, list[Value]] = {}
    for metric in reading.family.metrics:
        column = reading.columns.get(metric.name)
        if column is None:
            continue
        least, most = COLUMN_LIMITS[metric.column]
        to_value = of_family[metric.name]
        values: list[Value] = []
        for count in column:
            if count is None:
                values.append(None)
            elif least <= count <= most:
                values.append(to_value(count))
            else:
                raise Poison(
                    f"{reading.family.name}.{metric.name}: {count} does not fit the column type {metric.column}"
                )
        answer[metric.name] = values
    return answer


def labels_of(batch: Batch) -> dict[str, dict[str, dict[str, str]]]:
    """Family -> instance -> labels, of the instances that carry any."""
    return {
        block.family: labels
        for block in batch.families
        if (labels := {series.instance: series.labels for series in block.series if series.labels})
    }
