"""Curves as rows of tables: raw ones, and straight the minutes and hours that retention would make of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
from msgspec import Struct

from demo.curves import lines_of
from demo.lines import Line
from demo.machines import Machine
from demo.noise import Ints
from demo.stories import HOUR_S, Bools, is_up
from infra.clock import to_time
from infra.storage.sketch import sketch
from schemas.metric import Family
from services.ingest.copyformat import Field, encode_copy, timestamps

MINUTE_S = 60
Copy = tuple[list[str], bytearray]
"""Names of columns, and a COPY stream of their rows."""


class Rows(Struct):
    """Raw rows of one family, one line after the other."""

    family: Family
    times: Ints
    """Unix seconds."""
    hosts: Ints
    """Their ids."""
    instances: Ints
    """Their ids; 0 in a family without."""
    lines: Ints
    """Number of the line that each row is of."""
    counts: list[Ints]
    """Per metric; meaningless where unknown."""
    unknown: list[Bools]
    """Per metric."""

    def part(self, wanted: Bools) -> Rows:
        """Some of the rows."""
        keys = (self.times[wanted], self.hosts[wanted], self.instances[wanted], self.lines[wanted])
        counts = [column[wanted] for column in self.counts]
        return Rows(self.family, *keys, counts, [column[wanted] for column in self.unknown])


class Rolled(Struct):
    """Rows gathered to minutes or hours, per metric how many are known, their sum, least and greatest."""

    rows: Rows
    starts: Ints
    """The first row of each."""
    begins: Ints
    """When each began, Unix seconds."""
    known: list[Ints]
    sums: list[Ints]
    least: list[Ints]
    greatest: list[Ints]


def rows_of(
    some: Sequence[Machine],
    family: Family,
    times: Ints,
    ids: dict[str, int],
    instances: dict[tuple[int, str, str], int],
) -> Rows | None:
    """What those hosts measured at `times`, while they were up; None where that is nothing."""
    found: list[tuple[Ints, int, int, Line]] = []
    for machine in some:
        at = times[is_up(machine, times)]
        if len(at):
            host = ids[machine.name]
            found += [
                (at, host, instances.get((host, family.name, line.instance), 0), line)
                for line in lines_of(machine, family, at)
            ]
    if not found:
        return None
    lengths = [len(at) for at, _, _, _ in found]

    def spread(values: Sequence[Any]) -> Any:
        return np.repeat(np.array(values), lengths)

    metrics = range(len(family.metrics))
    return Rows(
        family,
        np.concatenate([at for at, _, _, _ in found]),
        spread([host for _, host, _, _ in found]),
        spread([instance for _, _, instance, _ in found]),
        spread(range(len(found))),
        [np.concatenate([line.counts[number] for _, _, _, line in found]) for number in metrics],
        [spread([line.unknown[number] for _, _, _, line in found]) for number in metrics],
    )


def raw_copy(rows: Rows) -> Copy:
    """The rows as they are."""
    fields = _keys(rows, rows.times, slice(None))
    for metric, counts, unknown in zip(rows.family.metrics, rows.counts, rows.unknown, strict=True):
        fields[metric.name] = Field(metric.column, counts, unknown if unknown.any() else None)
    return list(fields), encode_copy(list(fields.values()))


def rolled(rows: Rows, width_s: int) -> Rolled:
    """The rows by minute or hour; there is at least one."""
    begins = rows.times // width_s * width_s
    changes = (np.diff(begins) != 0) | (np.diff(rows.lines) != 0)
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
    lengths = np.diff(starts, append=len(begins))
    return Rolled(
        rows,
        starts,
        begins[starts],
        [np.where(unknown[starts], 0, lengths) for unknown in rows.unknown],
        [np.add.reduceat(counts, starts) for counts in rows.counts],
        [np.minimum.reduceat(counts, starts) for counts in rows.counts],
        [np.maximum.reduceat(counts, starts) for counts in rows.counts],
    )


def minute_copy(rows: Rows) -> Copy:
    """The rows' minutes."""
    minutes = rolled(rows, MINUTE_S)
    fields = _keys(rows, minutes.begins, minutes.starts)
    for number, metric in enumerate(rows.family.metrics):
        unknown = minutes.known[number] == 0
        nulls = unknown if unknown.any() else None
        total = "numeric" if metric.column == "int8" else "int8"
        fields[f"{metric.name}_n"] = Field("int4", minutes.known[number])
        fields[f"{metric.name}_sum"] = Field(total, minutes.sums[number], nulls)
        fields[f"{metric.name}_min"] = Field(metric.column, minutes.least[number], nulls)
        fields[f"{metric.name}_max"] = Field(metric.column, minutes.greatest[number], nulls)
    return list(fields), encode_copy(list(fields.values()))


def hour_records(rows: Rows) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names of columns, and the rows' hours with sketches of their counts."""
    hours = rolled(rows, HOUR_S)
    ends = np.append(hours.starts[1:], len(rows.times)).tolist()
    columns: dict[str, Sequence[Any]] = {"time": [moment(begin) for begin in hours.begins.tolist()]}
    columns["host_id"] = rows.hosts[hours.starts].tolist()
    if rows.family.instance:
        columns["instance_id"] = rows.instances[hours.starts].tolist()
    for number, metric in enumerate(rows.family.metrics):
        known, counts = hours.known[number].tolist(), rows.counts[number]
        sums, least, greatest = (part[number].tolist() for part in (hours.sums, hours.least, hours.greatest))
        total = Decimal if metric.column == "int8" else int
        columns[f"{metric.name}_n"] = known
        columns[f"{metric.name}_sum"] = [
            total(value) if many else None for many, value in zip(known, sums, strict=True)
        ]
        for part, values in (("min", least), ("max", greatest)):
            columns[f"{metric.name}_{part}"] = [
                value if many else None for many, value in zip(known, values, strict=True)
            ]
        columns[f"{metric.name}_sketch"] = [
            (_flat(low, many) if low == high else sketch(counts[start:end])) if many else None
            for many, start, end, low, high in zip(known, hours.starts.tolist(), ends, least, greatest, strict=True)
        ]
    return list(columns), list(zip(*columns.values(), strict=True))


@lru_cache(4096)
def _flat(count: int, times: int) -> bytes:
    """The sketch of one count so many times."""
    return sketch(np.full(times, count, dtype=np.int64))


@lru_cache(4096)
def moment(time_s: int) -> datetime:
    """Unix seconds as tables have them."""
    return to_time(time_s * 1000)


def _keys(rows: Rows, times: Ints, which: Any) -> dict[str, Field]:
    fields = {"time": timestamps(1000 * times), "host_id": Field("int4", rows.hosts[which])}
    if rows.family.instance:
        fields["instance_id"] = Field("int4", rows.instances[which])
    return fields
