"""Rows of an export as CSV (RFC 4180) and as NDJSON: real units, RFC 3339 times, nulls empty or null. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from schemas.api import Resolution
from schemas.catalogue import Family, Metric
from services.gateway.fleet.units import to_unit

Format = Literal["csv", "ndjson"]
Row = Sequence[Any]
"""Time in Unix milliseconds, instance, then a value per column of the family."""

MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8; header=present", "ndjson": "application/x-ndjson"}
SUMMED = ("avg", "min", "max", "count")
"""What a roll-up has of every metric."""


def paths(family: Family, metrics: Sequence[Metric], resolution: Resolution) -> list[str]:
    """The names of a family's columns."""
    names = [f"{family.name}.{metric.name}" for metric in metrics]
    return names if resolution == "raw" else [f"{name}.{part}" for name in names for part in SUMMED]


def in_units(metrics: Sequence[Metric], columns: Sequence[Iterable[int | None]]) -> list[list[float | None]]:
    """Columns of counts as values in their metrics' units."""
    converted = []
    for metric, counts in zip(metrics, columns, strict=True):
        convert = to_unit(metric)
        converted.append([None if count is None else convert(count) for count in counts])
    return converted


def rfc3339(times_ms: Sequence[int]) -> list[str]:
    """Times such as 2026-11-21T04:05:06.789Z."""
    moments = np.array(times_ms, dtype="datetime64[ms]")
    written: list[str] = np.datetime_as_string(moments, unit="ms", timezone="UTC").tolist()
    return written


def csv_head(columns: Sequence[str]) -> bytes:
    return _csv([["time", "host", "instance", *columns]])


def encoder(
    format: Format, host: str, columns: Sequence[str], family_columns: Sequence[str]
) -> Callable[[Sequence[Row]], bytes]:
    """What turns rows of one family, at least one, into lines.

    In CSV every line has all `columns`, those of other families empty; in NDJSON an object has its family's only.
    """
    if format == "ndjson":
        keys = ("time", "host", "instance", *family_columns)
        json = msgspec.json.Encoder()

        def lines(rows: Sequence[Row]) -> bytes:
            times = rfc3339([row[0] for row in rows])
            return json.encode_lines(
                [dict(zip(keys, (time, host, *row[1:]), strict=True)) for time, row in zip(times, rows, strict=True)]
            )

        return lines
    before = columns.index(family_columns[0])
    left, right = [None] * before, [None] * (len(columns) - before - len(family_columns))

    def records(rows: Sequence[Row]) -> bytes:
        times = rfc3339([row[0] for row in rows])
        return _csv([time, host, row[1], *left, *row[2:], *right] for time, row in zip(times, rows, strict=True))

    return records


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
