"""Reading series and statistics of one host from the family tables: one query per family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.database import Connection
from schemas.api import SeriesColumn, Stat
from schemas.catalogue import Family, Metric
from services.gateway import aggregate, sql
from services.gateway.resolution import Grid
from services.gateway.units import mean_to_unit, to_unit

Wanted = Sequence[tuple[Family, Sequence[Metric]]]
Instances = dict[str, dict[int, str]]
"""Family -> instance id -> name, in order of the names; a family without instances has the one instance 0."""

Row = tuple[Any, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_time(time_ms: int) -> datetime:
    return _EPOCH + time_ms * _MS


def to_ms(time: datetime) -> int:
    return (time - _EPOCH) // _MS


async def read_instances(database: Connection, host_id: int, wanted: Wanted, name: str | None) -> Instances:
    """The instances of each wanted family; only those called `name` unless that is None."""
    named = [family.name for family, _ in wanted if family.instance]
    instances: Instances = {family.name: {} if family.instance else {0: ""} for family, _ in wanted}
    if named:
        for row in await database.fetch(sql.INSTANCES, host_id, named):
            if name is None or row["name"] == name:
                instances[row["family"]][row["id"]] = row["name"]
    return instances


async def read_series(
    database: Connection, host_id: int, wanted: Wanted, instances: Instances, grid: Grid, raw: bool
) -> list[SeriesColumn]:
    """Columns over `grid` for every metric and instance that has a value there; `raw` when its step is the period."""
    answer: list[SeriesColumn] = []
    first, last = to_time(grid.from_ms), to_time(grid.to_ms)
    for family, metrics in wanted:
        names = instances[family.name]
        if not names:
            continue
        if raw:
            found = await database.fetch(sql.rows(family, metrics), host_id, first, last, list(names))
        else:
            step = timedelta(milliseconds=grid.step_ms)
            found = await database.fetch(sql.steps(family, metrics), host_id, first, last, list(names), step)
        of_instance: dict[int, list[Row]] = {number: [] for number in names}
        for record in found:
            of_instance[record["instance_id"]].append(tuple(record))
        for number, name in names.items():
            records = of_instance[number]
            if records or not family.instance:
                steps = _raw_steps(grid, records) if raw else _grouped_steps(grid, records)
                answer.extend(aggregate.columns(family, metrics, name, grid, steps))
    return answer


def _raw_steps(grid: Grid, records: Sequence[Row]) -> Iterable[aggregate.Step]:
    times = [to_ms(record[0]) for record in records]
    return aggregate.steps_of_rows(grid, times, [record[2:] for record in records])


def _grouped_steps(grid: Grid, records: Sequence[Row]) -> Iterable[aggregate.Step]:
    for record in records:
        index = to_ms(record[0]) // grid.step_ms - grid.first
        values = record[2:]
        yield index, [values[k : k + 3] for k in range(0, len(values), 3)]


async def read_stats(
    database: Connection, host_id: int, wanted: Wanted, instances: Instances, from_ms: int, until_ms: int
) -> list[Stat]:
    """Exact statistics of every metric and instance over [from_ms, until_ms)."""
    answer: list[Stat] = []
    for family, metrics in wanted:
        names = instances[family.name]
        if not names:
            continue
        records = await database.fetch(
            sql.statistics(family, metrics), host_id, to_time(from_ms), to_time(until_ms), list(names)
        )
        by_instance: dict[int, Row] = {record["instance_id"]: tuple(record)[1:] for record in records}
        for number, name in names.items():
            values = by_instance.get(number)
            if values is None and family.instance:
                continue
            for k, metric in enumerate(metrics):
                part = values[7 * k : 7 * k + 7] if values is not None else (0, *[None] * 6)
                answer.append(_stat(family, metric, name, part))
    return answer


def _stat(family: Family, metric: Metric, instance: str, part: Row) -> Stat:
    count, least, mean, greatest, greatest_time, percentiles, last = part
    convert = to_unit(metric)

    def value(counted: int | None) -> float | None:
        return None if counted is None else convert(counted)

    p50, p95, p99 = percentiles or (None, None, None)
    return Stat(
        f"{family.name}.{metric.name}",
        instance,
        metric.unit,
        count,
        value(least),
        None if mean is None else mean_to_unit(metric, mean),
        value(greatest),
        None if greatest_time is None else to_ms(greatest_time),
        value(p50),
        value(p95),
        value(p99),
        value(last),
    )
