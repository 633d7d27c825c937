"""Columns of a batch to samples as people read them: per time, family, instance and metric a value. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from schemas.api import LiveSample, Values
from schemas.catalogue import COLUMN_LIMITS, Family
from schemas.codec import DecodedSeries, Poison, decoded_series
from schemas.messages import Batch
from services.gateway.fleet.units import Value, to_unit


class Conversion(NamedTuple):
    """How one metric's counts become values."""

    metric: str
    to_value: Callable[[int], float]
    least: int
    most: int
    """Counts that its column can hold."""
    column: str


class Converters(NamedTuple):
    by_name: Mapping[str, Mapping[str, Conversion]]
    """Family -> metric."""
    by_code: Mapping[str, Mapping[int, Conversion]]
    """Family -> code of the metric."""


def converters(catalogue: tuple[Family, ...]) -> Converters:
    made = {
        family.name: {
            metric.code: Conversion(metric.name, to_unit(metric), *COLUMN_LIMITS[metric.column], metric.column)
            for metric in family.metrics
        }
        for family in catalogue
    }
    by_name = {family: {each.metric: each for each in by_code.values()} for family, by_code in made.items()}
    return Converters(by_name, made)


def samples_of(batch: Batch, catalogue: tuple[Family, ...], convert: Converters) -> list[LiveSample]:
    """The samples of a checked batch, oldest first. Raises Poison for a count that its column could not hold."""
    if len(batch.times) == 1:
        families = _only_row(batch, convert)
        return [LiveSample(batch.host, batch.times[0], families)] if families else []
    by_time: dict[int, Values] = {}
    for reading in decoded_series(batch, catalogue):
        name = reading.family.name
        columns = list(unit_columns(reading, convert).items())
        for k, time_ms in enumerate(reading.times):
            families = by_time.setdefault(time_ms, {})
            families.setdefault(name, {})[reading.instance] = {metric: column[k] for metric, column in columns}
    return [LiveSample(batch.host, time_ms, by_time[time_ms]) for time_ms in sorted(by_time)]


def _only_row(batch: Batch, convert: Converters) -> Values:
    """The values of a batch with one time, as most have while somebody watches: its columns are single counts."""
    families: Values = {}
    for block in batch.families:
        by_code = convert.by_code.get(block.family)
        if by_code is None:
            continue
        conversions = [by_code.get(code) for code in block.codes]
        for series in block.series:
            if series.rows == []:
                continue
            row: dict[str, float | None] = {}
            for conversion, count in zip(conversions, series.columns, strict=True):
                if conversion is None:
                    continue
                metric, to_value, least, most, _ = conversion
                if count is None:
                    row[metric] = None
                elif isinstance(count, int) and least <= count <= most:
                    row[metric] = to_value(count)
                else:
                    raise _too_large(block.family, conversion, count)
            families.setdefault(block.family, {})[series.instance] = row
    return families


def _too_large(family: str, conversion: Conversion, count: object) -> Poison:
    return Poison(f"{family}.{conversion.metric}: {count} does not fit the column type {conversion.column}")


def unit_columns(reading: DecodedSeries, convert: Converters) -> dict[str, list[Value]]:
    """A reading's columns in their units. Raises Poison as above."""
    of_family = convert.by_name[reading.family.name]
    answer: dict[str, list[Value]] = {}
    for metric, column in reading.columns.items():
        conversion = of_family[metric]
        _, to_value, least, most, _ = conversion
        values: list[Value] = []
        for count in column:
            if count is None:
                values.append(None)
            elif least <= count <= most:
                values.append(to_value(count))
            else:
                raise _too_large(reading.family.name, conversion, count)
        answer[metric] = values
    return answer


def labels_of(batch: Batch) -> dict[str, dict[str, dict[str, str]]]:
    """Family -> instance -> labels, of the instances that carry any."""
    return {
        block.family: labels
        for block in batch.families
        if (labels := {series.instance: series.labels for series in block.series if series.labels})
    }
