"""A bus that follows an authority of the test's own, agents that enrol, and users who are strangers to each other."""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import nats.errors
from nats.aio.client import Client

from infra.authority.authority import Authority, ensure_authority
from infra.authority.keys import Key, make_key
from infra.bus import connection as bus
from infra.bus.credentials import credentials_text, identity
from infra.bus.patience import Access, access_of
from infra.bus.streams import ensure_streams
from infra.servers.embedded import Server, guarded_nats_server
from schemas.enrolment import proof_text


@asynccontextmanager
async def guarded_bus(directory: Path) -> AsyncIterator[tuple[Server, Authority]]:
    """A nats-server below `directory` that admits whom the authority beside it signed, with every stream there.

    Entered again with the same directory, it is the same bus: streams, account and port.
    """
    authority = ensure_authority(directory / "authority")
    async with guarded_nats_server(directory / "nats", authority) as server:
        async with bus.connection(server.url, "migrate", access=user(authority, "migrate")) as client:
            await ensure_streams(client)
        yield server, authority


def user(authority: Authority, name: str) -> Access:
    """The access of a service, of `tools`, or of `system`."""
    return access_of(str(authority.credentials_path(name)))


@asynccontextmanager
async def as_user(server: Server, authority: Authority, name: str) -> AsyncIterator[Client]:
    """A connection as one of the authority's users."""
    async with bus.connection(server.url, name, user(authority, name)) as client:
        yield client


def agent_access(authority: Authority, directory: Path, name: str, key: Key | None = None) -> Access:
    """The access of an agent that nobody enrolled: signed here, kept in `directory`."""
    key = key or make_key("user")
    token = authority.sign_user("agent", key.public, name, int(time.time()), int(time.time()) + 3600)
    return written(directory / f"{name}-{key.public[-6:]}.creds", token, key)


def agent_file(authority: Authority, path: Path, name: str) -> Key:
    """Write the `.creds` file of an agent that nobody enrolled to `path`; returns its key."""
    key, now_s = make_key("user"), int(time.time())
    token = authority.sign_user("agent", key.public, name, now_s, now_s + 3600)
    path.write_text(credentials_text(token, key.seed))
    return key


def written(path: Path, token: str, key: Key) -> Access:
    """The access by this JWT and key, in the file `path`."""
    path.write_text(credentials_text(token, key.seed))
    return access_of(str(path))


async def made_token(client: httpx.AsyncClient, **wanted: Any) -> str:
    """The secret of a new enrolment token."""
    answer = await client.post("/enrolment-tokens", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


async def enrol(client: httpx.AsyncClient, token: str, key: Key, name: str = "") -> httpx.Response:
    """What the gateway answers an agent that would like to join."""
    return await client.post("/enrol", json={"token": token, "public_key": key.public, "name": name})


async def join(client: httpx.AsyncClient, directory: Path, name: str) -> tuple[Key, Access]:
    """An agent that enrolled."""
    key = make_key("user")
    answer = await enrol(client, await made_token(client), key, name)
    return key, written(directory / f"{name}.creds", answer.json()["jwt"], key)


async def admitted(url: str, access: Access) -> bool:
    """Whether the bus takes this user now."""
    client = Client()
    sign, jwt = identity(access.credentials)

    async def ignore(_: Exception) -> None:
        pass

    try:
        await client.connect(
            url, signature_cb=sign, user_jwt_cb=jwt, error_cb=ignore, allow_reconnect=False, connect_timeout=5
        )
    except (nats.errors.Error, OSError):
        return False
    else:
        return True
    finally:
        with contextlib.suppress(nats.errors.Error, OSError):
            await client.close()


async def prove(client: httpx.AsyncClient, path: str, key: Key) -> httpx.Response:
    """What the gateway answers at `path` to the owner of `key`."""
    challenge = (await client.get("/identity/challenge")).json()["challenge"]
    signature = base64.b64encode(key.sign(proof_text(challenge))).decode()
    return await client.post(path, json={"public_key": key.public, "challenge": challenge, "signature": signature})


def guarded_settings(authority: Authority) -> dict[str, str]:
    """Further settings of a gateway on a guarded bus."""
    return {
        "authority": str(authority.directory),
        "nats_credentials": str(authority.credentials_path("gateway")),
    }
