"""The way to the provider and back where something is amiss: other names, forged cookies, floods, slow providers."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from services.gateway.people import provider
from services.gateway.people.attempt import Attempt
from services.gateway.people.provider import AT_ONCE, MOST_OF_A_NETWORK, Provider, ProviderError
from services.gateway.people.throttle import ADDRESS
from tests.gateway.people.test_oidc import PEOPLE, me, with_query, words
from tests.gateway.running import ANY, gateway
from tests.oidc.provider import begin, browser, consent, log_in, signing_on
from tests.people import add_session, add_user, in_browser
from tests.waiting import eventually

BACK = "/api/v1/session/oidc/callback"


@asynccontextmanager
async def hanging(answer: bytes = b"") -> AsyncIterator[tuple[str, list[None]]]:
    """The issuer of a provider that says `answer` and then nothing more, and the requests that came."""
    came: list[None] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(None)
        writer.write(answer)
        if not answer:
            await over.wait()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", came
    finally:
        over.set()
        listener.close()


@asynccontextmanager
async def meanwhile(*asked: Any) -> AsyncIterator[list[asyncio.Task[Any]]]:
    tasks = [asyncio.ensure_future(each) for each in asked]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_parameters_that_the_provider_adds_are_passed_over(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        address = await consent(client, place, await begin(client, place), "ada")
        added = {"authuser": "0", "prompt": "consent", "hd": "example.org", "scope": "openid", "session_state": "1"}
        answer = await client.get(with_query(address, **added))
        assert answer.status_code == 200, answer.text
        assert (await me(client, place))["name"] == "ada.lovelace"


async def test_other_operations_refuse_parameters_that_they_do_not_know(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place:
        assert (await place.direct.get("/session/oidc?authuser=0")).status_code == 400


async def test_whoever_begins_under_another_name_is_led_to_the_public_one_once(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        other = f"{place.url.replace('127.0.0.1', 'localhost')}/api/v1/session/oidc"
        led = await client.get(other, params={"to": "/hosts/web-1?range=6h"})
        assert (led.status_code, led.headers["location"].split("?")[0]) == (303, f"{place.url}/api/v1/session/oidc")
        again = await client.get(other, params={"led": "true"})
        assert again.headers["location"].startswith(place.issuer)
        on = await client.get(led.headers["location"])
        answer = await client.get(await consent(client, place, on.headers["location"], "ada"))
        assert 'content="0;url=/hosts/web-1?range=6h"' in answer.text
        assert (await me(client, place))["name"] == "ada.lovelace"


async def test_where_the_provider_leads_back_to_is_no_runtime_setting(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        told = await place.direct.put("/settings/dashboard_url", json={"value": "https://other.example"}, headers=ANY)
        assert told.status_code == 200, told.text
        address = parse_qs(urlsplit(await begin(client, place)).query)
    assert address["redirect_uri"] == [f"{place.url}{BACK}"]


async def test_the_session_that_a_browser_had_ends_with_the_next_one(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client, browser() as back:
        assert (await log_in(client, place, "ada")).status_code == 200
        former = (await me(client, place))["session"]
        address = await consent(client, place, await begin(client, place), "ada")
        # Browsers do not send the session's cookie when another site leads back.
        back.cookies.set("sonde_oidc", client.cookies.get("sonde_oidc") or "")
        assert (await back.get(address)).status_code == 200
        assert (await me(client, place))["role"] is None
        assert (await me(back, place))["role"] == "admin"
        entries = (await place.direct.get("/audit")).json()["entries"]
    ended = [entry for entry in entries if entry["action"] == "DELETE /session"]
    assert [(entry["target"], entry["before"]) for entry in ended] == [("ada.lovelace", {"session": former})]


async def test_nobody_makes_us_ask_the_provider_by_a_cookie_of_their_own(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        await begin(client, place)
        seal = (client.cookies.get("sonde_oidc") or "").partition(".")[2]
        own = Attempt("state", "n", "v", "/", f"{place.url}{BACK}", 2**31)
        forged = base64.urlsafe_b64encode(msgspec.json.encode(own)).decode().rstrip("=")
        for cookie in (forged, f"{forged}.", f"{forged}.{seal}"):
            async with browser() as stranger:
                stranger.cookies.set("sonde_oidc", cookie)
                said = words(await stranger.get(f"{place.url}{BACK}?state=state&code=code&iss={place.issuer}"))
                assert "began in another browser" in said


async def test_whoever_fails_too_often_waits_and_is_told_so(tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        said = ""
        for _ in range(10 * ADDRESS.burst):
            said = words(await client.get(f"{place.url}{BACK}?state=x&code=x"))
            if "too many" in said:
                break
        assert "too many tries; come again in" in said
        assert "too many tries" in words(await client.get(f"{place.url}/api/v1/session/oidc"))


async def test_failures_are_counted_by_the_network_of_an_address(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE, trusted_proxies="127.0.0.1") as place:
        async with browser() as client:
            for last in (1, 2):
                told = {"X-Forwarded-For": f"2001:db8::{last}"}
                words(await client.get(f"{place.url}{BACK}?state=x", headers=told))

        async def counted() -> bool:
            refused = (await place.direct.get("/refused")).json()["refused"]
            return [(each["name"], each["times"]) for each in refused] == [("2001:db8::/64", 2)]

        await eventually(counted)


async def test_the_wait_for_a_turn_ends_with_the_time_for_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hanging() as (issuer, came):
        asked = Provider(issuer, "sonde", "")
        async with meanwhile(*(asked.configuration() for _ in range(AT_ONCE))) as first:
            await eventually(lambda: len(came) == AT_ONCE)
            monkeypatch.setattr(provider, "TOTAL_S", 0.2)
            with pytest.raises(ProviderError, match="no answer in time"):
                await asked.configuration()
            assert not any(task.done() for task in first)


async def test_only_so_many_wait_for_the_provider_and_others_are_told_to_come_again(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "MOST_LOGINS", 2)
    async with (
        hanging() as (issuer, came),
        gateway(database_url, bus_url, oidc_issuer=issuer, oidc_client_id="sonde") as client,
        meanwhile(client.get("/session/oidc"), client.get("/session/oidc")),
    ):
        await eventually(lambda: len(came) == 2)
        answer = await client.get("/session/oidc")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
    assert int(answer.headers["retry-after"]) > 0


def asked_from(client: httpx.AsyncClient, address: str, path: str = "/session/oidc") -> Awaitable[httpx.Response]:
    return client.get(path, headers={"X-Forwarded-For": address})


async def test_one_network_does_not_hold_the_places_of_all_others(database_url: str, bus_url: str) -> None:
    async with (
        hanging() as (issuer, came),
        gateway(
            database_url, bus_url, token="", oidc_issuer=issuer, oidc_client_id="sonde", trusted_proxies="127.0.0.1"
        ) as client,
        meanwhile(*(asked_from(client, "198.51.100.7") for _ in range(MOST_OF_A_NETWORK))),
    ):
        await eventually(lambda: len(came) == MOST_OF_A_NETWORK)
        answer = await asked_from(client, "198.51.100.7")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
        async with meanwhile(asked_from(client, "203.0.113.9")):
            await eventually(lambda: len(came) == MOST_OF_A_NETWORK + 1)


async def test_steps_that_begin_at_once_count_before_they_fail(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "MOST_OF_A_NETWORK", 2 * ADDRESS.burst)
    async with (
        hanging() as (issuer, came),
        gateway(database_url, bus_url, oidc_issuer=issuer, oidc_client_id="sonde") as client,
        meanwhile(*(client.get("/session/oidc") for _ in range(ADDRESS.burst))) as begun,
    ):
        await eventually(lambda: len(came) == AT_ONCE)
        async with meanwhile(client.get("/session/oidc")) as (further,):
            await asyncio.wait((further, *begun), return_when=asyncio.FIRST_COMPLETED)
            assert not any(each.done() for each in begun), "one failed before another was made to wait"
            assert "too many tries" in words(further.result())


async def test_a_login_that_goes_well_uses_no_try_up(tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        for _ in range(ADDRESS.burst + 5):
            assert (await begin(client, place)).startswith(place.issuer)


async def test_no_runtime_setting_leads_browsers_to_another_site(database_url: str, bus_url: str) -> None:
    async with (
        hanging(b"no configuration") as (issuer, _),
        gateway(database_url, bus_url, oidc_issuer=issuer, oidc_client_id="sonde") as client,
    ):
        told = await client.put("/settings/dashboard_url", json={"value": "https://other.example"}, headers=ANY)
        assert told.status_code == 200, told.text
        number = await add_user(database_url, "bob", "viewer")
        in_browser(client, await add_session(database_url))

        async def in_force() -> bool:
            link = await client.post(f"/users/{number}/link")
            assert link.status_code == 201, link.text
            return str(link.json()["url"]).startswith("https://other.example/")

        await eventually(in_force)
        assert "identity provider" in words(await client.get("/session/oidc"))


async def test_certificates_are_read_once_and_hold_nothing_else_up(
    tmp_path: Path, database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    real = ssl.create_default_context

    def noted(*arguments: Any, **named: Any) -> ssl.SSLContext:
        threads.append(threading.get_ident())
        return real(*arguments, **named)

    monkeypatch.setattr(ssl, "create_default_context", noted)
    async with signing_on(database_url, bus_url, tmp_path, PEOPLE) as place, browser() as client:
        assert (await log_in(client, place, "ada")).status_code == 200
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_a_provider_whose_configuration_has_no_end_of_depth_is_not_believed(
    database_url: str, bus_url: str
) -> None:
    body = b'{"more": ' + b"[" * 100_000
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
    async with (
        hanging(head + body) as (issuer, _),
        gateway(database_url, bus_url, oidc_issuer=issuer, oidc_client_id="sonde") as client,
    ):
        answer = await client.get("/session/oidc")
    assert "identity provider" in words(answer)
