"""`DELETE /hosts/{host}`: removing a host or archiving it; `/removals`: how far the deletion of rows has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Struct

from infra.clock import now_ms, to_ms
from infra.storage.database import Pool
from schemas.api import HostDetail, Removal, Removals
from schemas.settings import HOSTS_KEY
from schemas.subjects import HostId
from services.gateway.agents import sql_removal as sql
from services.gateway.agents.purge import purge, stream_ends
from services.gateway.agents.removal import Departure, remove_host
from services.gateway.fleet.memory import Fleet
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Operation, Reply
from services.gateway.http.paging import Microseconds, Number, Page
from services.gateway.http.problems import unknown

logger = logging.getLogger(__name__)


class _Removal(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page of `/removals` ended."""

    asked_us: Microseconds
    host_id: Number


class RemovalQuery(Struct, frozen=True, forbid_unknown_fields=True):
    history: Literal["remove", "keep"] = "remove"
    """`keep` archives the host."""


def removal_operations(
    pool: Pool,
    bus: Bus,
    fleet: Fleet,
    announce: Callable[[str, int], Awaitable[None]],
    tell: Callable[[str, bool], None],
    events: tuple[asyncio.Event, ...],
) -> list[Operation]:
    """`tell` spreads to viewers that a host is gone (true) or archived.

    `events` are set when revocations are to be pushed and agents' settings to be published.
    """

    async def delete_host(call: Call[RemovalQuery, None]) -> Removals | Reply:
        host, history = call.path["host"], call.query.history
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
            return Reply(fleet.detail(host, now_ms()), 200)
        await purge(bus.client, host, ends)
        return await _removals(pool, Page())

    async def list_removals(call: Call[Page, None]) -> Removals:
        return await _removals(pool, call.query)

    return [
        Operation(
            "DELETE",
            "/hosts/{host}",
            delete_host,
            tag="hosts",
            summary="Remove a host with its history, which takes a while, or archive it",
            role="admin",
            answers={202: Removals, 200: HostDetail},
            query=RemovalQuery,
            path_types={"host": HostId},
        ),
        Operation(
            "GET",
            "/removals",
            list_removals,
            tag="hosts",
            summary="How far the deletion of removed hosts has come",
            role="viewer",
            answers={200: Removals},
            query=Page,
        ),
    ]


def _forget(fleet: Fleet, host: str, departed: Departure) -> None:
    """What other gateways learn from the table, at once."""
    if departed.archived:
        fleet.enter(host, departed.host_id, archived=True, last_ms=departed.last_ms)
    else:
        fleet.forget(host, departed.host_id)


async def _removals(pool: Pool, page: Page) -> Removals:
    after = page.after(_Removal)
    position = (after.asked_us, after.host_id) if after else (None, None)
    async with connected(pool) as database:
        found = await database.fetch(sql.REMOVALS, page.limit + 1, *position)
    rows, following = page.cut(found, lambda row: _Removal(row["asked_us"], row["host_id"]))
    removals = [Removal(row["name"], to_ms(row["asked"]), row["parts"], row["done"], row["rows"]) for row in rows]
    return Removals(removals, following)
