"""Who looks at the dashboards of the tests: an administrator with a session for browsers and a token for programs."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
from playwright.async_api import BrowserContext

from tests.gateway.running import TRUST
from tests.people import add_session, add_token

NAME = "ada"


class Login(NamedTuple):
    """What is shown to a gateway."""

    session: str
    token: str


_by_database: dict[str, Login] = {}
"""Of each gateway that a test served; the last one is the one that it looks at."""


async def remember(database_url: str) -> None:
    """Make a login for the gateway on that database, which is served now, or once more."""
    login = _by_database.pop(database_url, None)
    _by_database[database_url] = login or Login(
        await add_session(database_url, NAME), await add_token(database_url, name=NAME)
    )


def latest() -> Login:
    """That of the gateway served last."""
    return next(reversed(_by_database.values()))


async def log_in(context: BrowserContext, address: str, session: str = "") -> None:
    """Give the browser the cookie of the gateway served last, or that of another `session` there.

    Cookies know no ports, so it is good behind a proxy.
    """
    secret, domain = session or latest().session, urlsplit(address).hostname or ""
    await context.add_cookies([{"name": "sonde_session", "value": secret, "domain": domain, "path": "/"}])


def api_of(address: str) -> httpx.AsyncClient:
    """A client of the gateway served last, at `address`, whose base is /api/v1."""
    headers = {"Authorization": f"Bearer {latest().token}"}
    return httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=60, verify=TRUST)
