"""A gateway behind a proxy, and clients that come to it by its public name."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from infra.certificates.listening import Tls
from infra.servers.process import free_port
from tests.certificates import given
from tests.gateway.fronts.caddy import caddy
from tests.gateway.fronts.nginx import nginx, own_server
from tests.gateway.fronts.programs import NAME
from tests.gateway.http.serving import Raw
from tests.gateway.running import gateway

KINDS = ("nginx", "caddy")


class ByName(httpx.AsyncHTTPTransport):
    """Reaches NAME where it listens here, from the loopback address `source`."""

    def __init__(self, ca: str, source: str) -> None:
        super().__init__(verify=ssl.create_default_context(cafile=ca), local_address=source)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = NAME
        request.url = request.url.copy_with(host="127.0.0.1")
        return await super().handle_async_request(request)


class Front(NamedTuple):
    port: int
    """Of the proxy."""
    gateway_port: int
    tls: Tls
    token: str
    """What the gateway's own client bears."""
    direct: httpx.AsyncClient
    """A client of the gateway itself."""

    @property
    def origin(self) -> str:
        return f"https://{NAME}:{self.port}"

    @asynccontextmanager
    async def client(self, source: str = "127.0.0.1", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client that comes through the proxy, with the gateway's token; its base is /api/v1."""
        told = {"Authorization": self.token, **headers}
        transport = ByName(self.tls.ca, source)
        async with httpx.AsyncClient(
            base_url=f"{self.origin}/api/v1", transport=transport, headers=told, timeout=60
        ) as client:
            yield client

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[Raw]:
        """A connection to the proxy on which a test writes what it likes."""
        trust = ssl.create_default_context(cafile=self.tls.ca)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=trust, server_hostname=NAME)
        try:
            yield Raw(reader, writer)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def fronted(
    kind: str, directory: Path, database_url: str, bus_url: str, server: Any = own_server, **settings: Any
) -> AsyncIterator[Front]:
    """A gateway behind nginx or Caddy, which trusts it unless `settings` say otherwise.

    `server(port, gateway's port, certificate)` is nginx's configuration.
    """
    tls, port = given(directory, names=(NAME,)), free_port()
    told = {"tls": "in-front", "public_url": f"https://{NAME}:{port}", **settings}
    async with gateway(database_url, bus_url, **told) as direct:
        behind = direct.base_url.port or 0
        token = direct.headers.get("Authorization", "")
        front = Front(port, behind, tls, token, direct)
        if kind == "nginx":
            async with nginx(directory / "nginx", port, server(port, behind, tls)):
                yield front
        else:
            async with caddy(directory / "caddy", port, behind, tls):
                yield front
