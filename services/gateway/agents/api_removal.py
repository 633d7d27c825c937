"""`DELETE /hosts/{host}`: removing a host or archiving it; `/removals`: how far the deletion of rows has come."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from infra.clock import to_ms
from infra.storage.database import Pool
from schemas.api import HostDetail, Removal, Removals
from schemas.subjects import HostId
from services.gateway.agents import sql_removal as sql
from services.gateway.agents.departing import Departing
from services.gateway.agents.tending import shown
from services.gateway.fleet.memory import Fleet
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Operation, Reply
from services.gateway.http.paging import Microseconds, Number, Page
from services.gateway.http.problems import unknown


class _Removal(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page of `/removals` ended."""

    asked_us: Microseconds
    host_id: Number


class RemovalQuery(Struct, frozen=True, forbid_unknown_fields=True):
    history: Literal["remove", "keep"] = "remove"
    """`keep` archives the host."""


def removal_operations(pool: Pool, fleet: Fleet, departing: Departing) -> list[Operation]:
    async def delete_host(call: Call[RemovalQuery, None]) -> Removals | Reply:
        host, keep = call.path["host"], call.query.history == "keep"
        if not await departing.depart(call, [host], keep):
            raise unknown("host", host)
        return Reply(shown(fleet, host), 200) if keep else await _removals(pool, Page())

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
            reaches=("identities",),
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


async def _removals(pool: Pool, page: Page) -> Removals:
    after = page.after(_Removal)
    position = (after.asked_us, after.host_id) if after else (None, None)
    async with connected(pool) as database:
        found = await database.fetch(sql.REMOVALS, page.limit + 1, *position)
    rows, following = page.cut(found, lambda row: _Removal(row["asked_us"], row["host_id"]))
    removals = [Removal(row["name"], to_ms(row["asked"]), row["parts"], row["done"], row["rows"]) for row in rows]
    return Removals(removals, following)
