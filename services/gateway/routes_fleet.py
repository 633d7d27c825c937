"""`/series`: one metric of many hosts side by side, or of those that lead in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.database import Connection, Pool
from schemas.api import FleetColumn, FleetSeriesAnswer, Ranking
from schemas.catalogue import Family, Metric
from schemas.rules import InvalidField
from services.gateway import sql
from services.gateway.aggregate import Summary
from services.gateway.arguments import (
    DEFAULT_POINTS,
    MOST_POINTS,
    asked_instance,
    asked_range,
    check_cells,
    period_ms,
    snapshot,
)
from services.gateway.fleet import Fleet
from services.gateway.history import SOURCES, Line, read_lines, read_pieces, read_steps
from services.gateway.paths import parse_metrics
from services.gateway.pieces import rows_of
from services.gateway.refresh import Runtime
from services.gateway.requests import Resource, answer, query_int
from services.gateway.resolution import Grid, Reach, choose_grid
from services.gateway.selection import parse_hosts
from services.gateway.stats import choose_sources, read_tallies
from services.gateway.tally import SHARES
from services.gateway.units import mean_to_unit, to_unit

MOST_COLUMNS = 100
MOST_ROWS = 3_000_000
"""Most rows that one answer may take to read: some seconds of work."""
P95 = SHARES.index(0.95)
ONE_STEP = Grid(0, 73_000 * 86_400_000, 73_000 * 86_400_000, 0, 1)
"""Two centuries from 1970 on: sums over a whole range."""


def fleet_routes(pool: Pool, fleet: Fleet, runtime: Runtime, catalogue: tuple[Family, ...]) -> list[BaseRoute]:
    async def get_series(request: Request) -> Response:
        family, metric = _metric(request.query_params.get("metric", ""), catalogue)
        named = parse_hosts(request.query_params.get("hosts", ""))
        instance = asked_instance(request)
        from_ms, to_ms = asked_range(request)
        points = query_int(request, "points", DEFAULT_POINTS, 1, MOST_POINTS)
        top, by = _ranking(request)
        async with snapshot(pool) as database:
            hosts = await _hosts(database, named)
            period = period_ms(fleet, hosts.values(), family)
            grid = choose_grid(from_ms, to_ms, points, period, runtime.reach)
            lines = (await read_lines(database, hosts, [family], instance))[family.name]
            considered = len(lines)
            ranks: list[float | None] = [None] * considered
            if by is not None:
                ranked = await _rank(database, family, metric, lines, grid, period, runtime.reach, by)
                best = sorted(ranked, key=lambda item: (-item[0], item[1]))[:top]
                lines, ranks = [line for _, line in best], [rank for rank, _ in best]
            elif considered > MOST_COLUMNS:
                remedy = f"{considered} instances match; ask for top, at most {MOST_COLUMNS}, or name fewer hosts"
                raise InvalidField("hosts", len(hosts), remedy)
            check_cells(len(lines), grid.count)
            columns = await _columns(database, family, metric, lines, ranks, grid, period)
        return answer(
            FleetSeriesAnswer(
                f"{family.name}.{metric.name}",
                metric.unit,
                grid.from_ms,
                grid.to_ms,
                grid.resolution,
                grid.step_ms,
                by,
                considered,
                grid.times_ms,
                columns,
            )
        )

    return [Resource("/series", GET=get_series)]


def _metric(text: str, catalogue: tuple[Family, ...]) -> tuple[Family, Metric]:
    try:
        ((family, metrics),) = parse_metrics(text, catalogue)
        (metric,) = metrics
    except (InvalidField, ValueError):
        raise InvalidField("metric", text[:100], "use one path such as cpu.total of GET /api/v1/metrics") from None
    return family, metric


def _ranking(request: Request) -> tuple[int, Ranking | None]:
    """How many of those that lead, and in what; None for all. Raises InvalidField."""
    text = request.query_params.get("by", "avg")
    try:
        by: Ranking = msgspec.convert(text, Ranking)
    except msgspec.ValidationError:
        raise InvalidField("by", text[:60], f"use {', '.join(get_args(Ranking))}") from None
    if "top" not in request.query_params:
        if "by" in request.query_params:
            raise InvalidField("by", by, "say with top how many to show, such as top=10")
        return 0, None
    return query_int(request, "top", 10, 1, MOST_COLUMNS), by


async def _hosts(database: Connection, named: frozenset[str]) -> dict[int, str]:
    """Id and name of the hosts called `named`, or of all, by name. Raises InvalidField for one that is not there."""
    rows = await database.fetch(sql.HOST_IDS, sorted(named) or None)
    unknown = named - {row["name"] for row in rows}
    if unknown:
        raise InvalidField("hosts", min(unknown), "no such host; GET /api/v1/hosts lists them")
    return {row["id"]: row["name"] for row in rows}


async def _rank(
    database: Connection,
    family: Family,
    metric: Metric,
    lines: Sequence[Line],
    grid: Grid,
    period: int,
    reach: Reach,
    by: Ranking,
) -> list[tuple[float, Line]]:
    """The lines that have a value within the grid's range, each with the value that it is ranked by."""
    from_ms, to_ms, sources = grid.from_ms, grid.to_ms, SOURCES["hour"]
    if by == "p95":
        from_ms, to_ms, sources = choose_sources(from_ms, to_ms, period, reach)
    pieces = await read_pieces(database, {line.host_id for line in lines}, from_ms, to_ms, sources)
    rows = sum(rows_of(pieces[line.host_id], period) for line in lines)
    if rows > MOST_ROWS:
        raise InvalidField("hosts", len(lines), _too_many(rows))
    ranked: list[tuple[float | None, Line]]
    if by == "p95":
        tallies = await read_tallies(database, family, [metric], lines, pieces, period)
        convert = to_unit(metric)
        percentiles = await asyncio.to_thread(lambda: [tally.percentiles()[P95] for (tally,) in tallies])
        ranked = [(None if p is None else convert(p), line) for p, line in zip(percentiles, lines, strict=True)]
    else:
        summaries = await read_steps(database, family, [metric], lines, pieces, ONE_STEP)
        extents = [_extent(summary, metric, by) for (summary,) in summaries]
        ranked = list(zip(extents, lines, strict=True))
    return [(rank, line) for rank, line in ranked if rank is not None]


def _extent(summary: Summary, metric: Metric, by: Ranking) -> float | None:
    if by == "max":
        peak = summary.peak()
        return None if peak is None else to_unit(metric)(peak)
    mean = summary.mean()
    return None if mean is None else mean_to_unit(metric, mean)


async def _columns(
    database: Connection,
    family: Family,
    metric: Metric,
    lines: Sequence[Line],
    ranks: Sequence[float | None],
    grid: Grid,
    period: int,
) -> list[FleetColumn]:
    hosts = {line.host_id for line in lines}
    pieces = await read_pieces(database, hosts, grid.from_ms, grid.to_ms, SOURCES[grid.resolution])
    rows = sum(rows_of(pieces[line.host_id], period) for line in lines)
    if rows > MOST_ROWS:
        raise InvalidField("hosts", len(hosts), _too_many(rows))
    period = period if grid.resolution == "raw" else 0
    summaries = await read_steps(database, family, [metric], lines, pieces, grid, period)
    columns = []
    for line, rank, (summary,) in zip(lines, ranks, summaries, strict=True):
        if not family.instance or not summary.empty:
            columns.append(FleetColumn(line.host, line.instance, rank, *summary.columns(metric)))
    return columns


def _too_many(rows: int) -> str:
    return f"that takes {rows} rows to read, at most {MOST_ROWS}: name fewer hosts, or shorten the range"
