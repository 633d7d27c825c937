"""`/hosts/{id}/series` and `/hosts/{id}/stats`: the past of one host, from the raw tables."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.database import Connection, Pool
from schemas.api import SeriesAnswer, StatsAnswer
from schemas.catalogue import Family, Metric
from services.gateway import sql
from services.gateway.database import connected
from services.gateway.fleet import Fleet
from services.gateway.history import read_instances, read_series, read_stats
from services.gateway.hub import now_ms
from services.gateway.paths import parse_metrics
from services.gateway.problems import unknown
from services.gateway.ranges import parse_range
from services.gateway.requests import Resource, answer, query_int
from services.gateway.resolution import choose_grid

DEFAULT_POINTS = 600
MOST_POINTS = 5000


def series_routes(pool: Pool, fleet: Fleet, catalogue: tuple[Family, ...]) -> list[BaseRoute]:
    async def get_series(request: Request) -> Response:
        host = request.path_params["host"]
        wanted = _metrics(request, catalogue)
        from_ms, to_ms = _range(request, "-1h")
        points = query_int(request, "points", DEFAULT_POINTS, 1, MOST_POINTS)
        period_ms = _period_ms(fleet, host, wanted)
        grid = choose_grid(from_ms, to_ms, points, period_ms)
        async with connected(pool) as database:
            host_id = await _host_id(database, fleet, host)
            instances = await read_instances(database, host_id, wanted, request.query_params.get("instance"))
            columns = await read_series(database, host_id, wanted, instances, grid, grid.step_ms == period_ms)
        return answer(SeriesAnswer(host, grid.from_ms, grid.to_ms, "raw", grid.step_ms, grid.times_ms, columns))

    async def get_stats(request: Request) -> Response:
        host = request.path_params["host"]
        wanted = _metrics(request, catalogue)
        from_ms, to_ms = _range(request, "-1h")
        async with connected(pool) as database:
            host_id = await _host_id(database, fleet, host)
            instances = await read_instances(database, host_id, wanted, request.query_params.get("instance"))
            stats = await read_stats(database, host_id, wanted, instances, from_ms, to_ms)
        return answer(StatsAnswer(host, from_ms, to_ms, "raw", stats))

    return [Resource("/hosts/{host}/series", GET=get_series), Resource("/hosts/{host}/stats", GET=get_stats)]


def _metrics(request: Request, catalogue: tuple[Family, ...]) -> list[tuple[Family, list[Metric]]]:
    return parse_metrics(request.query_params.get("metrics", ""), catalogue)


def _range(request: Request, default: str) -> tuple[int, int]:
    parameters = request.query_params
    return parse_range(parameters.get("from", default), parameters.get("to", "now"), now_ms())


def _period_ms(fleet: Fleet, host: str, wanted: list[tuple[Family, list[Metric]]]) -> int:
    """How often all wanted metrics have a value: the longest of their periods, or the host's own sampling interval."""
    return max(fleet.period_ms(host, family.name) for family, _ in wanted)


async def _host_id(database: Connection, fleet: Fleet, host: str) -> int:
    """The host's number; 0, of which there are no rows, for one so new that only the bus knows it."""
    number: int | None = await database.fetchval(sql.HOST_ID, host)
    if number is None and host not in fleet:
        raise unknown("host", host)
    return number or 0
