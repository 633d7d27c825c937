"""`DELETE /hosts/{host}`: removing a host or archiving it; `/removals`: how far the deletion of rows has come."""

from __future__ import annotations

import logging
from typing import Literal

from msgspec import Struct

from infra.clock import now_ms, to_ms
from infra.storage.database import Pool
from schemas.api import HostDetail, Removal, Removals
from schemas.subjects import HostId
from services.gateway.agents import sql_removal as sql
from services.gateway.agents.departing import Departing
from services.gateway.fleet.memory import Fleet
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import unknown

logger = logging.getLogger(__name__)


class RemovalQuery(Struct, frozen=True, forbid_unknown_fields=True):
    history: Literal["remove", "keep"] = "remove"
    """`keep` archives the host."""


def removal_operations(pool: Pool, fleet: Fleet, departing: Departing) -> list[Operation]:
    async def delete_host(call: Call[RemovalQuery, None]) -> Removals | Reply:
        host, keep = call.path["host"], call.query.history == "keep"
        if not await departing.depart(call, [host], keep):
            raise unknown("host", host)
        return Reply(fleet.detail(host, now_ms()), 200) if keep else await _removals(pool)

    async def list_removals(_: Call[Nothing, None]) -> Removals:
        return await _removals(pool)

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
        ),
    ]


async def _removals(pool: Pool) -> Removals:
    async with connected(pool) as database:
        rows = await database.fetch(sql.REMOVALS)
    return Removals([Removal(row["name"], to_ms(row["asked"]), row["parts"], row["done"], row["rows"]) for row in rows])
