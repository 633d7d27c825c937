"""`/hosts` and `/hosts/{id}`: what is known of each host now, from memory, so also while the database is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.clock import now_ms
from schemas.api import Hosts
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import parse_selection
from services.gateway.http.problems import ProblemError, unknown
from services.gateway.http.requests import Resource, answer


def host_routes(fleet: Fleet, delete_host: Callable[[Request], Awaitable[Response]]) -> list[BaseRoute]:
    """`delete_host` removes one, which concerns more than memory."""

    async def list_hosts(request: Request) -> Response:
        metrics = request.query_params.get("metrics", "")
        return answer(Hosts(fleet.hosts(parse_selection({"metrics": metrics}, fleet.catalogue), now_ms())))

    async def get_host(request: Request) -> Response:
        name = request.path_params["host"]
        if fleet.members.is_gone(name):
            detail = f"host {name!r} was removed; a machine that enrols under that name makes it anew"
            raise ProblemError(404, detail, type="/problems/removed-host")
        if name not in fleet:
            raise unknown("host", name)
        return answer(fleet.detail(name, now_ms()))

    return [Resource("/hosts", GET=list_hosts), Resource("/hosts/{host}", GET=get_host, DELETE=delete_host)]
