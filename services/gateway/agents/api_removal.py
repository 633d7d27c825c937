"""`DELETE /hosts/{id}`: removing a host or archiving it; `/removals`: how far the deletion of rows has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.clock import now_ms, to_ms
from infra.storage.database import Pool
from schemas.api import Removal, Removals
from schemas.settings import HOSTS_KEY
from services.gateway.agents import sql_removal as sql
from services.gateway.agents.purge import purge, stream_ends
from services.gateway.agents.removal import Departure, remove_host
from services.gateway.fleet.memory import Fleet
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.problems import invalid, unknown
from services.gateway.http.requests import Resource, answer

logger = logging.getLogger(__name__)

HISTORY = ("remove", "keep")

Removing = Callable[[Request], Awaitable[Response]]


def host_removal(
    pool: Pool,
    bus: Bus,
    fleet: Fleet,
    announce: Callable[[str, int], Awaitable[None]],
    tell: Callable[[str, bool], None],
    events: tuple[asyncio.Event, ...],
) -> Removing:
    """The handler of DELETE. `tell` spreads to viewers that a host is gone (true) or archived.

    `events` are set when revocations are to be pushed and agents' settings to be published.
    """

    async def delete_host(request: Request) -> Response:
        host, history = request.path_params["host"], request.query_params.get("history", "remove")
        if history not in HISTORY:
            raise invalid("history", history[:60], "must be keep, to archive the host, or remove")
        ends = await stream_ends(bus.client)
        async with connected(pool) as database:
            departed = await remove_host(database, host, ends.time_ns, keep_history=history == "keep")
        if departed is None:
            raise unknown("host", host)
        logger.info("host removed", extra={"host": host, "history": history})
        _forget(fleet, host, departed)
        tell(host, not departed.archived)
        for event in events:
            event.set()
        await announce(HOSTS_KEY, departed.generation)
        if departed.archived:
            return answer(fleet.detail(host, now_ms()))
        await purge(bus.client, host, ends)
        return answer(await _removals(pool), 202)

    return delete_host


def removal_routes(pool: Pool) -> list[BaseRoute]:
    async def list_removals(request: Request) -> Response:
        return answer(await _removals(pool))

    return [Resource("/removals", GET=list_removals)]


def _forget(fleet: Fleet, host: str, departed: Departure) -> None:
    """What other gateways learn from the table, at once."""
    if departed.archived:
        fleet.enter(host, departed.host_id, archived=True, last_ms=departed.last_ms)
    else:
        fleet.forget(host, departed.host_id)


async def _removals(pool: Pool) -> Removals:
    async with connected(pool) as database:
        rows = await database.fetch(sql.REMOVALS)
    return Removals([Removal(row["name"], to_ms(row["asked"]), row["parts"], row["done"], row["rows"]) for row in rows])
