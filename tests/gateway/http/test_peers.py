"""Who counts as being at the gateway's machine, and what the others get."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

from infra.settings import ServerSettings
from infra.storage.database import pool
from schemas.catalogue import CATALOGUE
from schemas.enrolment import AGENT_PATHS, ENROL, INSTALL_FILES, RENEW
from services.gateway.app import create_app
from services.gateway.fleet.memory import Fleet
from services.gateway.held import Held
from services.gateway.http.bus import Bus
from services.gateway.http.peers import is_here, open_secret_refusal
from services.gateway.live.hub import Hub
from services.gateway.settings.runtime import Runtime

ELSEWHERE = "192.0.2.7"


def here(client: str, headers: dict[str, str] | None = None, version: str = "1.1", server: str = "192.0.2.10") -> bool:
    scope = {"client": (client, 50000), "server": (server, 8080), "http_version": version}
    return is_here(scope, Headers(headers or {}))


def refused(
    method: str, path: str, headers: dict[str, str] | None = None, scheme: str = "http", in_front: bool = False
) -> str:
    """Type of the refusal of another machine's request, empty without one."""
    scope = {"method": method, "path": path, "scheme": scheme}
    problem = open_secret_refusal(scope, Headers(headers or {}), in_front)
    return problem.type if problem else ""


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_whoever_comes_over_loopback_is_here(client: str) -> None:
    assert here(client)


def test_whoever_has_the_same_address_at_both_ends_is_here() -> None:
    assert here("192.0.2.10")


@pytest.mark.parametrize("client", [ELSEWHERE, "::ffff:192.0.2.7", "2001:db8::1", "fe80::1%eth0", "", "testclient"])
def test_everybody_else_is_elsewhere(client: str) -> None:
    assert not here(client)


def test_a_connection_without_an_address_is_elsewhere() -> None:
    assert not is_here({"client": None, "server": None, "http_version": "1.1"}, Headers({}))


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"]
)
def test_what_a_proxy_on_this_machine_passes_on_is_from_elsewhere(header: str) -> None:
    assert not here("127.0.0.1", {header: "127.0.0.1"})


def test_a_proxy_that_says_nothing_but_speaks_http_1_0_is_recognised() -> None:
    assert not here("127.0.0.1", version="1.0")


@pytest.mark.parametrize("path", [*AGENT_PATHS, f"{INSTALL_FILES}sonde.whl", "/health/live", "/", "/api/v1/hosts"])
def test_what_has_no_secrets_in_it_may_come_without_tls(path: str) -> None:
    assert refused("GET", path) == ""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ENROL),
        ("POST", RENEW),
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/session/link"),
        ("PUT", "/api/v1/session/password"),
    ],
)
def test_secrets_are_taken_from_other_machines_only_over_tls(method: str, path: str) -> None:
    assert refused(method, path) == "/problems/tls-required"
    assert refused(method, path, in_front=True) == ""
    assert refused(method, path, scheme="https") == ""


@pytest.mark.parametrize("header", ["Authorization", "Cookie"])
def test_so_are_tokens_and_cookies(header: str) -> None:
    assert refused("GET", "/api/v1/hosts", {header: "Bearer secret"}) == "/problems/tls-required"
    assert refused("GET", "/api/v1/hosts", {header: "Bearer secret"}, in_front=True) == ""
    assert refused("GET", "/api/v1/hosts", {header: "Bearer secret"}, scheme="https") == ""


async def asked(database_url: str, client: str, path: str, method: str = "GET", **told: Any) -> httpx.Response:
    """The answer of the whole application to a peer with the address `client`."""
    settings = ServerSettings(http_host="0.0.0.0", **told)  # noqa: S104 -- nothing listens
    async with pool(database_url, "test gateway", 2, least=0) as connections:
        app = create_app(Held(settings, connections, Bus(), Hub(Fleet(CATALOGUE)), Runtime(), lambda client: None))
        transport = httpx.ASGITransport(app, client=(client, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="https://192.0.2.10:8080") as http:
            return await http.request(method, path)


@pytest.mark.parametrize("client", ["127.0.0.1", ELSEWHERE])
@pytest.mark.parametrize("path", ["/api/v1/hosts", "/api/v1/settings", "/api/v1/enrolment-tokens", "/api/v1/health"])
async def test_everybody_has_to_log_in_wherever_they_are(client: str, path: str, database_url: str) -> None:
    answer = await asked(database_url, client, path)
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/login-required")


async def test_the_dashboards_own_files_are_for_everybody(database_url: str) -> None:
    answer = await asked(database_url, ELSEWHERE, "/")
    assert answer.status_code in (200, 503), "503: it is not built"


async def test_the_application_lets_machines_enrol(database_url: str) -> None:
    answer = await asked(database_url, ELSEWHERE, ENROL, "POST")
    assert answer.status_code == 415, "past the guard: it has no body"
    assert (await asked(database_url, ELSEWHERE, "/health/live")).status_code == 200


async def test_the_public_name_and_the_machines_own_are_names_of_the_gateway(database_url: str) -> None:
    told = {"public_url": "https://monitor.example:8443", "tls": "in-front"}
    for name, status in (("monitor.example", 200), ("evil.example", 421)):
        answer = await asked(database_url, ELSEWHERE, f"https://{name}/health/live", **told)
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["/health/live", "/api/v1/health/live", "/ca.pem"])
async def test_behind_something_that_encrypts_probes_and_agents_are_answered(path: str, database_url: str) -> None:
    answer = await asked(database_url, "127.0.0.1", path, tls="in-front")
    assert answer.status_code in (200, 404)
