"""Logging in, being known, and logging out."""

from __future__ import annotations

import httpx
import pytest

from infra.storage.database import connection
from tests.gateway.asking import asking
from tests.people import PASSWORD, add_link, add_session, add_token, add_user, bearing, in_browser

LOGIN = {"name": "ada", "password": PASSWORD}
NEW = "a longer password"


async def logged_in(client: httpx.AsyncClient) -> str:
    """Name of who is logged in with what the client has by now."""
    return str((await client.get("/session")).json()["name"])


async def test_a_login_opens_a_session_by_a_cookie_that_no_script_reads(database_url: str) -> None:
    await add_user(database_url)
    async with asking(database_url, token="") as client:
        answer = await client.post("/session", json=LOGIN)
        assert (answer.status_code, answer.json()["role"]) == (200, "admin")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("sonde_session=")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        me = (await client.get("/session")).json()
    assert (me["name"], me["by"], me["has_password"], me["second_factor"]) == ("ada", "session", True, False)


async def test_behind_tls_the_cookie_is_for_this_host_over_tls_alone(database_url: str) -> None:
    await add_user(database_url)
    async with asking(database_url, token="", tls="own") as client:
        cookie = (await client.post("/session", json=LOGIN)).headers["set-cookie"]
    assert cookie.startswith("__Host-sonde_session=")
    assert "Secure" in cookie.split("; ")


async def test_a_name_counts_however_it_is_typed(database_url: str) -> None:
    await add_user(database_url)
    async with asking(database_url, token="") as client:
        assert (await client.post("/session", json={**LOGIN, "name": " Ada"})).status_code == 200


@pytest.mark.parametrize("wrong", [{"name": "bob"}, {"password": "wrong"}, {"password": "\x00"}, {"name": ""}])
async def test_a_wrong_login_says_nothing_of_what_is_wrong(wrong: dict[str, str], database_url: str) -> None:
    await add_user(database_url)
    async with asking(database_url, token="") as client:
        body = '{"name": "ada", "password": "nothing"}'
        told = await client.post("/session", content=body, headers={"Content-Type": "application/json"})
        answer = await client.post("/session", json={**LOGIN, **wrong})
    assert (answer.status_code, answer.json()) == (401, told.json())


async def test_a_name_with_control_characters_is_refused(database_url: str) -> None:
    await add_user(database_url)
    async with asking(database_url, token="") as client:
        for name in ("ada\x00", "\x00ada", "a\nda", "ada\x7f"):
            answer = await client.post("/session", json={**LOGIN, "name": name})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")


async def test_a_name_may_be_guessed_at_as_often_however_it_is_typed(database_url: str) -> None:
    await add_user(database_url)
    async with asking(database_url, token="") as client:
        typed = ["ada", "ADA", " ada", "ada ", "Ada\u2003"] * 2
        statuses = [(await client.post("/session", json={"name": name, "password": "x"})).status_code for name in typed]
        assert statuses == [401] * len(typed)
        assert (await client.post("/session", json={"name": "aDa", "password": "x"})).status_code == 429
        told = (await bearing(client, await add_token(database_url)).get("http://127.0.0.1/metrics")).text
    assert "\nsonde_logins_throttled_total 1.0\n" in told


async def test_a_disabled_user_does_not_get_in(database_url: str) -> None:
    await add_user(database_url, disabled=True)
    async with asking(database_url, token="") as client:
        assert (await client.post("/session", json=LOGIN)).status_code == 401


async def test_a_user_without_a_password_does_not_get_in(database_url: str) -> None:
    await add_user(database_url, password=False)
    async with asking(database_url, token="") as client:
        assert (await client.post("/session", json=LOGIN)).status_code == 401


async def test_a_login_replaces_the_session_that_the_browser_had(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        before = await add_session(database_url)
        in_browser(client, before)
        assert await logged_in(client) == "ada"
        after = (await client.post("/session", json=LOGIN)).cookies["sonde_session"]
        assert after != before
        client.cookies.clear()
        in_browser(client, before)
        assert await logged_in(client) == ""


async def test_logging_out_ends_the_session(database_url: str) -> None:
    secret = await add_session(database_url)
    async with asking(database_url, token="") as client:
        in_browser(client, secret)
        assert await logged_in(client) == "ada"
        answer = await client.delete("/session")
        assert answer.status_code == 204
        assert "Max-Age=0" in answer.headers["set-cookie"]
        in_browser(client, secret)
        assert await logged_in(client) == ""


async def test_logging_out_twice_is_no_error(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        assert (await client.delete("/session")).status_code == 204


async def test_logging_out_while_the_database_is_away_removes_the_cookie_all_the_same() -> None:
    async with asking("postgresql://127.0.0.1:1/nowhere", token="") as client:
        in_browser(client, "s" * 43)
        answer = await client.delete("/session")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_a_link_sets_the_password_and_logs_in(database_url: str) -> None:
    secret = await add_link(database_url)
    async with asking(database_url, token="") as client:
        answer = await client.post("/session/link", json={"secret": secret, "password": NEW})
        assert (answer.status_code, answer.json()["name"]) == (200, "ada")
        assert await logged_in(client) == "ada"
        client.cookies.clear()
        assert (await client.post("/session", json={"name": "ada", "password": NEW})).status_code == 200


async def test_a_link_is_good_once(database_url: str) -> None:
    secret = await add_link(database_url)
    async with asking(database_url, token="") as client:
        body = {"secret": secret, "password": NEW}
        statuses = [(await client.post("/session/link", json=body)).status_code]
        client.cookies.clear()
        statuses.append((await client.post("/session/link", json=body)).status_code)
    assert statuses == [200, 401]


async def test_a_link_outlives_a_password_that_is_too_short(database_url: str) -> None:
    secret = await add_link(database_url)
    async with asking(database_url, token="") as client:
        assert (await client.post("/session/link", json={"secret": secret, "password": "short"})).status_code == 400
        assert (await client.post("/session/link", json={"secret": secret, "password": NEW})).status_code == 200


async def test_a_new_link_ends_the_one_before(database_url: str) -> None:
    old, _ = await add_link(database_url), await add_link(database_url)
    async with asking(database_url, token="") as client:
        assert (await client.post("/session/link", json={"secret": old, "password": NEW})).status_code == 401


async def test_an_expired_link_is_good_no_more(database_url: str) -> None:
    secret = await add_link(database_url, life_s=-1)
    async with asking(database_url, token="") as client:
        assert (await client.post("/session/link", json={"secret": secret, "password": NEW})).status_code == 401


async def test_a_link_ends_all_sessions_of_before(database_url: str) -> None:
    session = await add_session(database_url)
    link = await add_link(database_url)
    async with asking(database_url, token="") as client:
        in_browser(client, session)
        assert await logged_in(client) == "ada"
        async with asking(database_url, token="") as other:
            await other.post("/session/link", json={"secret": link, "password": NEW})
        async with connection(database_url, "tests") as database:
            assert await database.fetchval("SELECT count(*) FROM sessions") == 1


async def test_a_new_password_ends_all_other_sessions(database_url: str) -> None:
    this, other = await add_session(database_url), await add_session(database_url)
    async with asking(database_url, token="") as client:
        in_browser(client, other)
        assert await logged_in(client) == "ada"
        client.cookies.clear()
        in_browser(client, this)
        answer = await client.put("/session/password", json={"old": PASSWORD, "new": NEW})
        assert answer.status_code == 204
        assert await logged_in(client) == "ada"
        client.cookies.clear()
        in_browser(client, other)
        assert await logged_in(client) == ""


async def test_a_password_is_changed_by_who_knows_it(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        answer = await client.put("/session/password", json={"old": "wrong", "new": NEW})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "old")
    assert answer.json()["errors"][0]["value"] is None
