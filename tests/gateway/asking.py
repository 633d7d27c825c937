"""The gateway's application without its server and its bus, for tests that only read the past."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from infra.settings import ServerSettings
from infra.storage.database import pool
from schemas.catalogue import CATALOGUE
from services.gateway.app import create_app
from services.gateway.fleet.memory import Fleet
from services.gateway.held import Held
from services.gateway.history.resolution import LENGTH_MS, Reach
from services.gateway.http.bus import Bus
from services.gateway.live.hub import Hub
from services.gateway.settings.runtime import Runtime
from tests.gateway.rows import execute, utc
from tests.people import add_token, bearing


@asynccontextmanager
async def asking(
    database_url: str, reach: Reach | None = None, fleet: Fleet | None = None, token: str | None = None, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose base is /api/v1; `reach`, unless None, is what retention has noted to have dropped by now.

    It bears `token`: None for one of an administrator, made in the database; empty for none.
    """
    secret = await add_token(database_url) if token is None else token
    if reach is not None:
        await note_reach(database_url, reach)
    fleet = fleet or Fleet(CATALOGUE)
    async with pool(database_url, "test gateway", 4, least=0) as connections:
        app = create_app(Held(ServerSettings(**settings), connections, Bus(), Hub(fleet), Runtime(), lambda _: None))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1", timeout=60) as client:
            yield bearing(client, secret)


async def note_reach(database_url: str, reach: Reach) -> None:
    """Note what is dropped, as retention does before it drops it."""
    for kind in LENGTH_MS:
        await execute(
            database_url,
            "INSERT INTO horizons VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET before = excluded.before",
            kind,
            utc(reach.begin_ms(kind)),
        )


async def get(client: httpx.AsyncClient, path: str, **query: object) -> Any:
    """The answer of a request that succeeds; a trailing underscore is dropped from names, as of `from_`."""
    parameters = {name.rstrip("_"): str(value) for name, value in query.items()}
    response = await client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()
