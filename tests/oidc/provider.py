"""A real OpenID Connect provider in front of a test, and somebody who logs in at it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

import httpx
import pytest

from infra.servers.process import free_port
from services.gateway.http.server import bind
from tests.gateway.fronts.programs import running
from tests.gateway.running import TRUST, gateway

HERE = Path(__file__).parent
SECRET = "s3cret/+ &"  # noqa: S105
GROUPS = {"oidc_admin_groups": "admins", "oidc_operator_groups": "ops, on call", "oidc_viewer_groups": "staff"}
_ACTION = re.compile(r'action="([^"]+)"')


class Place(NamedTuple):
    issuer: str
    url: str
    """Of the gateway."""
    direct: httpx.AsyncClient
    """A client that bears an administrator's token."""


@asynccontextmanager
async def provider(port: int, redirect: str, people: Mapping[str, Any]) -> AsyncIterator[None]:
    """A provider at `port` of localhost, who knows `people`: login -> claims."""
    if not (HERE / "node_modules/oidc-provider").is_dir():
        reason = "the provider is not installed; `make test` does it"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    told = json.dumps({"port": port, "redirect": redirect, "people": people})
    async with running(port, str(Path(sys.executable).with_name("node")), str(HERE / "provider.js"), told):
        yield


@asynccontextmanager
async def signing_on(
    database_url: str, bus_url: str, directory: Path, people: Mapping[str, Any], **settings: Any
) -> AsyncIterator[Place]:
    """A gateway whose people log in at a provider."""
    secret = directory / "secret"
    secret.write_text(f"{SECRET}\n")
    port = free_port()
    issuer = f"http://localhost:{port}"
    told = {"oidc_issuer": issuer, "oidc_client_id": "sonde", "oidc_client_secret_file": str(secret), **GROUPS}
    told |= {"oidc_scopes": "openid profile email groups", **settings}
    with closing(bind("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with (
            provider(port, f"{url}/api/v1/session/oidc/callback", people),
            gateway(database_url, bus_url, sockets=[bound], public_url=url, **told) as direct,
        ):
            yield Place(issuer, url, direct)


@asynccontextmanager
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has not logged in anywhere."""
    async with httpx.AsyncClient(verify=TRUST, timeout=60) as client:
        yield client


async def begin(client: httpx.AsyncClient, place: Place, to: str = "/") -> str:
    """Where the gateway leads somebody who wants to log in."""
    answer = await client.get(f"{place.url}/api/v1/session/oidc", params={"to": to})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def consent(client: httpx.AsyncClient, place: Place, address: str, login: str) -> str:
    """Log in at the provider as `login` and agree; returns the address to which it leads back."""
    for _ in range(20):
        if address.startswith(place.url):
            return address
        answer = await client.get(address)
        if answer.is_redirect:
            address = urljoin(address, answer.headers["location"])
            continue
        assert answer.status_code == 200, answer.text
        form = _ACTION.search(answer.text)
        assert form, answer.text
        prompt = (
            {"prompt": "login", "login": login, "password": "any"}
            if 'name="login"' in answer.text
            else {"prompt": "consent"}
        )
        answer = await client.post(urljoin(address, form[1]), data=prompt)
        address = urljoin(address, answer.headers["location"])
    raise AssertionError(f"the provider leads nowhere: {address}")


async def log_in(client: httpx.AsyncClient, place: Place, login: str, to: str = "/") -> httpx.Response:
    """The whole way; the gateway's last answer."""
    return await client.get(await consent(client, place, await begin(client, place, to), login))
