"""A gateway with people, a form to log in with, and a client that does what others do meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from playwright.async_api import Page

from infra.settings import ServerSettings
from tests.browser.stack import served
from tests.gateway.running import TRUST
from tests.people import PASSWORD, add_token, bearing

ENDED = "Your session has ended"


@asynccontextmanager
async def with_people(bus_url: str, database_url: str) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    """The address of a gateway, and an admin's client for its API that needs no session: that of the user `root`."""
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    token = await add_token(database_url, "admin", "root")
    async with (
        served(settings) as address,
        httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=60, verify=TRUST) as api,
    ):
        yield address, bearing(api, token)


async def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill the form and send it; what comes of it is the caller's to await."""
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.keyboard.press("Enter")


async def end_sessions(api: httpx.AsyncClient, name: str) -> None:
    """End every session of the user `name`, as an administrator elsewhere does."""
    for session in (await api.get("/sessions", params={"all": "true"})).json()["sessions"]:
        if session["user"] == name:
            (await api.delete(f"/sessions/{session['id']}")).raise_for_status()


async def asked_before_leaving(page: Page, what: str) -> None:
    """Assert that a way to another page asks first, because `what` would be lost; the answer is to stay."""
    await page.get_by_role("link", name="Fleet", exact=True).click()
    question = page.get_by_role("dialog", name="Leave without saving?")
    await question.get_by_text(f"Not saved yet: {what}").wait_for()
    await question.get_by_role("button", name="Stay").click()
    await question.wait_for(state="detached")
