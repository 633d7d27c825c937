"""Saved views and preferences: everybody's own, in every browser."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from infra.storage.database import connection
from schemas.views import MOST_VIEWS
from services.gateway.people import api_views
from tests.gateway.asking import asking
from tests.gateway.rows import execute
from tests.people import add_session, add_token, add_user, bearing, in_browser


async def save(client: httpx.AsyncClient, name: str, path: str = "/?q=web") -> int:
    answer = await client.post("/views", json={"name": name, "path": path})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def names(client: httpx.AsyncClient) -> list[str]:
    return [view["name"] for view in (await client.get("/views")).json()["views"]]


async def test_views_are_listed_in_the_order_that_their_owner_gave_them(database_url: str) -> None:
    async with asking(database_url) as client:
        a, b, c = [await save(client, name) for name in "abc"]
        assert await names(client) == ["a", "b", "c"]
        answer = await client.put("/views", json={"views": [c, a, b]})
        assert [view["name"] for view in answer.json()["views"]] == await names(client) == ["c", "a", "b"]
        await save(client, "d")
        assert await names(client) == ["c", "a", "b", "d"]


async def test_a_view_has_the_path_that_it_was_saved_with(database_url: str) -> None:
    path = "/hosts/web-1?from=-6h&to=now&q=tag:a,%20b"
    async with asking(database_url) as client:
        number = await save(client, "Mine", path)
        assert (await client.get("/views")).json()["views"] == [
            {"id": number, "name": "Mine", "path": path, "version": 1}
        ]


async def test_a_view_is_changed_by_whoever_has_read_it_last(database_url: str) -> None:
    async with asking(database_url) as client:
        path = f"/views/{await save(client, 'a')}"
        changed = await client.put(path, json={"name": "b", "path": "/alerts"}, headers={"If-Match": '"1"'})
        assert (changed.headers["ETag"], changed.json()["path"]) == ('"2"', "/alerts")
        late = await client.put(path, json={"name": "c", "path": "/"}, headers={"If-Match": '"1"'})
        assert (late.status_code, await names(client)) == (412, ["b"])


async def test_a_deleted_view_is_gone(database_url: str) -> None:
    async with asking(database_url) as client:
        number = await save(client, "a")
        assert (await client.delete(f"/views/{number}")).status_code == 204
        assert await names(client) == []
        assert (await client.delete(f"/views/{number}")).json()["type"] == "/problems/unknown-view"


async def test_a_name_is_given_once_by_each(database_url: str) -> None:
    other = await add_token(database_url, "viewer", "bob")
    async with asking(database_url) as client:
        first = await save(client, "a")
        second = await save(client, "b")
        same = {"name": "a", "path": "/"}
        assert (await client.post("/views", json=same)).json()["type"] == "/problems/exists"
        assert (await client.put(f"/views/{second}", json=same)).status_code == 409
        assert (await client.put(f"/views/{first}", json=same)).status_code == 200
        await save(bearing(client, other), "a")


async def test_nobody_sees_or_changes_views_of_others(database_url: str) -> None:
    admin = await add_token(database_url, "admin", "cleo")
    async with asking(database_url, token=await add_token(database_url, "viewer", "bob")) as client:
        number = await save(client, "a")
        bearing(client, admin)
        assert await names(client) == []
        body = {"name": "b", "path": "/"}
        assert (await client.put(f"/views/{number}", json=body)).status_code == 404
        assert (await client.delete(f"/views/{number}")).status_code == 404
        assert (await client.put("/views", json={"views": [number]})).status_code == 400


async def test_a_token_acts_as_its_user(database_url: str) -> None:
    token = await add_token(database_url, "viewer", "ada")
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        await save(client, "a")
        client.cookies.clear()
        assert await names(bearing(client, token)) == ["a"]


async def test_there_are_at_most_so_many_views_of_one_user(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_VIEWS == 100
    monkeypatch.setattr(api_views, "MOST_VIEWS", 2)
    async with asking(database_url) as client:
        await save(client, "a")
        await save(client, "b")
        answer = await client.post("/views", json={"name": "c", "path": "/"})
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/too-many")


async def test_an_order_names_every_view_once(database_url: str) -> None:
    async with asking(database_url) as client:
        a, b = [await save(client, name) for name in "ab"]
        for wrong in ([a], [a, b, b], [a, b, b + 1], []):
            assert (await client.put("/views", json={"views": wrong})).status_code == 400
        assert await names(client) == ["a", "b"]


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "", "javascript:alert(1)", "/a b", "/\n"]
)
async def test_a_view_leads_nowhere_else(path: str, database_url: str) -> None:
    async with asking(database_url) as client:
        assert (await client.post("/views", json={"name": "a", "path": path})).status_code == 400
        assert (await client.put("/preferences", json={"start": path})).status_code == 400


async def test_views_and_preferences_go_with_their_user(database_url: str) -> None:
    bob = await add_user(database_url, "bob", "viewer")
    async with asking(database_url) as client:
        own = client.headers["Authorization"].removeprefix("Bearer ")
        await save(bearing(client, await add_token(database_url, "viewer", "bob")), "a")
        await client.put("/preferences", json={"units": "decimal"})
        assert (await bearing(client, own).delete(f"/users/{bob}")).status_code == 204


WANTED: dict[str, Any] = {
    "start": "/hosts/web-1?range=6h",
    "zone": "Europe/Berlin",
    "units": "decimal",
    "theme": "dark",
    "contrast": "more",
    "density": "compact",
}


async def test_preferences_are_the_defaults_until_somebody_has_others(database_url: str) -> None:
    async with asking(database_url) as client:
        first = await client.get("/preferences")
        assert (first.headers["ETag"], first.json()["start"], first.json()["zone"]) == ('"0"', "/", "local")
        assert first.json()["version"] == 0
        changed = await client.put("/preferences", json=WANTED, headers={"If-Match": '"0"'})
        assert (changed.status_code, changed.json()) == (200, WANTED | {"version": 1})
        assert (await client.get("/preferences")).json() == WANTED | {"version": 1}
        late = await client.put("/preferences", json={}, headers={"If-Match": '"0"'})
        assert late.status_code == 412


async def test_of_preferences_that_come_at_once_each_is_noted_as_put_in_place_of_another(database_url: str) -> None:
    async with asking(database_url) as client:
        starts = [f"/hosts/web-{number}" for number in range(12)]
        answers = await asyncio.gather(*(client.put("/preferences", json={"start": start}) for start in starts))
    assert {answer.status_code for answer in answers} == {200}
    async with connection(database_url, "test") as database:
        rows = await database.fetch("SELECT before ->> 'start' AS before, after ->> 'start' AS after FROM audit")
    assert len({row["before"] for row in rows}) == len({row["after"] for row in rows}) == 12


@pytest.mark.parametrize("wrong", [{"zone": "../etc"}, {"zone": "berlin"}, {"units": "octal"}, {"colour": "red"}])
async def test_preferences_that_make_no_sense_are_refused(wrong: dict[str, Any], database_url: str) -> None:
    async with asking(database_url) as client:
        assert (await client.put("/preferences", json=wrong)).status_code == 400


async def test_a_preference_that_this_version_cannot_read_is_the_default_and_the_others_stay(database_url: str) -> None:
    later = {**WANTED, "theme": "sepia", "of": "a later version"}
    async with asking(database_url) as client:
        await client.put("/preferences", json=WANTED)
        await execute(database_url, "UPDATE preferences SET body = $1", json.dumps(later))
        answer = await client.get("/preferences")
        assert answer.json() == WANTED | {"theme": "system", "version": 1}
        assert answer.headers["ETag"] == '"1"'


async def test_whoever_is_nobody_reads_defaults_and_keeps_nothing(database_url: str) -> None:
    async with asking(database_url, token="", anonymous_viewer=True) as client:
        assert await names(client) == []
        assert (await client.get("/preferences")).json()["start"] == "/"
        client.headers["Sec-Fetch-Site"] = "same-origin"
        answer = await client.post("/views", json={"name": "a", "path": "/"})
        assert answer.status_code in (401, 403)
