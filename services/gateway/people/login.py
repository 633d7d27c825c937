"""Logging in by password: throttled, in equal time whoever is named, with a second factor where there is one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from infra.addresses import neighbourhood
from schemas.people import AuditBy, Login
from services.gateway.http.audit import note, plain
from services.gateway.http.database import connected
from services.gateway.http.operations import Call
from services.gateway.http.person import address_of
from services.gateway.http.problems import ProblemError
from services.gateway.people import sql
from services.gateway.people.credentials import hashed, typed_code
from services.gateway.people.passwords import is_stale
from services.gateway.people.people import People
from services.gateway.people.second import step_of
from services.gateway.people.sessions import too_many

WRONG_LOGIN = "/problems/wrong-login"

User = Mapping[str, Any]


async def authenticate(people: People, call: Call[Any, Login], former: User | None = None) -> User:
    """The row of the user who logs in, as it was when they were looked at: whoever enters sees whether it is still so.

    Where it was not, `former` is what was found of them then: the code of a factor that is still theirs is used up.
    Raises ProblemError: 401 for a wrong name, password or code, which says no more than that; 401 with a type of its
    own where the password is right and a code is needed; 429 after too many tries; 503.
    """
    name = name_typed(call.body.name)
    peer = neighbourhood(address_of(call.request))
    begin(people, name, peer)
    try:
        return await _authenticated(people, call, name, peer, former)
    except ProblemError as problem:
        if problem.type == WRONG_LOGIN:
            people.refusals.note(peer, "login", "wrong name, password or code")
        raise


async def _authenticated(people: People, call: Call[Any, Login], name: str, peer: str, former: User | None) -> User:
    given = call.body
    async with connected(people.pool) as database:
        user: User | None = await database.fetchrow(sql.LOGIN, name)
    stored = user["password"] if user and not user["disabled"] else None
    if not await people.hashing.fits(stored, given.password) or user is None:
        raise wrong_login()
    proven = former is not None and (former["id"], former["totp_secret"]) == (user["id"], user["totp_secret"])
    if user["totp_secret"] is not None and not proven:
        if not given.code:
            people.logins.forgive(name, peer)
            raise code_needed()
        if not await use_code(people, call, user["id"], user["name"], "nobody", user["totp_secret"], given.code):
            raise wrong_login()
    people.logins.succeeded(name, peer)
    return user


async def keep_fresh(people: People, user: User, password: str) -> None:
    """Store the password of somebody who has entered anew, where what is stored was made with other parameters.

    Where that cannot be now, the next login does it.
    """
    if is_stale(user["password"]):
        with contextlib.suppress(ProblemError):
            again = await people.hashing.hash(password)
            async with connected(people.pool) as database:
                await database.execute(sql.REHASH, user["id"], again, user["password"])


def name_typed(name: str) -> str:
    """A user's name as people type it; what is counted by name and what is looked up is this."""
    return plain(name).strip().lower()


def begin(people: People, name: str, peer: str) -> None:
    """A try at what `name` alone knows; it counts as failed until `people.logins` hears better. Raises 429."""
    wait_s = people.logins.begin(name, peer, time.monotonic())
    if wait_s:
        people.refusals.note(peer, "login", "too many tries")
        raise too_many(wait_s)


async def use_code(
    people: People, call: Call[Any, Any], user_id: int, name: str, by: AuditBy, secret: str, code: str
) -> bool:
    """Whether `code` is one of the authenticator or a recovery code; it is used up by this.

    `name` and `by` are of whoever brings it, for the audit log, which tells of recovery codes.
    """
    step = step_of(secret, code, time.time())
    async with connected(people.pool) as database, database.transaction():
        if step is not None:
            return bool(await database.fetchval(sql.USE_STEP, user_id, step))
        if not await database.fetchval(sql.USE_CODE, user_id, hashed(typed_code(code))):
            return False
        left = await database.fetchval(sql.CODES_LEFT, user_id)
        facts = {"recovery_code": "used", "recovery_codes": left}
        await note(database, name, by, address_of(call.request), call.operation.name, name, None, facts)
        return True


def wrong_login() -> ProblemError:
    """401 that tells nobody what was wrong."""
    return ProblemError(
        401,
        "name, password or code is wrong; an administrator can reset the password: `sonde user reset NAME`",
        type=WRONG_LOGIN,
    )


def code_needed() -> ProblemError:
    return ProblemError(
        401, "this account has a second factor: give the code of its authenticator", type="/problems/second-factor"
    )
