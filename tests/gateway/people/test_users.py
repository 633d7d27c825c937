"""Users and their tokens, over REST."""

from __future__ import annotations

import httpx
import pytest

from schemas.people import Role
from tests.gateway.asking import asking
from tests.people import add_session, add_token, add_user, bearing, in_browser

NEW = "a longer password"


async def add(client: httpx.AsyncClient, name: str = "bob", role: str = "viewer") -> int:
    answer = await client.post("/users", json={"name": name, "role": role})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def test_a_user_is_added_and_gets_in_by_a_link(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        link = (await client.post(f"/users/{await add(client)}/link")).json()
        assert link["url"] == f"http://127.0.0.1/login#link={link['secret']}"
        client.cookies.clear()
        answer = await client.post("/session/link", json={"secret": link["secret"], "password": NEW})
    assert (answer.json()["name"], answer.json()["role"]) == ("bob", "viewer")


async def test_a_name_is_given_once(database_url: str) -> None:
    async with asking(database_url) as client:
        await add(client)
        answer = await client.post("/users", json={"name": "bob"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/name-taken")


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"disabled": True}, None])
async def test_somebody_is_left_who_manages_people(change: dict[str, object] | None, database_url: str) -> None:
    async with asking(database_url) as client:
        (user,) = (await client.get("/users")).json()["users"]
        path = f"/users/{user['id']}"
        answer = await (client.delete(path) if change is None else client.patch(path, json=change))
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/last-administrator")
        assert (await client.get(path)).json()["role"] == "admin"


async def test_a_disabled_user_gets_no_link(database_url: str) -> None:
    user = await add_user(database_url, "bob", "viewer", disabled=True)
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        assert (await client.post(f"/users/{user}/link")).status_code == 409


@pytest.mark.parametrize("number", ["0", "-1", "2147483648", "99999999999999999999", "x", "7"])
async def test_a_user_that_does_not_exist_is_404(number: str, database_url: str) -> None:
    async with asking(database_url) as client:
        assert (await client.get(f"/users/{number}")).status_code == 404


async def test_a_token_may_no_more_than_its_user_by_now(database_url: str) -> None:
    await add_user(database_url, "keeper")
    user = await add_user(database_url, "ada", "admin")
    token = await add_token(database_url, "admin", "ada")
    async with asking(database_url) as client:
        assert (await client.patch(f"/users/{user}", json={"role": "viewer"})).status_code == 200
        bearing(client, token)
        assert (await client.get("/users")).status_code == 403
        assert (await client.get("/hosts")).status_code == 200


async def test_a_token_of_a_disabled_user_is_worth_nothing(database_url: str) -> None:
    user = await add_user(database_url, "bob", "viewer")
    token = await add_token(database_url, "viewer", "bob")
    async with asking(database_url) as client:
        own = client.headers["Authorization"].removeprefix("Bearer ")
        assert (await bearing(client, token).get("/hosts")).status_code == 200
        await bearing(client, own).patch(f"/users/{user}", json={"disabled": True})
        assert (await bearing(client, token).get("/hosts")).status_code == 401


async def test_everybody_sees_their_own_tokens_and_an_administrator_all(database_url: str) -> None:
    viewer = await add_token(database_url, "viewer", "bob")
    async with asking(database_url) as client:
        whole = (await client.get("/tokens", params={"all": "true"})).json()["tokens"]
        own = (await bearing(client, viewer).get("/tokens")).json()["tokens"]
        refused = await client.get("/tokens", params={"all": "true"})
    assert ({token["user"] for token in whole}, {token["user"] for token in own}) == ({"admin", "bob"}, {"bob"})
    assert refused.status_code == 403


async def test_a_token_of_somebody_else_is_not_there_to_revoke(database_url: str) -> None:
    viewer = await add_token(database_url, "viewer", "bob")
    async with asking(database_url) as client:
        (theirs,) = (await client.get("/tokens")).json()["tokens"]
        assert (await bearing(client, viewer).delete(f"/tokens/{theirs['id']}")).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_a_token_below_an_administrators_ends_nothing_of_its_own_user(role: Role, database_url: str) -> None:
    await add_session(database_url)
    weak = await add_token(database_url, role, "ada")
    async with asking(database_url, token=weak) as client:
        (session,) = (await client.get("/sessions")).json()["sessions"]
        (token,) = (await client.get("/tokens")).json()["tokens"]
        for path in (f"/sessions/{session['id']}", f"/tokens/{token['id']}"):
            answer = await client.delete(path)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/needs-login")


async def test_no_token_makes_a_link_by_which_somebody_logs_in(database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.post(f"/users/{await add(client)}/link")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/needs-login")
    assert "sonde user link" in answer.json()["detail"]
