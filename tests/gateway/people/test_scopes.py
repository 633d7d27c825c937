"""Tokens that are restricted to parts of the API."""

from __future__ import annotations

import asyncio
from typing import get_args

import httpx
import pytest

from infra.generate.declared import declared, declared_at_root
from schemas.people import Scope
from services.gateway.http.operations import Operation
from tests.gateway.asking import asking
from tests.gateway.people.test_attacks import path_of
from tests.gateway.running import gateway, ready
from tests.people import add_session, add_token, bearing, in_browser

SCOPES: tuple[Scope, ...] = get_args(Scope)
SCRAPED = ("/metrics", "/metrics/fleet")


def with_a_role() -> list[tuple[Operation, str]]:
    """Every operation that asks who calls, with a path of it. To be called off the event loop."""
    below = [(operation, f"/api/v1{path_of(operation)}") for operation in declared()]
    at_root = [(operation, path_of(operation)) for operation in declared_at_root()]
    return [(operation, path) for operation, path in (*below, *at_root) if operation.role is not None]


def others(scope: Scope) -> list[Scope]:
    return [other for other in SCOPES if other != scope]


def at_root(client: httpx.AsyncClient, path: str) -> str:
    return str(client.base_url.copy_with(path=path))


async def refused(client: httpx.AsyncClient, method: str, url: str) -> bool:
    """Whether that is out of the token's scope; of an answer that goes on for ever only the head is read."""
    async with client.stream(method, url, json=None if method == "GET" else {}) as answer:
        if answer.status_code != 403:
            return False
        await answer.aread()
        return bool(answer.json()["type"] == "/problems/scope")


async def test_every_operation_is_refused_to_a_token_of_all_scopes_but_its_own(database_url: str, bus_url: str) -> None:
    tokens = {scope: await add_token(database_url, scopes=others(scope)) for scope in SCOPES}
    operations = await asyncio.to_thread(with_a_role)
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        open_ = [
            one.name
            for one, path in operations
            if not await refused(bearing(client, tokens[one.tag]), one.method, at_root(client, path))
        ]
    assert open_ == []
    assert {one.tag for one, _ in operations} == set(SCOPES)


async def test_whatever_is_read_is_open_to_a_token_of_its_scope_alone(database_url: str, bus_url: str) -> None:
    tokens = {scope: await add_token(database_url, scopes=[scope]) for scope in SCOPES}
    operations = [
        (one, path) for one, path in await asyncio.to_thread(with_a_role) if one.method == "GET" and not one.reaches
    ]
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        closed = [
            one.name
            for one, path in operations
            if await refused(bearing(client, tokens[one.tag]), "GET", at_root(client, path))
        ]
    assert closed == []
    assert len(operations) > 20


@pytest.mark.parametrize("path", SCRAPED)
async def test_what_prometheus_scrapes_has_a_scope_of_its_own(path: str, database_url: str) -> None:
    async with asking(database_url, token=await add_token(database_url, "viewer", scopes=["metrics"])) as client:
        page = f"http://127.0.0.1{path}"
        assert (await client.get(page)).status_code == 200
        answer = await client.get("/hosts")
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/scope")
        assert "needs the scope hosts" in answer.json()["detail"]
        assert 'error="insufficient_scope", scope="hosts"' in answer.headers["www-authenticate"]
        other = await add_token(database_url, "viewer", scopes=others("metrics"))
        assert (await bearing(client, other).get(page)).status_code == 403


async def test_a_token_without_scopes_may_all_that_its_role_may(database_url: str) -> None:
    async with asking(database_url) as client:
        for path in ("/hosts", "/users", "/settings", "http://127.0.0.1/metrics"):
            assert (await client.get(path)).status_code == 200, path


async def test_a_token_is_made_with_its_scopes_and_shows_them(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        wanted = {"note": "charts", "scopes": ["history", "hosts", "history"]}
        made = (await client.post("/tokens", json=wanted)).json()
        (listed,) = (await client.get("/tokens")).json()["tokens"]
        client.cookies.clear()
        bearing(client, made["secret"])
        assert (await client.get("/hosts")).status_code == 200
        assert (await client.get("/alerts")).status_code == 403
    assert made["token"]["scopes"] == listed["scopes"] == ["history", "hosts"]


async def test_an_unknown_scope_is_refused_naming_the_known_ones(database_url: str) -> None:
    async with asking(database_url, token="") as client:
        in_browser(client, await add_session(database_url))
        answer = await client.post("/tokens", json={"note": "", "scopes": ["hosts", "everything"]})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["value"]) == (400, "scopes[1]", "everything")
    assert all(f'"{scope}"' in error["reason"] for scope in SCOPES)


async def test_a_restricted_token_may_ask_who_it_is(database_url: str) -> None:
    async with asking(database_url, token=await add_token(database_url, scopes=["metrics"])) as client:
        me = (await client.get("/session")).json()
    assert (me["name"], me["by"]) == ("admin", "token")


@pytest.mark.parametrize(
    ("change", "scope"),
    [
        ({"change": "command", "command": "ping"}, "agents"),
        ({"change": "archive"}, "identities"),
        ({"change": "remove"}, "identities"),
    ],
)
async def test_what_is_done_to_many_hosts_at_once_needs_the_scope_that_it_needs_for_one(
    change: dict[str, str], scope: Scope, database_url: str
) -> None:
    bulk = {**change, "hosts": ["web-1"], "dry_run": True}
    async with asking(database_url, token=await add_token(database_url, scopes=["hosts"])) as client:
        refused = await client.post("/hosts/bulk", json=bulk)
        bearing(client, await add_token(database_url, scopes=["hosts", scope]))
        answer = await client.post("/hosts/bulk", json=bulk)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/scope")
    assert f"needs the scope {scope}" in refused.json()["detail"]
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("method", "path", "further"),
    [
        ("GET", "/configuration", ["hosts", "agents", "alerting"]),
        ("PUT", "/configuration", ["hosts", "agents", "alerting"]),
        ("POST", "/hosts", ["identities"]),
        ("DELETE", "/hosts/web-1", ["identities"]),
        ("DELETE", "/hosts/web-1?history=keep", ["identities"]),
    ],
)
async def test_what_reaches_into_other_parts_needs_their_scopes_too(
    method: str, path: str, further: list[Scope], database_url: str
) -> None:
    own: Scope = "hosts" if path.startswith("/hosts") else "settings"
    async with asking(database_url, token=await add_token(database_url, scopes=[own, *further])) as client:
        assert (await client.request(method, path)).status_code != 403
        for lacking in further:
            rest = [own, *(scope for scope in further if scope != lacking)]
            answer = await bearing(client, await add_token(database_url, scopes=rest)).request(method, path)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/scope"), lacking
            assert f"needs the scope {lacking}" in answer.json()["detail"]
