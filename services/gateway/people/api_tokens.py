"""`/tokens`: API tokens, with which programs ask instead of people."""

from __future__ import annotations

from collections.abc import Sequence

from infra.clock import now_ms, to_time
from infra.storage.database import Connection
from schemas.people import ApiToken, ApiTokens, MadeApiToken, NewApiToken, Number, Role, Scope
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError
from services.gateway.people import sql, sql_sessions
from services.gateway.people.admit import may_end, no_account, own_account
from services.gateway.people.api_sessions import Whose, is_theirs, whose_of
from services.gateway.people.credentials import hashed, make_token
from services.gateway.people.people import People
from services.gateway.people.shown import token_of

MOST_PER_USER = 200


def api_token_operations(people: People) -> list[Operation]:
    async def list_tokens(call: Call[Whose, None]) -> ApiTokens:
        async with connected(people.pool) as database:
            rows = await database.fetch(sql_sessions.TOKENS, whose_of(call.person, call.query))
        return ApiTokens([token_of(row) for row in rows])

    async def add_token(call: Call[Nothing, NewApiToken]) -> MadeApiToken:
        user_id, wanted = own_account(call.person), call.body
        if not call.person.may(wanted.role):
            detail = f"a token may no more than you, and you have the role {call.person.role}"
            raise ProblemError(403, detail, type="/problems/role")
        async with connected(people.pool) as database, database.transaction():
            if not await database.fetchval(sql.STAYS, user_id):
                raise no_account()
            if await database.fetchval(sql_sessions.TOKENS_OF_USER, user_id) >= MOST_PER_USER:
                raise ProblemError(409, f"you have {MOST_PER_USER} tokens; revoke some", type="/problems/too-many")
            token, secret = await make_api_token(
                database, user_id, wanted.note, wanted.role, wanted.expires_s, wanted.scopes
            )
            await record(database, call, f"{call.person.name}: {token.note}", None, token)
        return MadeApiToken(token, secret)

    async def revoke_token(call: Call[Nothing, None]) -> Reply:
        number = call.path["token"]
        async with connected(people.pool) as database, database.transaction():
            row = await database.fetchrow(sql_sessions.TOKEN_OF, number)
            if row is None or not is_theirs(call.person, row["user_id"]):
                raise ProblemError(404, f"token {number} does not exist", type="/problems/unknown-token")
            may_end(call.person)
            await database.execute(sql_sessions.REVOKE_TOKEN, number)
            await record(database, call, f"{row['name']}: {row['note']}", token_of(row))
        await people.over(("token", number))
        return Reply(None)

    return [
        Operation(
            "GET", "/tokens", list_tokens, "people", "API tokens of one's own", "viewer", {200: ApiTokens}, query=Whose
        ),
        Operation(
            "POST",
            "/tokens",
            add_token,
            "people",
            "Make an API token; its secret is shown this once",
            "viewer",
            {201: MadeApiToken},
            body=NewApiToken,
            refuses=(409,),
        ),
        Operation(
            "DELETE",
            "/tokens/{token}",
            revoke_token,
            "people",
            "Revoke an API token",
            "viewer",
            {204: None},
            path_types={"token": Number},
        ),
    ]


async def make_api_token(
    database: Connection, user_id: int | None, note: str, role: Role, expires_s: int, scopes: Sequence[Scope] = ()
) -> tuple[ApiToken, str]:
    """A new token, and its secret. Inside a transaction.

    `user_id` None: lent to a command, whose user `note` names. `expires_s` 0: never. `scopes` empty: all of them.
    """
    secret = make_token()
    expires = to_time(now_ms() + expires_s * 1000) if expires_s else None
    parts = sorted(set(scopes))
    row = await database.fetchrow(sql_sessions.ADD_TOKEN, hashed(secret), user_id, note, role, parts, expires)
    assert row is not None  # noqa: S101 -- RETURNING
    return token_of(row), secret
