"""A real nats-server that follows an authority, as the one of `sonde up` does."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nats.aio.client import Client

from infra.authority.authority import (
    Authority,
    credentials_text,
    ensure_authority,
    hand_accounts,
    server_access,
)
from infra.authority.keys import Key, make_key, write_private
from infra.bus import connection as bus
from infra.bus.patience import access_of
from infra.bus.streams import ensure_streams
from infra.servers.embedded import Server, nats_server


@asynccontextmanager
async def guarded_bus(directory: Path) -> AsyncIterator[tuple[Server, Authority]]:
    """The server, with its streams, and the authority in `directory`/authority."""
    authority = ensure_authority(directory / "authority")
    resolver = directory / "nats" / "resolver"
    async with nats_server(
        directory / "nats",
        access=server_access(authority, resolver),
        before=lambda _: hand_accounts(authority, resolver),
    ) as server:
        async with as_user(server, authority, "migrate") as migrate:
            await ensure_streams(migrate)
        yield server, authority


@asynccontextmanager
async def as_user(server: Server, authority: Authority, user: str) -> AsyncIterator[Client]:
    """A connection as one of the authority's users: a service, `tools` or `system`."""
    access = access_of(str(authority.credentials_path(user)))
    async with bus.connection(server.url, user, access) as client:
        yield client


def agent_file(authority: Authority, path: Path, name: str, life_s: int = 3600, role: str = "agent") -> Key:
    """Write the `.creds` file of a new user called `name` to `path`; returns its key."""
    user, now_s = make_key("user"), int(time.time())
    token = authority.sign_user(role, user.public, name, now_s, now_s + life_s)
    write_private(path, credentials_text(token, user.seed))
    return user
