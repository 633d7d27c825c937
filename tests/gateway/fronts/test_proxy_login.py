"""People who are logged in at nginx, which names them to the gateway in a header."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.certificates.listening import Tls
from infra.settings import SettingError
from tests.gateway.fronts.front import Front, fronted
from tests.gateway.fronts.nginx import own_server, with_lines
from tests.gateway.rows import execute
from tests.gateway.running import gateway

USER = {"proxy_user_header": "X-Auth-User", "trusted_proxies": "127.0.0.1"}
GROUPS = {"proxy_groups_header": "X-Auth-Groups", "oidc_admin_groups": "admins", "oidc_viewer_groups": "staff"}


def naming(user: str, groups: str, port: int, gateway: int, tls: Tls) -> str:
    lines = f'proxy_set_header X-Auth-User "{user}";\n        proxy_set_header X-Auth-Groups "{groups}";'
    return with_lines(own_server(port, gateway, tls), lines)


def by_nginx(user: str, groups: str = "", **settings: str) -> dict[str, Any]:
    return {"server": partial(naming, user, groups), **USER, **settings}


async def asked(front: Front, **headers: str) -> Any:
    """Who the gateway takes a browser for that comes through nginx."""
    async with front.client(**headers) as client:
        client.headers.pop("Authorization")
        return (await client.get("/session")).json()


async def test_whoever_nginx_names_is_a_user_from_then_on(tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with fronted("nginx", tmp_path, database_url, bus_url, **by_nginx("Ada", proxy_role="operator")) as front:
        for _ in range(2):
            found = await asked(front)
            assert (found["name"], found["role"], found["by"]) == ("ada", "operator", "proxy")
        users = (await front.direct.get("/users")).json()["users"]
    assert [(user["name"], user["role"]) for user in users if user["source"] == "proxy"] == [("ada", "operator")]


async def test_what_a_client_says_itself_counts_for_nothing(tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with fronted("nginx", tmp_path, database_url, bus_url, **by_nginx("ada")) as front:
        found = await asked(front, **{"X-Auth-User": "root", "X-Auth-Groups": "admins", "X_Auth_User": "root"})
    assert (found["name"], found["role"]) == ("ada", "viewer")


@pytest.mark.parametrize("tls", ["none", "in-front"])
async def test_whom_somebody_else_names_is_nobody_and_that_is_said_once(
    tls: str, tmp_path: Path, database_url: str, bus_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = by_nginx("ada", trusted_proxies="192.0.2.1", tls=tls)
    async with fronted("nginx", tmp_path, database_url, bus_url, **settings) as front:
        async with httpx.AsyncClient(base_url=front.direct.base_url) as client:
            for _ in range(2):
                found = (await client.get("/session", headers={"X-Auth-User": "ada"})).json()
                assert found["role"] is None
        assert (await asked(front))["role"] is None
    assert len([record for record in caplog.records if "forwarded headers ignored" in record.message]) == 1


@pytest.mark.parametrize(("groups", "role"), [("admins, staff", "admin"), ("staff", "viewer")])
async def test_groups_that_nginx_tells_say_the_role(
    groups: str, role: str, tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with fronted("nginx", tmp_path, database_url, bus_url, **by_nginx("ada", groups, **GROUPS)) as front:
        assert (await asked(front))["role"] == role


async def test_groups_to_which_a_proxy_adds_instead_of_setting_them_are_refused(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with fronted("nginx", tmp_path, database_url, bus_url, **by_nginx("ada", **GROUPS)) as front:
        added = [("X-Auth-User", "ada"), ("X-Auth-Groups", "admins"), ("X-Auth-Groups", "staff")]
        async with httpx.AsyncClient(base_url=front.direct.base_url) as client:
            answer = await client.get("/session", headers=added)
            once = await client.get("/session", headers=[added[0], added[2]])
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/forwarded")
    assert "X-Auth-Groups" in answer.json()["detail"]
    assert once.json()["role"] == "viewer"


async def test_the_last_administrator_is_one_in_every_request_whatever_the_groups_say(
    database_url: str, bus_url: str
) -> None:
    async with (
        gateway(database_url, bus_url, **USER, **GROUPS) as direct,
        httpx.AsyncClient(base_url=direct.base_url) as client,
    ):
        named = {"X-Auth-User": "ada", "X-Auth-Groups": "admins"}
        assert (await client.get("/session", headers=named)).json()["role"] == "admin"
        await execute(database_url, "UPDATE users SET role = 'viewer' WHERE name <> 'ada'")
        assert (await client.get("/session", headers=named | {"X-Auth-Groups": "staff"})).json()["role"] == "admin"
        assert (await client.get("/users", headers=named | {"X-Auth-Groups": "staff"})).status_code == 200


async def test_a_header_that_nobody_may_set_keeps_the_gateway_from_starting(database_url: str, bus_url: str) -> None:
    with pytest.raises(SettingError, match=r"SONDE_PROXY_USER_HEADER: 'X-Auth-User': .* SONDE_TRUSTED_PROXIES"):
        async with gateway(database_url, bus_url, tls="in-front", proxy_user_header="X-Auth-User"):
            pass


async def test_without_a_group_that_has_a_role_nobody_gets_in(tmp_path: Path, database_url: str, bus_url: str) -> None:
    async with fronted("nginx", tmp_path, database_url, bus_url, **by_nginx("ada", "others", **GROUPS)) as front:
        found = await asked(front)
    assert found["status"] == 403
    assert "SONDE_OIDC_VIEWER_GROUPS" in found["detail"]


async def test_changes_through_such_a_proxy_say_from_which_page_they_come(
    tmp_path: Path, database_url: str, bus_url: str
) -> None:
    async with (
        fronted("nginx", tmp_path, database_url, bus_url, **by_nginx("ada", proxy_role="admin")) as front,
        front.client() as client,
    ):
        bearing = await client.put("/settings/raw_days", json={"value": 8}, headers={"If-Match": "*"})
        client.headers.pop("Authorization")
        blind = await client.put("/settings/raw_days", json={"value": 9}, headers={"If-Match": "*"})
        ours = await client.put(
            "/settings/raw_days", json={"value": 9}, headers={"If-Match": "*", "Origin": front.origin}
        )
    assert (bearing.status_code, blind.json()["type"], ours.status_code) == (200, "/problems/origin-required", 200)
