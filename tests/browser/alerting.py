"""A page of the dashboard over a gateway, and alerts that fire there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from playwright.async_api import Page

from infra.settings import ServerSettings
from infra.storage.database import Connection
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import served
from tests.gateway.incidents import open_incident

ADD_STATE = """
INSERT INTO alert_states (rule_id, host_id, instance, state, body, past)
SELECT rule_id, host_id, instance, 'firing', body, past FROM incidents WHERE id = $1
"""


async def firing(database: Connection, host: str = "web-1", rule: str = "cpu", **facts: Any) -> int:
    """An incident that is on, as judging leaves it; its number."""
    since_s = time.time() - 600
    number = await open_incident(database, host, rule, opened_s=since_s, since=since_s, **facts)
    await database.execute(ADD_STATE, number)
    return number


@asynccontextmanager
async def page_of(
    chromium: Chromium, bus_url: str, database_url: str, path: str, provoked: tuple[str, ...] = (), **looks: Any
) -> AsyncIterator[tuple[Page, httpx.AsyncClient]]:
    """The page at `path` once it is live, and the gateway's API. `looks`: as `opened` has it."""
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with (
        served(settings) as address,
        api_of(address) as api,
        opened(chromium, f"{address}{path}", provoked=provoked, **looks) as page,
    ):
        await page.locator(".connection.live").wait_for()
        yield page, api
