"""`/hosts` and `/hosts/{host}`: what is known of each host now, from memory, so also while the database is away."""

from __future__ import annotations

from msgspec import Struct

from infra.clock import now_ms
from schemas.api import HostDetail, Hosts
from schemas.subjects import HostId
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import MetricsShown, parse_selection
from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.http.problems import ProblemError, unknown


class HostsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    metrics: MetricsShown = ""


def host_operations(fleet: Fleet) -> list[Operation]:
    async def list_hosts(call: Call[HostsQuery, None]) -> Hosts:
        return Hosts(fleet.hosts(parse_selection({"metrics": call.query.metrics}, fleet.catalogue), now_ms()))

    async def get_host(call: Call[Nothing, None]) -> HostDetail:
        name = call.path["host"]
        if fleet.members.is_gone(name):
            detail = f"host {name!r} was removed; a machine that enrols under that name makes it anew"
            raise ProblemError(404, detail, type="/problems/removed-host")
        if name not in fleet:
            raise unknown("host", name)
        return fleet.detail(name, now_ms())

    return [
        Operation(
            "GET",
            "/hosts",
            list_hosts,
            tag="hosts",
            summary="Every host with its state, facts, number of alerts and latest values",
            role="viewer",
            answers={200: Hosts},
            query=HostsQuery,
        ),
        Operation(
            "GET",
            "/hosts/{host}",
            get_host,
            tag="hosts",
            summary="One host, with the rows of it that were refused",
            role="viewer",
            answers={200: HostDetail},
            path_types={"host": HostId},
        ),
    ]
