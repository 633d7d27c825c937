"""`/enrolment-tokens`: what people make so that machines may join, with the line to paste there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.storage.database import Connection, Pool
from schemas.enrolment import EnrolmentToken, EnrolmentTokens, MadeToken, NewToken
from services.gateway.enrolment.tokens import as_people_see, make_secret, token_hash
from services.gateway.fleet import sql as fleet_sql
from services.gateway.http.database import connected
from services.gateway.http.problems import invalid, unknown
from services.gateway.http.requests import Resource, answer, read_json
from services.gateway.identities import sql
from services.gateway.identities.reach import Reach

MOST_TOKENS = 500
"""Listed, the newest first."""
MOST_HOSTS = 100
"""Named of those that enrolled with a token."""


def token_routes(pool: Pool, reach: Callable[[], Reach]) -> list[BaseRoute]:

    async def make(request: Request) -> Response:
        wanted = await read_json(request, NewToken)
        async with connected(pool) as database:
            made = await make_token(database, wanted)
        return answer(shown_once(*made, reach()), 201)

    async def list_tokens(_: Request) -> Response:
        async with connected(pool) as database:
            return answer(EnrolmentTokens(await _shown(database, await database.fetch(sql.TOKENS, MOST_TOKENS))))

    async def get_token(request: Request) -> Response:
        async with connected(pool) as database:
            return answer(await find_token(database, _number(request)))

    async def withdraw(request: Request) -> Response:
        number = _number(request)
        async with connected(pool) as database:
            if await database.fetchval(sql.WITHDRAW, number) is None:
                raise unknown("enrolment-token", str(number))
            return answer(await find_token(database, number))

    return [
        Resource("/enrolment-tokens", GET=list_tokens, POST=make),
        Resource("/enrolment-tokens/{id}", GET=get_token, DELETE=withdraw),
    ]


async def make_token(database: Connection, wanted: NewToken) -> tuple[EnrolmentToken, str]:
    """A new token and its secret, which nobody can read again. Raises InvalidField, and what the database raises."""
    host_id = None
    if wanted.host:
        host_id = await database.fetchval(fleet_sql.HOST_ID, wanted.host)
        if host_id is None:
            raise invalid("host", wanted.host[:100], "is not known; GET /api/v1/hosts lists the known hosts")
        if wanted.uses != 1:
            raise invalid("uses", wanted.uses, "must be 1 for a token that replaces the identity of one host")
    secret = make_secret()
    number = await database.fetchval(
        sql.ADD_TOKEN,
        token_hash(secret),
        wanted.note,
        wanted.uses,
        wanted.expires_s,
        list(dict.fromkeys(wanted.tags)),
        wanted.name_pattern,
        host_id,
    )
    return await find_token(database, number), secret


def shown_once(token: EnrolmentToken, secret: str, reach: Reach) -> MadeToken:
    return MadeToken(token, secret, reach.line(secret), reach.obstacle)


async def find_token(database: Connection, number: int) -> EnrolmentToken:
    """Raises ProblemError 404, and what the database raises."""
    rows = await database.fetch(sql.TOKEN, number)
    if not rows:
        raise unknown("enrolment-token", str(number))
    return (await _shown(database, rows))[0]


async def _shown(database: Connection, rows: list[Any]) -> list[EnrolmentToken]:
    hosts: dict[int, list[str]] = {}
    for row in await database.fetch(sql.TOKEN_HOSTS, [row["id"] for row in rows], MOST_HOSTS):
        hosts.setdefault(row["token_id"], []).append(row["host"])
    return [as_people_see(row, hosts.get(row["id"], []), row["asked"]) for row in rows]


def _number(request: Request) -> int:
    """The token in the path. Raises ProblemError 404."""
    text = request.path_params["id"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise unknown("enrolment-token", text)
    return int(text)
