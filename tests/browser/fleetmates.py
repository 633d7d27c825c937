"""Machines that join while a browser looks: a gateway on a guarded bus, which others could reach, and its agents."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from infra.authority.keys import make_key
from infra.bus import connection as bus
from infra.bus.patience import Access
from infra.settings import ServerSettings
from schemas.codec import Sample
from schemas.version import VERSION
from tests.authority import enrol, guarded_bus, guarded_settings, made_token, written
from tests.browser.logins import api_of
from tests.browser.stack import served
from tests.gateway.running import publish

PUBLIC = "https://sonde.example:8443"
"""Under which other machines would reach the gateway."""
BUS = "tls://sonde.example:4222"


class Mates(Struct):
    """The gateway as a browser, an API client and a machine see it."""

    address: str
    api: httpx.AsyncClient
    bus_url: str
    directory: Path
    accesses: dict[str, Access] = msgspec.field(default_factory=dict)

    async def join(self, token: str, name: str) -> None:
        """Enrol a machine that would like to be called `name`."""
        key = make_key("user")
        answer = await enrol(self.api, token, key, name)
        assert answer.status_code == 201, answer.text
        joined = answer.json()
        self.accesses[joined["host"]] = written(self.directory / f"{name}.creds", joined["jwt"], key)

    async def send(self, name: str) -> None:
        """A sample of the host called `name`, as its agent sends it to those who watch."""
        async with bus.connection(self.bus_url, name, access=self.accesses[name]) as client:
            await publish(client, Sample(time.time_ns() // 1_000_000, {"cpu": {"": {"total": 1000}}}), host=name)

    async def member(self, name: str) -> None:
        """A host that joined before, and sends."""
        await self.join(await made_token(self.api), name)
        await self.send(name)


@asynccontextmanager
async def mates(database_url: str, directory: Path, **settings: Any) -> AsyncIterator[Mates]:
    """A gateway that other machines can reach, or with other `settings`."""
    wheels = directory / "wheels"
    wheels.mkdir()
    (wheels / f"sonde-{VERSION}-py3-none-any.whl").write_bytes(b"what machines would install")
    async with guarded_bus(directory) as (server, authority):
        reachable = {"public_url": PUBLIC, "bus_url": BUS, "wheels": str(wheels)}
        told = {**reachable, **guarded_settings(authority), **settings}
        made = ServerSettings(nats_url=server.url, database_url=database_url, port=0, **told)
        async with (
            served(made) as address,
            api_of(address) as api,
        ):
            yield Mates(address, api, server.url, directory)
