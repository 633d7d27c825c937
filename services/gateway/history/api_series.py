"""`/hosts/{host}/families`, `/hosts/{host}/series` and `/hosts/{host}/stats`: the past of one host."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from infra.storage.database import Connection, Pool
from schemas.api import SeriesAnswer, SeriesColumn, Stat, StatsAnswer, StoredFamilies
from schemas.catalogue import Family, Metric
from schemas.subjects import HostId
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.units import mean_to_unit, to_unit
from services.gateway.history.arguments import (
    DEFAULT_POINTS,
    PastOfHost,
    Points,
    RangeOfPast,
    check_cells,
    find_host,
    snapshot,
)
from services.gateway.history.locate import locate
from services.gateway.history.pieces import Piece
from services.gateway.history.resolution import choose_grid
from services.gateway.history.series import (
    SOURCES,
    Line,
    Wanted,
    read_lines,
    read_pieces,
    read_steps,
    with_any_row,
    with_rows,
)
from services.gateway.history.stats import check_sketches, choose_sources, read_tallies
from services.gateway.history.tally import Tally
from services.gateway.http.operations import Call, Operation


class SeriesQuery(PastOfHost, frozen=True, kw_only=True, forbid_unknown_fields=True):
    points: Points = DEFAULT_POINTS


def series_operations(pool: Pool, fleet: Fleet, catalogue: tuple[Family, ...]) -> list[Operation]:
    async def get_series(call: Call[SeriesQuery, None]) -> SeriesAnswer:
        host, points, instance = call.path["host"], call.query.points, call.query.instance
        wanted = call.query.wanted(catalogue)
        from_ms, to_ms = call.query.span()
        periods_ms = {family.name: fleet.period_ms(host, family.name) for family, _ in wanted}
        columns = []
        async with snapshot(pool) as (database, reach):
            grid = choose_grid(from_ms, to_ms, points, max(periods_ms.values()), reach)
            number = await find_host(database, fleet, host)
            pieces = await read_pieces(database, [number], grid.from_ms, grid.to_ms, SOURCES[grid.resolution])
            lines = await _lines(database, {number: host}, wanted, instance, pieces)
            check_cells(sum(len(lines[family.name]) * len(metrics) for family, metrics in wanted), grid.count)
            for family, metrics in wanted:
                period = periods_ms[family.name] if grid.resolution == "raw" else 0
                of_family = lines[family.name]
                summaries = await read_steps(database, family, metrics, of_family, pieces, grid, period)
                for line, of_line in zip(of_family, summaries, strict=True):
                    if family.instance and all(summary.empty for summary in of_line):
                        continue
                    for metric, summary in zip(metrics, of_line, strict=True):
                        average, least, greatest = summary.columns(metric)
                        path = f"{family.name}.{metric.name}"
                        columns.append(SeriesColumn(path, line.instance, metric.unit, average, least, greatest))
        return SeriesAnswer(host, grid.from_ms, grid.to_ms, grid.resolution, grid.step_ms, grid.times_ms, columns)

    async def get_stats(call: Call[PastOfHost, None]) -> StatsAnswer:
        host, instance = call.path["host"], call.query.instance
        wanted = call.query.wanted(catalogue)
        from_ms, to_ms = call.query.span()
        periods_ms = {family.name: fleet.period_ms(host, family.name) for family, _ in wanted}
        stats: list[Stat] = []
        async with snapshot(pool) as (database, reach):
            from_ms, to_ms, sources = choose_sources(from_ms, to_ms, min(periods_ms.values()), reach)
            number = await find_host(database, fleet, host)
            pieces = await read_pieces(database, [number], from_ms, to_ms, sources)
            lines = await _lines(database, {number: host}, wanted, instance, pieces)
            await check_sketches(database, wanted, lines, pieces)
            for family, metrics in wanted:
                of_family = lines[family.name]
                period = {number: periods_ms[family.name]}
                tallies = await read_tallies(database, family, metrics, of_family, pieces, period)
                await locate(database, family, metrics, of_family, tallies)
                # Off the event loop: the sketches of a year take a second.
                stats += await asyncio.to_thread(_stats, family, metrics, of_family, tallies)
        resolution = pieces[number][0].source if len(pieces[number]) == 1 else sources[0]
        return StatsAnswer(host, from_ms, to_ms, resolution, stats)

    async def get_families(call: Call[RangeOfPast, None]) -> StoredFamilies:
        host = call.path["host"]
        from_ms, to_ms = call.query.span()
        async with snapshot(pool) as (database, reach):
            # Of no account but for the range: where there is any row, the coarsest one that tells of it will do.
            from_ms, to_ms, _ = choose_sources(from_ms, to_ms, 1000, reach)
            number = await find_host(database, fleet, host)
            pieces = await read_pieces(database, [number], from_ms, to_ms, SOURCES["hour"])
            lines = await read_lines(database, {number: host}, catalogue, None)
            there = [
                family.name for family in catalogue if await with_any_row(database, family, lines[family.name], pieces)
            ]
        return StoredFamilies(host, from_ms, to_ms, there)

    return [
        Operation(
            "GET",
            "/hosts/{host}/families",
            get_families,
            tag="history",
            summary="The metric families of which one host has rows within a range",
            role="viewer",
            answers={200: StoredFamilies},
            query=RangeOfPast,
            path_types={"host": HostId},
        ),
        Operation(
            "GET",
            "/hosts/{host}/series",
            get_series,
            tag="history",
            summary="Metrics of one host over a range, as columns of average, minimum and maximum",
            role="viewer",
            answers={200: SeriesAnswer},
            query=SeriesQuery,
            path_types={"host": HostId},
        ),
        Operation(
            "GET",
            "/hosts/{host}/stats",
            get_stats,
            tag="history",
            summary="Statistics of metrics of one host over a range",
            role="viewer",
            answers={200: StatsAnswer},
            query=PastOfHost,
            path_types={"host": HostId},
        ),
    ]


async def _lines(
    database: Connection, host: dict[int, str], wanted: Wanted, instance: str | None, pieces: Mapping[int, list[Piece]]
) -> dict[str, list[Line]]:
    """By family the lines of one host that have a row within its pieces."""
    lines = await read_lines(database, host, [family for family, _ in wanted], instance)
    return {family.name: await with_rows(database, family, lines[family.name], pieces) for family, _ in wanted}


def _stats(
    family: Family, metrics: Sequence[Metric], lines: Sequence[Line], tallies: Sequence[Sequence[Tally]]
) -> list[Stat]:
    return [
        _stat(family, metric, line, tally)
        for line, of_line in zip(lines, tallies, strict=True)
        if not family.instance or any(tally.known for tally in of_line)
        for metric, tally in zip(metrics, of_line, strict=True)
    ]


def _stat(family: Family, metric: Metric, line: Line, tally: Tally) -> Stat:
    convert = to_unit(metric)

    def value(count: int | None) -> float | None:
        return None if count is None else convert(count)

    mean = tally.mean()
    greatest, last = tally.greatest, tally.last
    p50, p95, p99 = tally.percentiles()
    return Stat(
        metric=f"{family.name}.{metric.name}",
        instance=line.instance,
        unit=metric.unit,
        count=tally.known,
        min=value(tally.least),
        avg=None if mean is None else mean_to_unit(metric, mean),
        max=value(greatest.value) if greatest else None,
        max_time=greatest.time_ms if greatest else None,
        max_time_resolution=greatest.source if greatest else None,
        p50=value(p50),
        p95=value(p95),
        p99=value(p99),
        exact=tally.exact,
        last=value(last.value) if last else None,
    )
