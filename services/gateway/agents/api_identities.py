"""`/hosts/{host}/identity`, `revoke` and `rotate`, and `/refused`: what people see of identities, and do about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from infra.clock import now_ms, to_ms
from infra.storage.database import Pool
from schemas.enrolment import HostIdentity, MadeToken, NewToken, Refused, RefusedList
from schemas.subjects import HostId
from services.gateway.enrolment.api_tokens import make_token, shown_once
from services.gateway.fleet.lookup import host_number
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.paging import Microseconds, Page, Text
from services.gateway.http.problems import ProblemError
from services.gateway.identities import sql, sql_refused
from services.gateway.identities.issuing import as_people_see
from services.gateway.identities.reach import Reach
from services.gateway.identities.revocation import revoke_host

ROTATION_S = 86_400
"""How long a token for a new identity of a host is good."""


class _Refused(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page of `/refused` ended."""

    last_us: Microseconds
    name: Text
    what: Text


def identity_operations(pool: Pool, reach: Callable[[], Reach], revoked: asyncio.Event) -> list[Operation]:
    """`revoked` is set when servers are to be told of a revocation."""

    async def get_identity(call: Call[Nothing, None]) -> HostIdentity | Reply:
        host = call.path["host"]
        async with connected(pool) as database:
            await host_number(database, host)
            row = await database.fetchrow(sql.HOST_IDENTITY, host)
        if row is None:  # known, so nothing failed: a 404 would be an error in every browser that shows such a host
            return Reply(None, 204)
        return as_people_see(row, now_ms())

    async def revoke(call: Call[Nothing, None]) -> HostIdentity:
        host = call.path["host"]
        async with connected(pool) as database:
            host_id = await host_number(database, host)
            async with database.transaction():
                keys = await revoke_host(database, host_id, "revoked")
                if not keys:
                    raise _no_identity(host)
                await record(database, call, host, {"public_key": keys[0]})
            row = await database.fetchrow(sql.HOST_IDENTITY, host)
        revoked.set()
        return as_people_see(row, now_ms())

    async def rotate(call: Call[Nothing, None]) -> MadeToken:
        host = call.path["host"]
        async with connected(pool) as database, database.transaction():
            await host_number(database, host)
            wanted = NewToken(note=f"new identity of {host}", expires_s=ROTATION_S, host=host)
            made = await make_token(database, wanted)
            await record(database, call, host, None, made[0])
        return shown_once(*made, reach())

    async def list_refused(call: Call[Page, None]) -> RefusedList:
        after, page = call.query.after(_Refused), call.query
        position = (after.last_us, after.name, after.what) if after else (None, None, None)
        async with connected(pool) as database:
            found = await database.fetch(sql_refused.LIST, page.limit + 1, *position)
        rows, following = page.cut(found, lambda row: _Refused(row["last_us"], row["name"], row["what"]))
        refused = [Refused(row["name"], row["what"], row["reason"], row["times"], to_ms(row["last"])) for row in rows]
        return RefusedList(refused, following)

    return [
        Operation(
            "GET",
            "/hosts/{host}/identity",
            get_identity,
            tag="identities",
            summary="The present identity of a host, or its last one; 204 for a host that never enrolled",
            role="viewer",
            answers={200: HostIdentity, 204: None},
            path_types={"host": HostId},
        ),
        Operation(
            "POST",
            "/hosts/{host}/revoke",
            revoke,
            tag="identities",
            summary="End the identity of a host at once on every server of the bus; the host stays",
            role="admin",
            answers={200: HostIdentity},
            path_types={"host": HostId},
        ),
        Operation(
            "POST",
            "/hosts/{host}/rotate",
            rotate,
            tag="identities",
            summary="Make a token for a new identity of a host; the old one ends when the new one is enrolled",
            role="admin",
            answers={201: MadeToken},
            path_types={"host": HostId},
        ),
        Operation(
            "GET",
            "/refused",
            list_refused,
            tag="identities",
            summary="Who was refused what, the last one first",
            role="admin",
            answers={200: RefusedList},
            query=Page,
        ),
    ]


def _no_identity(host: str) -> ProblemError:
    detail = f"host {host} has no identity; make a token for it with POST /api/v1/hosts/{host}/rotate"
    return ProblemError(404, detail, type="/problems/no-identity")
