"""Opening, reading and ending sessions, and reading tokens."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from infra.addresses import neighbourhood
from infra.clock import now_ms, to_ms, to_time
from infra.storage.database import Connection
from schemas.people import RANKS, Role
from services.gateway.http.database import connected
from services.gateway.http.person import address_of
from services.gateway.http.problems import ProblemError
from services.gateway.people import sql_sessions
from services.gateway.people.credentials import hashed, make_secret
from services.gateway.people.known import Held, Key, Kind
from services.gateway.people.people import People

MOST_PER_USER = 50
"""Sessions; beyond, the longest unused ones end."""


async def open_session(
    people: People, database: Connection, user_id: int, name: str, request: Request
) -> tuple[int, str]:
    """A new session of a user whom somebody has vouched for; its number, and its secret for the cookie.

    Run it inside a transaction that has locked the user's row.
    """
    secret, at_ms = make_secret(), now_ms()
    address = address_of(request)
    agent = request.headers.get("user-agent", "").encode(errors="replace").decode()[:300]
    expires_ms = at_ms + round(people.known.lives.max_s * 1000)
    agent = "".join(character if character.isprintable() else "?" for character in agent)
    session = await database.fetchval(
        sql_sessions.OPEN, hashed(secret), user_id, to_time(at_ms), to_time(expires_ms), address, agent
    )
    await database.execute(sql_sessions.END_SURPLUS, user_id, MOST_PER_USER)
    people.logins.know(name, neighbourhood(address))
    return session, secret


async def end_sessions(database: Connection, user_id: int, but: int | None = None) -> list[Key]:
    """End all sessions of that user except `but`; returns their keys, to be told to `People.over` after the commit."""
    rows = await database.fetch(sql_sessions.END_OF_USER, user_id, but)
    return [("session", row["id"]) for row in rows]


async def find(people: People, kind: Kind, secret: str, address: str) -> Held | None:
    """Whose secret it is: from memory, else from the database; None when nobody's.

    Raises ProblemError 429 to an address that brought too many that nobody has, and 503 while the database is away.
    """
    digest, at_ms, now_s = hashed(secret), now_ms(), time.monotonic()
    held = people.known.find(digest, at_ms)
    if held is None:
        if people.strangers.know(kind, digest, now_s):
            return None
        wait_s = people.strangers.wait_s(neighbourhood(address), now_s)
        if wait_s:
            raise too_many(wait_s)
        async with connected(people.pool) as database:
            row = await database.fetchrow(sql_sessions.SESSION if kind == "session" else sql_sessions.TOKEN, digest)
        held = people.known.put(digest, held_of(kind, row), at_ms) if row else None
        if held is None:
            people.strangers.note(kind, digest, neighbourhood(address), now_s)
            return None
        if kind == "session":
            people.logins.know(held.name, neighbourhood(address))
    if held.kind != kind:
        return None
    held.address = address
    return held


def held_of(kind: Kind, row: Mapping[str, Any]) -> Held:
    """A row of sessions or of api_tokens, with its user."""
    seen = row["seen"] if kind == "session" else row["last_used"]
    seen_ms = 0 if seen is None else to_ms(seen)
    expires_ms = None if row["expires"] is None else to_ms(row["expires"])
    role = row["role"] if kind == "session" else lesser(row["role"], row["user_role"])
    return Held(
        kind,
        row["id"],
        row["user_id"],
        row["name"],
        role,
        to_ms(row["created"]),
        expires_ms,
        seen_ms,
        seen_ms,
        row["address"] if kind == "session" else row["last_address"],
        () if kind == "session" else tuple(row["scopes"]),
    )


def lesser(role: Role, of_user: Role | None) -> Role:
    """What a token of `role` may whose user is of another; None: it is nobody's."""
    return role if of_user is None else min(role, of_user, key=lambda each: RANKS[each])


def too_many(wait_s: int) -> ProblemError:
    """429: come again later."""
    detail = f"too many tries; come again in {wait_s} s"
    return ProblemError(429, detail, type="/problems/too-many-tries", headers={"Retry-After": str(wait_s)})
