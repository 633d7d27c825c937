"""What somebody else changes while a request about people is on its way: the request sees it, and nothing deadlocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pyotp
import pytest

from infra.storage.database import Connection, connection
from services.gateway.people import sql
from services.gateway.people.passwords import HASHER
from tests.gateway.asking import asking
from tests.gateway.rows import execute
from tests.people import HASH, PASSWORD, add_link, add_session, add_user, in_browser
from tests.waiting import eventually

LOGIN = {"name": "ada", "password": PASSWORD}
NEW = "a longer password"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105
CHANGES = [
    "UPDATE users SET password = 'another' WHERE name = 'ada'",
    "UPDATE users SET password = NULL WHERE name = 'ada'",
    "UPDATE users SET disabled = true WHERE name = 'ada'",
    "DELETE FROM users WHERE name = 'ada'",
]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@asynccontextmanager
async def changing(database_url: str) -> AsyncIterator[Connection]:
    """A transaction of somebody else, committed at the end of the block."""
    async with connection(database_url, "tests") as database, database.transaction():
        yield database


async def sent(database_url: str, request: Coroutine[Any, Any, httpx.Response]) -> asyncio.Task[httpx.Response]:
    """`request`, on its way until it waits for a lock."""
    task = asyncio.create_task(request)
    async with connection(database_url, "tests watching") as watching:

        async def waits() -> bool:
            assert not task.done(), (await task).text
            return bool(await watching.fetchval(WAITING))

        await eventually(waits)
    return task


async def sessions(database_url: str) -> int:
    async with connection(database_url, "tests") as database:
        return int(await database.fetchval("SELECT count(*) FROM sessions"))


@pytest.mark.parametrize("change", CHANGES)
async def test_a_login_on_its_way_opens_nothing_once_it_is_wrong(change: str, database_url: str) -> None:
    await add_user(database_url)
    async with asking(database_url, token="") as client:
        async with changing(database_url) as database:
            await database.execute(change)
            answer = await sent(database_url, client.post("/session", json=LOGIN))
        assert (await answer).status_code == 401
    assert await sessions(database_url) == 0


async def test_a_password_that_another_login_made_anew_meanwhile_still_lets_in(database_url: str) -> None:
    await add_user(database_url)
    async with asking(database_url, token="") as client:
        async with changing(database_url) as database:
            await database.execute("UPDATE users SET password = $1", HASHER.hash(PASSWORD))
            answer = await sent(database_url, client.post("/session", json=LOGIN))
        assert (await answer).status_code == 200


async def test_a_second_factor_that_is_confirmed_meanwhile_is_asked_for(database_url: str) -> None:
    await add_user(database_url)
    async with asking(database_url, token="") as client:
        async with changing(database_url) as database:
            await database.execute("UPDATE users SET totp_secret = $1, totp_step = 0", SECRET)
            answer = await sent(database_url, client.post("/session", json=LOGIN))
        refused = await answer
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/second-factor")
    assert await sessions(database_url) == 0


async def test_a_code_is_not_asked_for_again_where_only_the_password_was_made_anew(database_url: str) -> None:
    await add_user(database_url)
    await execute(database_url, "UPDATE users SET totp_secret = $1, totp_step = 0", SECRET)
    async with asking(database_url, token="") as client:
        async with changing(database_url) as database:
            await database.execute("UPDATE users SET password = $1", HASHER.hash(PASSWORD))
            code = pyotp.TOTP(SECRET).now()
            answer = await sent(database_url, client.post("/session", json={**LOGIN, "code": code}))
        assert (await answer).status_code == 200


async def test_a_login_that_replaces_a_session_and_disabling_its_user_do_not_deadlock(database_url: str) -> None:
    session = await add_session(database_url)
    async with asking(database_url, token="") as client:
        in_browser(client, session)
        async with changing(database_url) as database:
            await database.execute(sql.LOCK)
            await database.execute(CHANGES[2])
            answer = await sent(database_url, client.post("/session", json=LOGIN))
            await database.execute("DELETE FROM sessions")
        assert (await answer).status_code == 401


async def test_a_link_and_deleting_its_user_do_not_deadlock(database_url: str) -> None:
    secret = await add_link(database_url)
    async with asking(database_url, token="") as client:
        async with changing(database_url) as database:
            await database.execute(sql.LOCK)
            answer = await sent(database_url, client.post("/session/link", json={"secret": secret, "password": NEW}))
            await database.execute(CHANGES[3])
        assert (await answer).status_code == 401


async def test_a_change_of_password_on_its_way_does_not_undo_a_reset(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        async with changing(database_url) as database:
            await database.execute(CHANGES[0])
            await database.execute("DELETE FROM sessions")
            answer = await sent(database_url, client.put("/session/password", json={"old": PASSWORD, "new": NEW}))
        refused = await answer
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/password-changed")
    async with connection(database_url, "tests") as database:
        assert await database.fetchval("SELECT password FROM users") == "another"


async def test_a_change_of_password_ends_with_the_session_it_came_by(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        assert (await client.get("/session")).json()["name"] == "ada"
        async with changing(database_url) as database:
            await database.execute("DELETE FROM sessions")
        answer = await client.put("/session/password", json={"old": PASSWORD, "new": NEW})
    assert answer.status_code in (401, 409)
    async with connection(database_url, "tests") as database:
        assert await database.fetchval("SELECT password FROM users") == HASH


async def test_a_token_of_somebody_who_is_deleted_meanwhile_is_not_made(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        async with changing(database_url) as database:
            await database.execute(CHANGES[3])
            answer = await sent(database_url, client.post("/tokens", json={"note": "grafana"}))
        refused = await answer
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-account")


async def test_a_link_for_somebody_who_is_deleted_meanwhile_is_not_made(database_url: str) -> None:
    bob = await add_user(database_url, "bob", "viewer")
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        async with changing(database_url) as database:
            await database.execute("DELETE FROM users WHERE name = 'bob'")
            answer = await sent(database_url, client.post(f"/users/{bob}/link"))
        assert (await answer).status_code == 404
