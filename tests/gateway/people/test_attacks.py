"""Attackers at a real gateway: without a login, with a low role, with old or forged secrets, from foreign pages."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter

import httpx
import msgspec
import pytest

from infra.generate.declared import declared
from infra.storage.database import connection
from schemas.people import RANKS, Role
from services.gateway.http.operations import Operation
from tests.gateway.running import TRUST, gateway, ready
from tests.people import PASSWORD, add_link, add_session, add_token, add_user, bearing, in_browser

NEW = "a longer password"
METHODS = ["POST", "PUT", "PATCH", "DELETE"]
TYPES = ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
FOREIGN: list[dict[str, str]] = [
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
]
TRIES = 10_000


def forbidden_to(role: Role | None) -> list[Operation]:
    """What needs more than `role`. To be called off the event loop."""
    rank = RANKS[role] if role else 0
    return [operation for operation in declared() if operation.role is not None and RANKS[operation.role] > rank]


def path_of(operation: Operation) -> str:
    """A path of it in which each parameter names something that may be."""
    numbers = ("user", "session", "token", "enrolment_token")
    path = operation.path.replace("{verb}", "ping").replace("{setting}", "raw_days")
    for number in numbers:
        path = path.replace(f"{{{number}}}", "1")
    return path.replace("{host}", "web-1").replace("{rule}", "cpu-busy").replace("{viewer}", "0" * 12)


@pytest.mark.parametrize("role", [None, "viewer", "operator"])
async def test_nobody_may_more_than_their_role(role: Role | None, database_url: str, bus_url: str) -> None:
    token = await add_token(database_url, role) if role else ""
    forbidden = await asyncio.to_thread(forbidden_to, role)
    async with gateway(database_url, bus_url, token=token) as client:
        for operation in forbidden:
            answer = await client.request(operation.method, path_of(operation), json={})
            assert answer.status_code == (403 if role else 401), operation.name
    assert len(forbidden) >= 10


@pytest.mark.parametrize("kind", ["session", "token"])
async def test_a_secret_that_is_altered_is_worth_nothing(kind: str, database_url: str, bus_url: str) -> None:
    secret = await (add_session(database_url) if kind == "session" else add_token(database_url))
    bearer = bearing if kind == "token" else in_browser
    altered = [secret[:-1], secret + "A", secret[1:], secret.swapcase(), secret[::-1], "", "null", "'--", secret * 3]
    async with gateway(database_url, bus_url, token="") as client:
        assert (await bearer(client, secret).get("/users")).status_code == 200
        for each in altered:
            assert (await bearer(client, each).get("/users")).status_code == 401, each


async def test_a_session_is_no_token_and_a_token_no_session(database_url: str, bus_url: str) -> None:
    session, token = await add_session(database_url), await add_token(database_url)
    async with gateway(database_url, bus_url, token="") as client:
        for _ in range(2):  # also once both are in memory
            assert (await bearing(client, session).get("/users")).status_code == 401
            client.cookies.clear()
            assert (await in_browser(client, token).get("/users")).status_code == 401
            client.cookies.clear()
            assert (await bearing(client, token).get("/users")).status_code == 200
            assert (await in_browser(client, session).get("/users")).status_code == 200
            client.cookies.clear()


async def test_a_secret_is_not_the_hash_that_the_database_has(database_url: str, bus_url: str) -> None:
    await add_session(database_url)
    async with connection(database_url, "tests") as database:
        stored = await database.fetchval("SELECT encode(hash, 'hex') FROM sessions")
    async with gateway(database_url, bus_url, token="") as client:
        assert (await in_browser(client, stored).get("/users")).status_code == 401


async def test_a_session_that_somebody_planted_is_not_the_one_that_a_login_opens(
    database_url: str, bus_url: str
) -> None:
    await add_user(database_url)
    planted = "p" * 43
    async with gateway(database_url, bus_url, token="") as client:
        in_browser(client, planted)
        answer = await client.post("/session", json={"name": "ada", "password": PASSWORD})
        assert answer.cookies["sonde_session"] != planted
        client.cookies.clear()
        assert (await in_browser(client, planted).get("/hosts")).status_code == 401


async def test_a_stolen_session_ends_with_its_owners_logout(database_url: str, bus_url: str) -> None:
    secret = await add_session(database_url)
    async with (
        gateway(database_url, bus_url, token="") as client,
        httpx.AsyncClient(base_url=client.base_url, verify=TRUST) as thief,
    ):
        assert (await in_browser(thief, secret).get("/users")).status_code == 200
        await in_browser(client, secret).delete("/session")
        assert (await thief.get("/users")).status_code == 401


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
async def test_no_foreign_page_changes_anything_with_somebodys_cookie(
    foreign: dict[str, str], database_url: str, bus_url: str
) -> None:
    secret = await add_session(database_url)
    async with gateway(database_url, bus_url, token="") as client:
        client.cookies.set("sonde_session", secret)
        for method in METHODS:
            for type_ in TYPES:
                headers = {**foreign, **({"Content-Type": type_} if type_ else {})}
                for path in ("/users", "/users/1", "/session", "/session/password", "/tokens"):
                    answer = await client.request(method, path, content=b"{}", headers=headers)
                    assert answer.status_code == 403, (method, type_, path)
        client.headers["Sec-Fetch-Site"] = "same-origin"
        assert (await client.get("/session")).json()["name"] == "ada"


async def test_a_preview_that_opens_a_link_does_not_use_it_up(database_url: str, bus_url: str) -> None:
    secret = await add_link(database_url)
    async with gateway(database_url, bus_url, token="") as client:
        root = str(client.base_url.copy_with(path="/"))
        for method in ("GET", "HEAD", "OPTIONS"):
            for path in (f"{root}login", f"{root}login?link={secret}", f"{root}api/v1/session/link?secret={secret}"):
                await client.request(method, path, headers={"Accept": "text/html"})
        body = {"secret": secret, "password": NEW}
        assert (await client.post("/session/link", json=body)).status_code == 200
        client.cookies.clear()
        assert (await client.post("/session/link", json=body)).status_code == 401


async def test_a_link_is_good_once_however_many_come_at_once(database_url: str, bus_url: str) -> None:
    secret = await add_link(database_url)
    async with gateway(database_url, bus_url, token="") as client:
        body = {"secret": secret, "password": NEW}
        answers = await asyncio.gather(*(client.post("/session/link", json=body) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers)[200] == 1
    assert {answer.status_code for answer in answers} <= {200, 401, 403}


async def tried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, password: str) -> int:
    """Status of a login as ada, asked with as little effort as a flood takes."""
    body = msgspec.json.encode({"name": "ada", "password": password})
    head = "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
    writer.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(answer.partition("content-length: ")[2].split()[0]))
    return int(answer.split()[1])


@pytest.mark.fault
async def test_a_flood_of_logins_is_throttled_while_others_are_served(database_url: str, bus_url: str) -> None:
    await add_user(database_url)
    took_s: dict[str, list[float]] = {"before": [], "meanwhile": []}
    async with gateway(database_url, bus_url) as client:
        await ready(client)

        async def others(when: str) -> None:
            began_s = time.perf_counter()
            assert (await client.get("/hosts")).status_code == 200
            took_s[when].append(time.perf_counter() - began_s)

        for _ in range(50):
            await others("before")
        statuses: Counter[int] = Counter()

        async def attack(number: int) -> None:
            reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            for guess in range(TRIES // 10):
                statuses[await tried(reader, writer, f"guess {number} {guess}")] += 1
            writer.close()

        began_s = time.perf_counter()
        flood = asyncio.gather(*(attack(number) for number in range(10)))
        while not flood.done():
            await others("meanwhile")
            await asyncio.sleep(0.02)
        await flood
        flood_s = time.perf_counter() - began_s
        refused = await client.get("/refused")
    p99 = {when: sorted(times)[int(len(times) * 0.99)] * 1000 for when, times in took_s.items()}
    sys.stdout.write(f"{TRIES} tries in {flood_s:.1f} s: {dict(statuses)}; p99 of others in ms: {p99}\n")
    assert set(statuses) <= {401, 429, 503}
    assert statuses[401] <= 20 + flood_s, "guesses that were looked at"
    assert "login" in {one["what"] for one in refused.json()["refused"]}
