"""`/users`: who there is, and what they may. For administrators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import UNSET

from infra.storage.database import Connection
from schemas.people import LoginLink, NewUser, Number, User, UserChange, Users
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError
from services.gateway.people import sql
from services.gateway.people.admit import in_person
from services.gateway.people.links import link_url, make_link
from services.gateway.people.people import People
from services.gateway.people.sessions import end_sessions
from services.gateway.people.shown import user_of

MOST_USERS = 1000


def user_operations(people: People, public_url: Callable[[], str]) -> list[Operation]:
    """`public_url`: where people open the dashboard, by the settings; empty: where the request came to."""

    def operation(method: Any, path: str, run: Any, summary: str, answers: Mapping[int, Any], **more: Any) -> Operation:
        types = {"user": Number} if "{user}" in path else {}
        return Operation(method, path, run, "people", summary, "admin", answers, path_types=types, **more)

    return [
        operation("GET", "/users", partial(_list_users, people), "Who there is", {200: Users}),
        operation(
            "POST", "/users", partial(_add_user, people), "Add a user", {201: User}, body=NewUser, refuses=(409,)
        ),
        operation("GET", "/users/{user}", partial(_get_user, people), "One user", {200: User}),
        operation(
            "PATCH",
            "/users/{user}",
            partial(_change_user, people),
            "Change what a user may, or disable them",
            {200: User},
            body=UserChange,
            refuses=(409,),
            description="A lower role ends the user's live streams, disabling all sessions; tokens count no more.",
        ),
        operation(
            "DELETE", "/users/{user}", partial(_delete_user, people), "Delete a user", {204: None}, refuses=(409,)
        ),
        operation(
            "POST",
            "/users/{user}/link",
            partial(_add_link, people, public_url),
            "A one-time link by which a user sets a password",
            {201: LoginLink},
            refuses=(409,),
            description="Older links of that user are good no more. API tokens may not make any.",
        ),
    ]


async def _list_users(people: People, call: Call[Nothing, None]) -> Users:
    async with connected(people.pool) as database:
        return Users([user_of(row) for row in await database.fetch(sql.USERS)])


async def _get_user(people: People, call: Call[Nothing, None]) -> User:
    async with connected(people.pool) as database:
        return user_of(await known_user(database, call.path["user"]))


async def _add_user(people: People, call: Call[Nothing, NewUser]) -> User:
    async with connected(people.pool) as database, database.transaction():
        await database.execute(sql.LOCK)
        if len(await database.fetch(sql.USERS)) >= MOST_USERS:
            raise ProblemError(409, f"there are {MOST_USERS} users; delete some", type="/problems/too-many")
        row = await database.fetchrow(sql.ADD_USER, call.body.name, call.body.role, "local", None)
        if row is None:
            raise ProblemError(409, f"there is a user {call.body.name!r}", type="/problems/name-taken")
        user = user_of(row)
        await record(database, call, user.name, None, user)
    return user


async def _change_user(people: People, call: Call[Nothing, UserChange]) -> User:
    number, change = call.path["user"], call.body
    async with connected(people.pool) as database, database.transaction():
        await database.execute(sql.LOCK)
        before = user_of(await known_user(database, number))
        role = None if change.role is UNSET else change.role
        disabled = None if change.disabled is UNSET else change.disabled
        await database.execute(sql.CHANGE_USER, number, role, disabled)
        user = user_of(await known_user(database, number))
        await demand_admin(database)
        ended = await end_sessions(database, number) if user.disabled else []
        await record(database, call, user.name, before, user)
    await settled(people, number, user.disabled or user.role != before.role)
    await people.over(*ended)
    return user


async def _delete_user(people: People, call: Call[Nothing, None]) -> Reply:
    number = call.path["user"]
    async with connected(people.pool) as database, database.transaction():
        await database.execute(sql.LOCK)
        before = user_of(await known_user(database, number))
        await database.execute(sql.DELETE_USER, number)
        await demand_admin(database)
        await record(database, call, before.name, before)
    await settled(people, number, True)
    return Reply(None)


async def _add_link(people: People, public_url: Callable[[], str], call: Call[Nothing, None]) -> LoginLink:
    in_person(call.person, "log in as an administrator, or run `sonde user link NAME` on the gateway's machine")
    number = call.path["user"]
    async with connected(people.pool) as database, database.transaction():
        stays = await database.fetchval(sql.STAYS, number)
        user = user_of(await known_user(database, number))
        if not stays:
            detail = f"the user {user.name!r} is disabled; enable it first"
            raise ProblemError(409, detail, type="/problems/user-disabled")
        secret, expires = await make_link(database, user.id)
        await record(database, call, user.name, None, {"link_until": expires.isoformat()})
    base = public_url() or f"{call.request.url.scheme}://{call.request.url.netloc}"
    return LoginLink(user, secret, link_url(base, secret), round(expires.timestamp() * 1000))


async def known_user(database: Connection, number: int) -> Mapping[str, Any]:
    """The row of that user. Raises ProblemError 404."""
    row: Mapping[str, Any] | None = await database.fetchrow(sql.USER, number)
    if row is None:
        detail = f"user {number} does not exist; GET /api/v1/users lists those that do"
        raise ProblemError(404, detail, type="/problems/unknown-user")
    return row


async def demand_admin(database: Connection) -> None:
    """Raises ProblemError 409, which undoes the change, when nobody could manage people any more."""
    if not await database.fetchval(sql.ADMINS):
        raise ProblemError(
            409, "somebody must be left who is an administrator and not disabled", type="/problems/last-administrator"
        )


async def settled(people: People, user_id: int, changed: bool) -> None:
    """What a user may has changed: whatever is held of them in memory is read again, and streams end."""
    if changed:
        people.known.end_of_user(user_id)
        people.end_by_proxy([user_id], {})
        await people.announce()
