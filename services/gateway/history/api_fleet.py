"""`/series`: one metric of many hosts side by side, or of those that lead in it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from infra.storage.database import Connection, Pool
from schemas.api import FleetColumn, FleetSeriesAnswer, Ranking
from schemas.catalogue import Family, Metric
from schemas.rules import InvalidField
from services.gateway.fleet import sql as fleet_sql
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import HostsShown, parse_hosts
from services.gateway.history.arguments import (
    DEFAULT_POINTS,
    Past,
    Points,
    check_cells,
    check_instance,
    snapshot,
)
from services.gateway.history.ranking import MOST_ROWS, check_rows, rank
from services.gateway.history.resolution import choose_grid
from services.gateway.history.series import SOURCES, read_lines, read_pieces, read_steps, with_rows
from services.gateway.http.metricpaths import parse_metrics
from services.gateway.http.operations import Call, Operation

MOST_COLUMNS = 100
_ONE_METRIC = "one metric path such as cpu.total; GET /api/v1/metrics lists them"


class FleetQuery(Past, frozen=True, kw_only=True, forbid_unknown_fields=True):
    metric: Annotated[str, Meta(description=_ONE_METRIC)]
    hosts: HostsShown = ""
    points: Points = DEFAULT_POINTS
    top: Annotated[int, Meta(ge=1, le=MOST_COLUMNS)] | None = None
    """How many of those that lead; None for all."""
    by: Ranking | None = None
    """In what they lead; None with `top`: their averages."""


def fleet_operations(pool: Pool, fleet: Fleet, catalogue: tuple[Family, ...]) -> list[Operation]:
    async def get_series(call: Call[FleetQuery, None]) -> FleetSeriesAnswer:
        family, metric = _metric(call.query.metric, catalogue)
        named = parse_hosts(call.query.hosts)
        instance, points, top = call.query.instance, call.query.points, call.query.top
        check_instance(instance, [family])
        from_ms, to_ms = call.query.span()
        by = _ranking(call.query)
        async with snapshot(pool) as (database, reach):
            hosts = await _hosts(database, named)
            periods_ms = {number: fleet.period_ms(name, family.name) for number, name in hosts.items()}
            period_ms = max(periods_ms.values(), default=round(1000 * family.period_s))
            grid = choose_grid(from_ms, to_ms, points, period_ms, reach)
            span = (grid.from_ms, grid.to_ms)
            pieces = await read_pieces(database, list(hosts), *span, SOURCES[grid.resolution])
            lines = (await read_lines(database, hosts, [family], instance))[family.name]
            lines = await with_rows(database, family, lines, pieces)
            considered = len(lines)
            ranks: list[float | None] = [None] * considered
            if by is not None:
                # The grid's last hour may reach far ahead of now; p95 is widened where there are sketches.
                ranked_span = (grid.from_ms, to_ms) if by == "p95" else span
                ranked = await rank(database, family, metric, lines, ranked_span, periods_ms, reach, by)
                best = sorted(ranked, key=lambda item: (-item[0], item[1]))[:top]
                lines, ranks = [line for _, line in best], [value for value, _ in best]
            elif considered > MOST_COLUMNS:
                remedy = (
                    f"{considered} series match, at most {MOST_COLUMNS} can be returned; set top, or name fewer hosts"
                )
                raise InvalidField("hosts", len(hosts), remedy)
            check_cells(len(lines), grid.count)
            check_rows(lines, pieces, periods_ms, MOST_ROWS)
            placed_ms = period_ms if grid.resolution == "raw" else 0
            summaries = await read_steps(database, family, [metric], lines, pieces, grid, placed_ms)
            columns = [
                FleetColumn(line.host, line.instance, value, *summary.columns(metric))
                for line, value, (summary,) in zip(lines, ranks, summaries, strict=True)
                if not family.instance or not summary.empty
            ]
        return FleetSeriesAnswer(
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

    return [
        Operation(
            "GET",
            "/series",
            get_series,
            tag="history",
            summary="One metric of many hosts side by side, or of those that lead in it",
            role="viewer",
            answers={200: FleetSeriesAnswer},
            query=FleetQuery,
        )
    ]


def _metric(text: str, catalogue: tuple[Family, ...]) -> tuple[Family, Metric]:
    try:
        ((family, metrics),) = parse_metrics(text, catalogue)
        (metric,) = metrics
    except (InvalidField, ValueError):
        raise InvalidField("metric", text[:100], f"must be {_ONE_METRIC}") from None
    return family, metric


def _ranking(query: FleetQuery) -> Ranking | None:
    """In what those lead that are asked for; None for all. Raises InvalidField."""
    if query.top is not None:
        return query.by or "avg"
    if query.by is not None:
        raise InvalidField("by", query.by, "requires top, the number of series to return, such as top=10")
    return None


async def _hosts(database: Connection, named: frozenset[str]) -> dict[int, str]:
    """Id and name of the hosts called `named`, or of all, by name. Raises InvalidField for one that is not there."""
    rows = await database.fetch(fleet_sql.HOST_IDS, sorted(named) or None)
    unknown = named - {row["name"] for row in rows}
    if unknown:
        raise InvalidField("hosts", min(unknown), "host does not exist; GET /api/v1/hosts lists the known hosts")
    return {row["id"]: row["name"] for row in rows}
