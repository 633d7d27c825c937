"""The gateway behind nginx and Caddy, with the configurations that it ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.clock import now_ms
from services.gateway.http.requests import MOST_BODY_BYTES
from tests.batches import sample
from tests.gateway.fronts.front import KINDS, fronted
from tests.gateway.fronts.nginx import bare_server
from tests.gateway.running import publish, publishing, ready, watching

SETTING, CLIENT = "/settings/raw_days", "127.0.0.5"

both = pytest.mark.parametrize("kind", KINDS)


async def changed(client: httpx.AsyncClient, origin: str, **further: str) -> httpx.Response:
    """The answer to a change as a page of `origin` makes it."""
    return await client.put(SETTING, json={"value": 8}, headers={"Origin": origin, "If-Match": "*", **further})


async def last_audited(client: httpx.AsyncClient) -> Any:
    return (await client.get("/audit")).json()["entries"][0]


@both
async def test_the_page_and_changes_from_it_pass(kind: str, tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with fronted(kind, tmp_path, database_url, bus_url) as front, front.client() as client:
        page = await client.get(f"{front.origin}/", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert (await changed(client, front.origin)).status_code == 200
        assert (await changed(client, "https://evil.example")).status_code == 403
        assert (await changed(client, "null")).status_code == 403


@both
async def test_the_clients_address_is_the_one_that_the_proxy_saw_whatever_the_client_says(
    kind: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    made_up = {"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.1", "X_Forwarded_For": "192.0.2.1"}
    async with fronted(kind, tmp_path, database_url, bus_url) as front, front.client(CLIENT, **made_up) as client:
        for lie in ("", "X-Forwarded-Host", "Forwarded"):
            further = {lie: "for=192.0.2.1;host=localhost;proto=http"} if lie else {}
            answer = await changed(client, front.origin, **further)
            assert answer.status_code == 200, answer.text
            assert (await last_audited(client))["address"] == CLIENT


@both
async def test_frames_of_the_live_stream_arrive_while_it_is_open(
    kind: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with (
        fronted(kind, tmp_path, database_url, bus_url) as front,
        front.client() as client,
        publishing(bus_url) as agent,
    ):
        await ready(front.direct)
        async with watching(client) as stream:
            await stream.until("complete")
            await publish(agent, sample(now_ms(), total=4711))
            frame = await stream.until("frame", lambda data: "web-1" in str(data))
    assert frame.id


@both
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_that_are_too_large_are_refused(
    kind: str, chunked: bool, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async def blocks() -> Any:
        for _ in range(MOST_BODY_BYTES // 8192 + 4):
            yield b" " * 8192

    body = blocks() if chunked else b" " * (MOST_BODY_BYTES * 2)
    async with fronted(kind, tmp_path, database_url, bus_url) as front, front.client() as client:
        headers = {"Origin": front.origin, "Content-Type": "application/json", "If-Match": "*"}
        answer = await client.put(SETTING, content=body, headers=headers)
    assert answer.status_code == 413


@both
async def test_cookies_would_be_secure_since_the_gateway_knows_that_it_is_asked_over_tls(
    kind: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with fronted(kind, tmp_path, database_url, bus_url) as front, front.client() as client:
        answer = await client.delete("/session", headers={"Origin": front.origin})
    assert "Secure" in answer.headers["set-cookie"]


@both
async def test_what_a_proxy_that_nobody_trusts_passes_on_counts_as_sent_without_encryption_and_is_said_once(
    kind: str, tmp_path: Path, database_url: str, bus_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with fronted(kind, tmp_path, database_url, bus_url, tls="none") as front, front.client(CLIENT) as client:
        for _ in range(2):
            answer = await changed(client, front.origin)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/tls-required")
    said = [record for record in caplog.records if "forwarded headers ignored" in record.message]
    assert len(said) == 1


@both
async def test_a_proxy_can_be_trusted_by_its_address_alone(
    kind: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with (
        fronted(kind, tmp_path, database_url, bus_url, tls="none", trusted_proxies="127.0.0.1") as front,
        front.client(CLIENT) as client,
    ):
        assert (await changed(client, front.origin)).status_code == 200
        assert (await last_audited(client))["address"] == CLIENT


async def test_nginx_that_is_told_nothing_but_proxy_pass_works_once_the_public_address_is_set(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with fronted("nginx", tmp_path, database_url, bus_url, bare_server) as front, front.client() as client:
        assert (await changed(client, front.origin)).status_code == 200


async def test_without_the_public_address_its_changes_are_refused_in_words_that_name_the_setting(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with (
        fronted("nginx", tmp_path, database_url, bus_url, bare_server, public_url="") as front,
        front.client() as client,
    ):
        answer = await changed(client, front.origin)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/cross-origin")
    assert "SONDE_PUBLIC_URL" in answer.json()["detail"]


@both
async def test_a_name_that_is_not_the_gateways_is_refused_in_words_that_name_the_settings(
    kind: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with (
        fronted(kind, tmp_path, database_url, bus_url, public_url="https://other.example") as front,
        front.client() as client,
    ):
        answer = await client.get("/health/live")
    assert answer.status_code == 421
    assert "SONDE_PUBLIC_URL" in answer.json()["detail"]
    assert "SONDE_ALLOWED_NAMES" in answer.json()["detail"]
