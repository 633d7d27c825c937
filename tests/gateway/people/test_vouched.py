"""Users for whom somebody else vouches, each time they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from infra.storage.database import Connection, connection
from schemas.people import RESERVED_NAMES, Role
from services.gateway.people.groups import names_for
from services.gateway.people.vouched import LastAdministrator, ensure_user
from tests.gateway.asking import asking
from tests.gateway.rows import execute
from tests.people import PASSWORD, add_session, add_user, in_browser

OF_PROVIDER = "UPDATE users SET source = 'oidc', subject = 'subject', password = NULL WHERE name = 'ada'"


async def come(database: Connection, role: Role, last: LastAdministrator | None = None) -> Mapping[str, Any]:
    async with database.transaction():
        last = last or LastAdministrator()
        return await ensure_user(database, last, "oidc", "subject", ["ada"], role, "127.0.0.1", "tests")


async def test_whoever_is_as_they_should_be_waits_for_nobody_who_changes_users(database_url: str) -> None:
    await add_user(database_url, "keeper")
    async with connection(database_url, "tests") as other, connection(database_url, "tests") as database:
        made = await come(database, "viewer")
        await database.execute("SET lock_timeout = '100ms'")
        async with other.transaction():
            await other.execute("UPDATE users SET last_login = now() WHERE name = 'keeper'")
            assert (await come(database, "viewer"))["id"] == made["id"]


async def test_the_last_administrator_stays_one_whatever_the_groups_say(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with connection(database_url, "tests") as database:
        await come(database, "admin")
        assert (await come(database, "viewer"))["role"] == "admin"
    await add_user(database_url, "keeper")
    async with connection(database_url, "tests") as database:
        assert (await come(database, "viewer"))["role"] == "viewer"
    assert [record.message for record in caplog.records] == ["last administrator keeps the role"]


async def test_that_the_last_administrator_stays_one_is_logged_once_until_the_groups_change(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    last = LastAdministrator()
    async with connection(database_url, "tests") as database:
        roles: list[Role] = ["admin", "viewer", "viewer", "operator", "operator", "admin", "operator", "operator"]
        for role in roles:
            assert (await come(database, role, last))["role"] == "admin"
    assert [vars(record)["role"] for record in caplog.records] == ["viewer", "operator", "operator"]


async def test_without_a_password_nobody_sets_one_without_a_link(database_url: str) -> None:
    session = await add_session(database_url)
    await execute(database_url, OF_PROVIDER)
    async with asking(database_url, token="") as client:
        in_browser(client, session)
        answer = await client.put("/session/password", json={"old": "", "new": PASSWORD})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-password")
    assert "link" in answer.json()["detail"]
    async with connection(database_url, "tests") as database:
        assert await database.fetchval("SELECT password FROM users WHERE name = 'ada'") is None


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
async def test_no_user_is_called_as_those_who_are_none(name: str, database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.post("/users", json={"name": name})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")
    assert not set(RESERVED_NAMES) & set(names_for([name.title()], "subject"))
