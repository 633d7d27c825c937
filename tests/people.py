"""Users, sessions and tokens made straight in the database, and clients that bear them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx

from infra.storage.database import Connection, connection
from schemas.people import Role, Scope
from services.gateway.people import sql, sql_sessions
from services.gateway.people.api_tokens import make_api_token
from services.gateway.people.credentials import hashed, make_secret
from services.gateway.people.links import RESET_S, make_link
from services.gateway.people.passwords import HASHER

PASSWORD = "correct horse battery"  # noqa: S105
HASH = HASHER.hash(PASSWORD)


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Connection]:
    async with connection(database_url, "tests") as database, database.transaction():
        yield database


async def add_user(
    database_url: str, name: str = "ada", role: Role = "admin", password: bool = True, disabled: bool = False
) -> int:
    """The number of a new user, or of the one of that name; with `password` theirs is PASSWORD."""
    async with opened(database_url) as database:
        await database.execute(sql.ADD_USER, name, role, "local", None)
        user = await database.fetchrow(sql.USER_NAMED, name)
        assert user is not None
        await database.execute(sql.CHANGE_USER, user["id"], role, disabled)
        if password:
            await database.execute(sql.SET_PASSWORD, user["id"], HASH)
        return int(user["id"])


async def add_session(database_url: str, name: str = "ada", role: Role = "admin", life_s: float = 3600) -> str:
    """The secret of a new session of that user, who is made if need be."""
    user, secret, now = await add_user(database_url, name, role), make_secret(), datetime.now(UTC)
    async with opened(database_url) as database:
        expires = now + timedelta(seconds=life_s)
        await database.fetchval(sql_sessions.OPEN, hashed(secret), user, now, expires, "127.0.0.1", "tests")
    return secret


async def add_token(
    database_url: str, role: Role = "admin", name: str = "", expires_s: int = 3600, scopes: Sequence[Scope] = ()
) -> str:
    """The secret of a new token of the user `name`, or of one called as the role."""
    user = await add_user(database_url, name or role, role, password=False)
    async with opened(database_url) as database:
        _, secret = await make_api_token(database, user, "of the tests", role, expires_s, scopes)
    return secret


async def add_link(database_url: str, name: str = "ada", life_s: int = RESET_S) -> str:
    """The secret of a one-time link of that user, who is made without a password if need be."""
    user = await add_user(database_url, name, password=False)
    async with opened(database_url) as database:
        return (await make_link(database, user, life_s))[0]


def bearing(client: httpx.AsyncClient, secret: str) -> httpx.AsyncClient:
    """`client`, with that API token from now on; without any when it is empty."""
    client.headers.pop("Authorization", None)
    if secret:
        client.headers["Authorization"] = f"Bearer {secret}"
    return client


def in_browser(client: httpx.AsyncClient, secret: str) -> httpx.AsyncClient:
    """`client` as a browser that is logged in by the session `secret`: without a token, its changes name the page."""
    bearing(client, "")
    client.cookies.set("sonde_session", secret)
    client.headers["Sec-Fetch-Site"] = "same-origin"
    return client
