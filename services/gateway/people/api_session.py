"""`/session`: who am I, logging in and out, the way in by a one-time link, the own password."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from infra.addresses import neighbourhood
from infra.storage.database import Connection
from schemas.people import LinkLogin, Login, Me, PasswordChange
from services.gateway.http.audit import note, record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.person import Person, address_of
from services.gateway.http.problems import ProblemError, invalid
from services.gateway.people import sql, sql_sessions
from services.gateway.people.admit import identify, own_account
from services.gateway.people.cookies import cookie, secret_in
from services.gateway.people.credentials import hashed
from services.gateway.people.known import Key
from services.gateway.people.login import authenticate, begin, keep_fresh, wrong_login
from services.gateway.people.people import People
from services.gateway.people.sessions import end_sessions, open_session
from services.gateway.people.vouched import Disabled

logger = logging.getLogger(__name__)

AWAY = 503


def session_operations(people: People) -> list[Operation]:
    return [
        Operation(
            "GET",
            "/session",
            partial(_who, people),
            "people",
            "Who is logged in",
            None,
            {200: Me},
            refuses=(401, 429, AWAY),
        ),
        Operation(
            "POST",
            "/session",
            partial(_log_in, people),
            "people",
            "Log in with name and password",
            None,
            {200: Me},
            body=Login,
            refuses=(401, 429, AWAY),
            description="Sets the session's cookie. 401 of the type /problems/second-factor asks for a code as well.",
        ),
        Operation(
            "DELETE", "/session", partial(_log_out, people), "people", "Log out", None, {204: None}, refuses=(AWAY,)
        ),
        Operation(
            "POST",
            "/session/link",
            partial(_by_link, people),
            "people",
            "Set a password by a one-time link, and log in",
            None,
            {200: Me},
            body=LinkLogin,
            refuses=(401, 429, AWAY),
            description="Ends all sessions of that user and removes the second factor.",
        ),
        Operation(
            "PUT",
            "/session/password",
            partial(_change_password, people),
            "people",
            "Change the own password",
            "viewer",
            {204: None},
            body=PasswordChange,
            refuses=(409, 429),
            description=(
                "Ends all other sessions of that user. API tokens stay. An account without a password, such as one "
                "of single sign-on, gets one by an administrator's one-time link alone."
            ),
        ),
    ]


async def _who(people: People, call: Call[Nothing, None]) -> Me:
    person = await identify(people, call.request)
    return await me(people, person)


async def _log_in(people: People, call: Call[Nothing, Login]) -> Reply:
    user = await authenticate(people, call)
    entry = await _enter_by_password(people, call, user)
    if entry is None:  # such as one whose password another login made anew a moment ago
        user = await authenticate(people, call, user)
        entry = await _enter_by_password(people, call, user)
    if entry is None:
        raise wrong_login()
    await keep_fresh(people, user, call.body.password)
    return await welcome(people, call, entry)


async def _enter_by_password(people: People, call: Call[Nothing, Login], user: Mapping[str, Any]) -> Entry | None:
    """None where somebody has changed since how `user` logs in, or that they may."""
    async with connected(people.pool) as database, database.transaction():
        if not await database.fetchval(sql.CAME_BY_PASSWORD, user["id"], user["password"], user["totp_secret"]):
            return None
        return await open_entry(people, call, database, user)


async def _by_link(people: People, call: Call[Nothing, LinkLogin]) -> Reply:
    address = address_of(call.request)
    name = f"link {hashed(call.body.secret).hex()[:16]}"
    begin(people, name, neighbourhood(address))
    password = await people.hashing.hash(call.body.password)
    async with connected(people.pool) as database, database.transaction():
        secret = hashed(call.body.secret)
        user = await database.fetchrow(sql.CAME_BY_LINK, secret)
        if user is None or not await database.fetchval(sql.USE_LINK, secret):
            raise wrong_link()
        await database.execute(sql.SET_PASSWORD, user["id"], password)
        removed = await database.execute(sql.REMOVE_FACTOR, user["id"]) != "UPDATE 0"
        await database.execute(sql.DROP_CODES, user["id"])
        ended = await end_sessions(database, user["id"])
        did = {"password": "set", "second_factor_removed": removed, "sessions_ended": len(ended)}
        entry = await open_entry(people, call, database, user, did)
    people.logins.forgive(name, neighbourhood(address))
    await people.over(*ended)
    return await welcome(people, call, entry)


async def _log_out(people: People, call: Call[Nothing, None]) -> Reply:
    secret = secret_in(call.request, people.secure)
    gone = Reply(None, headers=cookie("", 0, people.secure))
    if not secret:
        return gone
    try:
        async with connected(people.pool) as database, database.transaction():
            ended = await leave(call, database, secret)
    except ProblemError as problem:
        problem.headers |= gone.headers  # whoever leaves this machine to others is logged out here all the same
        raise
    await people.over(*ended)
    return gone


async def _change_password(people: People, call: Call[Nothing, PasswordChange]) -> Reply:
    user_id, person = own_account(call.person), call.person
    async with connected(people.pool) as database:
        stored = await database.fetchval(sql.PASSWORD, user_id)
    if stored is None:
        raise no_password(person)
    begin(people, person.name, neighbourhood(person.address))
    if not await people.hashing.fits(stored, call.body.old):
        raise invalid("old", None, "is not the present password")
    people.logins.forgive(person.name, neighbourhood(person.address))
    password = await people.hashing.hash(call.body.new)
    async with connected(people.pool) as database, database.transaction():
        if not await database.fetchval(sql.CHANGE_PASSWORD, user_id, password, stored, person.session_id):
            raise changed_meanwhile()
        await database.execute(sql.DROP_LINKS, user_id)
        ended = await end_sessions(database, user_id, but=person.session_id)
        await record(database, call, person.name, None, {"password": "changed", "sessions_ended": len(ended)})
    await people.over(*ended)
    return Reply(None)


async def me(people: People, person: Person | None) -> Me:
    """What is said of who asks; while the database is away, without what only it knows."""
    shown = Me("", None, "nobody", oidc=people.oidc_name, demonstration=people.settings.demonstration)
    if person is None:
        return shown
    shown.name = "" if person.by == "anonymous" else person.name
    shown.role, shown.by, shown.session = person.role, person.by, person.session_id
    if person.user_id is not None:
        try:
            async with connected(people.pool, 1) as database:
                row = await database.fetchrow(sql.HAS, person.user_id)
        except ProblemError:
            return shown
        if row is not None:
            shown.second_factor, shown.has_password = row["second_factor"], row["has_password"]
    return shown


class Entry(Struct, frozen=True):
    """A session that was opened for somebody."""

    user: Mapping[str, Any]
    session: int
    secret: str
    ended: list[Key]
    """The session that the request came with."""


async def enter(people: People, call: Call[Any, Any], database: Connection, user: Mapping[str, Any]) -> Entry:
    """Open a session for `user`, a row of users whom somebody else has vouched for. Inside a transaction.

    Raises Disabled when somebody has disabled or deleted them since the row was read.
    """
    if not await database.fetchval(sql.CAME, user["id"]):
        raise Disabled
    return await open_entry(people, call, database, user)


async def open_entry(
    people: People,
    call: Call[Any, Any],
    database: Connection,
    user: Mapping[str, Any],
    did: Mapping[str, Any] | None = None,
) -> Entry:
    """The same for one whose row of users is found as it should be, and locked. `did`: what else the call did."""
    ended = await leave(call, database, secret_in(call.request, people.secure))
    session, secret = await open_session(people, database, user["id"], user["name"], call.request)
    came = {"session": session, **(did or {})}
    address = address_of(call.request)
    await note(database, user["name"], "nobody", address, call.operation.name, user["name"], None, came)
    return Entry(user, session, secret, ended)


async def welcome(people: People, call: Call[Any, Any], entry: Entry) -> Reply:
    """The answer to somebody who has entered, once that is committed."""
    await people.over(*entry.ended)
    user, address = entry.user, address_of(call.request)
    logger.info("logged in", extra={"user": user["name"], "address": address, "session": entry.session})
    person = Person(user["name"], user["role"], "session", address, user["id"], entry.session)
    max_age_s = round(people.known.lives.max_s)
    return Reply(await me(people, person), headers=cookie(entry.secret, max_age_s, people.secure))


async def leave(call: Call[Any, Any], database: Connection, secret: str) -> list[Key]:
    """End the session of that secret, if there is one; returns its key. Inside a transaction."""
    return await end_of_hash(call, database, hashed(secret)) if secret else []


async def end_of_hash(call: Call[Any, Any], database: Connection, digest: bytes) -> list[Key]:
    """The same by the hash of its secret."""
    row = await database.fetchrow(sql_sessions.SESSION, digest)
    if row is None:
        return []
    await database.execute(sql_sessions.END, row["id"])
    session = {"session": row["id"]}
    await note(database, row["name"], "session", address_of(call.request), "DELETE /session", row["name"], session)
    return [("session", row["id"])]


def no_password(person: Person) -> ProblemError:
    return ProblemError(
        409,
        f"the account {person.name!r} has no password to change; an administrator's one-time link gives it one",
        type="/problems/no-password",
    )


def changed_meanwhile() -> ProblemError:
    return ProblemError(
        409,
        "the password was changed or the session ended by somebody else a moment ago: log in again",
        type="/problems/password-changed",
    )


def wrong_link() -> ProblemError:
    return ProblemError(
        401,
        "this link is unknown, used or expired; `sonde user link NAME` on the machine of the gateway prints a new one",
        type="/problems/wrong-link",
    )
