"""`/hosts` and `/hosts/{host}`: what is known of each host now, from memory, so also while the database is away."""

from __future__ import annotations

from infra.clock import now_ms
from schemas.api import HostDetail, Hosts
from schemas.hosts import Groups
from schemas.subjects import HostId
from services.gateway.fleet.listing import HostsQuery, groups, page
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import EVERYTHING, by_family, parse_selection, pick
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, unknown


def host_operations(fleet: Fleet) -> list[Operation]:
    async def list_hosts(call: Call[HostsQuery, None]) -> Hosts:
        query = call.query
        selection = parse_selection({"metrics": query.metrics}, fleet.catalogue)
        listed = page(fleet.hosts(EVERYTHING, now_ms()), query, fleet.catalogue)
        shown = by_family(selection.metrics)
        for host in listed.hosts:
            host.latest = pick(host.latest, shown)
        return Hosts(listed.hosts, listed.next, listed.matched)

    async def list_groups(_: Call[Nothing, None]) -> Groups:
        return Groups(groups(fleet.hosts(EVERYTHING, now_ms())))

    async def get_host(call: Call[Nothing, None]) -> Reply:
        name = call.path["host"]
        if fleet.members.is_gone(name):
            detail = f"host {name!r} was removed; a machine that enrols under that name makes it anew"
            raise ProblemError(404, detail, type="/problems/removed-host")
        if name not in fleet:
            raise unknown("host", name)
        known = fleet.detail(name, now_ms())
        return Reply.versioned(known, known.version)

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
            "/tags",
            list_groups,
            tag="hosts",
            summary="Hosts by tag: how many, how they are, and what fires on them",
            role="viewer",
            answers={200: Groups},
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
