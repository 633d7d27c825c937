"""`sonde user` and `sonde token`: people and API tokens, straight in the database, for whoever has its address.

What they change is in the audit log as made by a command.
"""

from __future__ import annotations

import contextlib
import getpass
import os
from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from typing import Any

import msgspec

from infra.certificates.listening import local_gateway
from infra.cli import reach
from infra.cli.process import CommandError
from infra.cli.tables import table
from infra.clock import to_time
from infra.settings import ServerSettings
from infra.storage.database import Connection
from schemas.people import Role, Scope, User, UserName
from schemas.validation import allowed
from services.gateway.http.audit import note
from services.gateway.people import sql, sql_sessions
from services.gateway.people.api_tokens import make_api_token
from services.gateway.people.links import FIRST_S, RESET_S, link_url, make_link
from services.gateway.people.sessions import end_sessions
from services.gateway.people.shown import token_of, user_of

FIRST = "admin"
LENT_S = 120


async def nobody_came(settings: ServerSettings) -> bool:
    """Whether nobody has ever logged in; there is a user `admin` by then. Raises CommandError."""
    async with _changing(settings) as database:
        return await _first(database) is not None


async def first_link(settings: ServerSettings) -> str:
    """The address by which the first administrator logs in; empty once anybody ever has. Raises CommandError."""
    async with _changing(settings) as database:
        user = await _first(database)
        return "" if user is None else await _link(database, settings, user, FIRST_S)


async def _first(database: Connection) -> User | None:
    """The administrator who is to log in first, made where there is nobody; None once anybody ever has."""
    users = [user_of(row) for row in await database.fetch(sql.USERS)]
    if any(user.last_login is not None for user in users):
        return None
    if not users:
        return await _add(database, FIRST, "admin")
    admins = [user for user in users if user.role == "admin" and user.source == "local" and not user.disabled]
    return admins[0] if admins else None


async def list_users(settings: ServerSettings) -> int:
    async with reach.database(settings.database_url, "people") as database:
        users = [user_of(row) for row in await database.fetch(sql.USERS)]
    headings = ["NAME", "ROLE", "STATE", "2ND FACTOR", "FROM", "LAST LOGIN"]
    rows = [
        [
            user.name,
            user.role,
            "disabled" if user.disabled else "active",
            "yes" if user.second_factor else "no",
            user.source,
            _when(user.last_login),
        ]
        for user in users
    ]
    print(table(headings, rows))
    return 0


async def add_user(settings: ServerSettings, name: str, role: Role) -> int:
    """Add a user, and print the link by which they set a password."""
    try:
        msgspec.convert(name, UserName)
    except msgspec.ValidationError:
        raise CommandError(f"user add: {name!r} is no user name; give {allowed(UserName)}") from None
    async with _changing(settings) as database:
        if await database.fetchrow(sql.USER_NAMED, name) is not None:
            raise CommandError(f"user add: there is a user {name!r}; `sonde user role {name} {role}` changes the role")
        _print_link(await _link(database, settings, await _add(database, name, role), RESET_S))
    return 0


async def link(settings: ServerSettings, name: str) -> int:
    """Print a one-time link; until it is used everything stays as it is."""
    async with _changing(settings) as database:
        _print_link(await _link(database, settings, await _user(database, name), RESET_S))
    return 0


async def reset(settings: ServerSettings, name: str) -> int:
    """End all sessions of a user, take password and second factor away, and print a one-time link."""
    async with _changing(settings) as database:
        user = await _user(database, name)
        await database.execute(sql.SET_PASSWORD, user.id, None)
        await database.execute(sql.REMOVE_FACTOR, user.id)
        await database.execute(sql.DROP_CODES, user.id)
        ended = await end_sessions(database, user.id)
        before = {"second_factor": user.second_factor}
        after = {"password": "none", "second_factor": False, "sessions_ended": len(ended)}
        await _note(database, "sonde user reset", name, before, after)
        _print_link(await _link(database, settings, user, RESET_S))
    return 0


async def change(settings: ServerSettings, name: str, role: Role | None = None, disabled: bool | None = None) -> int:
    """Change what a user may; disabling ends all sessions. Running gateways hear of it within a second."""
    async with _changing(settings) as database:
        before = await _user(database, name)
        await database.execute(sql.CHANGE_USER, before.id, role, disabled)
        if not await database.fetchval(sql.ADMINS):
            raise CommandError(f"user: {name} is the last administrator who is not disabled; make another one first")
        if disabled:
            await end_sessions(database, before.id)
        after = await _user(database, name)
        await _note(database, "sonde user", name, before, after)
    print(f"{name}: {after.role}, {'disabled' if after.disabled else 'active'}")
    return 0


async def add_token(
    settings: ServerSettings, about: str, name: str, role: Role, days: int, scopes: Sequence[str]
) -> int:
    """Print a new API token of the user `name`, and nothing else. Raises CommandError."""
    try:
        known = msgspec.convert(scopes, list[Scope])
    except msgspec.ValidationError:
        raise CommandError(f"token add: --scope must be {allowed(Scope)}") from None
    async with _changing(settings) as database:
        user = await _user(database, name)
        token, secret = await make_api_token(database, user.id, about, role, days * 86_400, known)
        await _note(database, "sonde token add", f"{name}: {about}", None, token)
    print(secret)
    return 0


async def list_tokens(settings: ServerSettings) -> int:
    async with reach.database(settings.database_url, "people") as database:
        tokens = [token_of(row) for row in await database.fetch(sql_sessions.TOKENS, None)]
    headings = [" ID", "USER", "ROLE", "SCOPES", "ENDS", "LAST USED", "NOTE"]
    rows = [
        [
            str(token.id),
            token.user,
            token.role,
            ",".join(token.scopes) or "all",
            _when(token.expires),
            _when(token.last_used),
            token.note,
        ]
        for token in tokens
    ]
    print(table(headings, rows))
    return 0


async def revoke_token(settings: ServerSettings, number: int) -> int:
    async with _changing(settings) as database:
        row = await database.fetchrow(sql_sessions.TOKEN_OF, number) if number < 2**31 else None
        if row is None:
            raise CommandError(f"token revoke: there is no token {number}; `sonde token list` shows those that exist")
        await database.execute(sql_sessions.REVOKE_TOKEN, number)
        await _note(database, "sonde token revoke", f"{row['name']}: {row['note']}", token_of(row), None)
    print(f"token {number} revoked")
    return 0


@contextlib.asynccontextmanager
async def lent(settings: ServerSettings, role: Role = "viewer") -> AsyncIterator[dict[str, str]]:
    """The header with which a command asks the gateway, good until the end of the block. Raises Unreachable."""
    async with reach.database(settings.database_url, "people") as database:
        token, secret = await make_api_token(database, None, _operator(), role, LENT_S)
    try:
        yield {"Authorization": f"Bearer {secret}"}
    finally:
        with contextlib.suppress(reach.Unreachable):
            async with reach.database(settings.database_url, "people") as database:
                await database.execute(sql_sessions.REVOKE_TOKEN, token.id)


@contextlib.asynccontextmanager
async def _changing(settings: ServerSettings) -> AsyncIterator[Connection]:
    async with reach.database(settings.database_url, "people") as database, database.transaction():
        await database.execute(sql.LOCK)
        yield database


async def _user(database: Connection, name: str) -> User:
    row = await database.fetchrow(sql.USER_NAMED, name)
    if row is None:
        raise CommandError(f"user: there is no user {name!r}; `sonde user list` shows those that exist")
    return user_of(row)


async def _add(database: Connection, name: str, role: Role) -> User:
    await database.execute(sql.ADD_USER, name, role, "local", None)
    user = await _user(database, name)
    await _note(database, "sonde user add", name, None, user)
    return user


async def _link(database: Connection, settings: ServerSettings, user: User, life_s: int) -> str:
    if user.disabled:
        raise CommandError(f"user: {user.name} is disabled; `sonde user enable {user.name}` first")
    secret, expires = await make_link(database, user.id, life_s)
    await _note(database, "sonde user link", user.name, None, {"link_until": expires.isoformat()})
    return link_url(settings.public_url or local_gateway(settings), secret)


async def _note(database: Connection, action: str, target: str, before: Any, after: Any) -> None:
    await note(database, _operator(), "command", "", action, target, before, after)


def _operator() -> str:
    """Who runs the command, as the machine knows them; no user of Sonde is called so."""
    try:
        return f"os user {getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in a container
        return f"os user {os.getuid()}"


def _print_link(url: str) -> None:
    print(f"{url}\nGood once, for {RESET_S // 60} minutes.")


def _when(time_ms: int | None) -> str:
    return "never" if time_ms is None else to_time(time_ms).astimezone(UTC).strftime("%Y-%m-%d %H:%M")
