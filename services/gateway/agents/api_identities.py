"""`/hosts/{id}/identity`, `revoke` and `rotate`, and `/refused`: what people see of identities, and do about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.clock import now_ms, to_ms
from infra.storage.database import Pool
from schemas.enrolment import NewToken, Refused, RefusedList
from services.gateway.enrolment.api_tokens import make_token, shown_once
from services.gateway.fleet.lookup import host_number
from services.gateway.http.database import connected
from services.gateway.http.problems import ProblemError
from services.gateway.http.requests import Resource, answer
from services.gateway.identities import sql, sql_refused
from services.gateway.identities.issuing import as_people_see
from services.gateway.identities.reach import Reach
from services.gateway.identities.revocation import revoke_host

MOST_REFUSED = 500
"""Listed, the last one first."""
ROTATION_S = 86_400
"""How long a token for a new identity of a host is good."""


def identity_routes(pool: Pool, reach: Callable[[], Reach], revoked: asyncio.Event) -> list[BaseRoute]:
    """`revoked` is set when servers are to be told of a revocation."""

    async def get_identity(request: Request) -> Response:
        host = request.path_params["host"]
        async with connected(pool) as database:
            await host_number(database, host)
            row = await database.fetchrow(sql.HOST_IDENTITY, host)
        if row is None:  # known, so nothing failed: a 404 would be an error in every browser that shows such a host
            return Response(status_code=204)
        return answer(as_people_see(row, now_ms()))

    async def revoke(request: Request) -> Response:
        host = request.path_params["host"]
        async with connected(pool) as database:
            host_id = await host_number(database, host)
            async with database.transaction():
                keys = await revoke_host(database, host_id, "revoked")
            if not keys:
                raise _no_identity(host)
            row = await database.fetchrow(sql.HOST_IDENTITY, host)
        revoked.set()
        return answer(as_people_see(row, now_ms()))

    async def rotate(request: Request) -> Response:
        host = request.path_params["host"]
        async with connected(pool) as database:
            await host_number(database, host)
            wanted = NewToken(note=f"new identity of {host}", expires_s=ROTATION_S, host=host)
            made = await make_token(database, wanted)
        return answer(shown_once(*made, reach()), 201)

    async def list_refused(_: Request) -> Response:
        async with connected(pool) as database:
            rows = await database.fetch(sql_refused.LIST, MOST_REFUSED)
        refused = [Refused(row["name"], row["what"], row["reason"], row["times"], to_ms(row["last"])) for row in rows]
        return answer(RefusedList(refused))

    return [
        Resource("/hosts/{host}/identity", GET=get_identity),
        Resource("/hosts/{host}/revoke", POST=revoke),
        Resource("/hosts/{host}/rotate", POST=rotate),
        Resource("/refused", GET=list_refused),
    ]


def _no_identity(host: str) -> ProblemError:
    detail = f"host {host} has no identity; make a token for it with POST /api/v1/hosts/{host}/rotate"
    return ProblemError(404, detail, type="/problems/no-identity")
