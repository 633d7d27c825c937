"""`/enrolment-tokens`: what people make so that machines may join, with the line to paste there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from infra.storage.database import Connection, Pool
from schemas.enrolment import EnrolmentToken, EnrolmentTokens, MadeToken, NewToken
from services.gateway.enrolment.tokens import as_people_see, make_secret, token_hash
from services.gateway.fleet import sql as fleet_sql
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.http.paging import Number, Page
from services.gateway.http.problems import invalid, unknown
from services.gateway.identities import sql
from services.gateway.identities.reach import Reach

MOST_HOSTS = 100
"""Named of those that enrolled with a token."""


TokenNumber = Annotated[int, Meta(ge=1, le=999_999_999)]


class _Token(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page of tokens ended."""

    id: Number


_PATH = "/enrolment-tokens/{enrolment_token}"


def token_operations(pool: Pool, reach: Callable[[], Reach]) -> list[Operation]:
    async def make(call: Call[Nothing, NewToken]) -> MadeToken:
        async with connected(pool) as database, database.transaction():
            made = await make_token(database, call.body)
            await record(database, call, str(made[0].id), None, made[0])
        return shown_once(*made, reach())

    async def list_tokens(call: Call[Page, None]) -> EnrolmentTokens:
        after, page = call.query.after(_Token), call.query
        async with connected(pool) as database:
            found = await database.fetch(sql.TOKENS, page.limit + 1, after.id if after else None)
            rows, following = page.cut(found, lambda row: _Token(row["id"]))
            return EnrolmentTokens(await _shown(database, rows), following)

    async def get_token(call: Call[Nothing, None]) -> EnrolmentToken:
        async with connected(pool) as database:
            return await find_token(database, call.path["enrolment_token"])

    async def withdraw(call: Call[Nothing, None]) -> EnrolmentToken:
        number = call.path["enrolment_token"]
        async with connected(pool) as database, database.transaction():
            before = await find_token(database, number)
            if await database.fetchval(sql.WITHDRAW, number) is None:
                raise unknown("enrolment-token", str(number))
            after = await find_token(database, number)
            await record(database, call, str(number), before, after)
        return after

    return [
        Operation(
            "GET",
            "/enrolment-tokens",
            list_tokens,
            tag="identities",
            summary="Tokens for machines to join, the newest first, with those that joined by each",
            role="admin",
            answers={200: EnrolmentTokens},
            query=Page,
        ),
        Operation(
            "POST",
            "/enrolment-tokens",
            make,
            tag="identities",
            summary="Make a token for machines to join; its secret is shown once",
            role="admin",
            answers={201: MadeToken},
            body=NewToken,
        ),
        Operation(
            "GET",
            _PATH,
            get_token,
            tag="identities",
            summary="One token for machines to join, without its secret",
            role="admin",
            answers={200: EnrolmentToken},
            path_types={"enrolment_token": TokenNumber},
        ),
        Operation(
            "DELETE",
            _PATH,
            withdraw,
            tag="identities",
            summary="Withdraw a token; who has enrolled with it stays",
            role="admin",
            answers={200: EnrolmentToken},
            path_types={"enrolment_token": TokenNumber},
        ),
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


async def _shown(database: Connection, rows: Sequence[Any]) -> list[EnrolmentToken]:
    hosts: dict[int, list[str]] = {}
    for row in await database.fetch(sql.TOKEN_HOSTS, [row["id"] for row in rows], MOST_HOSTS):
        hosts.setdefault(row["token_id"], []).append(row["host"])
    return [as_people_see(row, hosts.get(row["id"], []), row["asked"]) for row in rows]
