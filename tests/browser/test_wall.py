"""A screen that nobody touches."""

from __future__ import annotations

from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import msgspec
import pytest

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import sending, served

pytestmark = pytest.mark.browser


async def test_a_wall_shows_saved_views_in_turn_and_says_when_they_are_not_live(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with AsyncExitStack() as gateway, sending(bus_url, "web-1", "web-2"):
        address = await gateway.enter_async_context(served(settings))
        async with api_of(address) as api:
            for name, path in (("Web one", "/?q=web-1"), ("Parts", "/system")):
                (await api.post("/views", json={"name": name, "path": path})).raise_for_status()
        async with opened(chromium, f"{address}/?wall=5&q=web-1", provoked=("net::ERR_",)) as page:
            await page.locator(".wall-strip").get_by_text("Web one").wait_for()
            await page.locator(".card").first.wait_for()
            assert await page.locator(".header, .search, .view-bar").locator("visible=true").count() == 0
            assert not await findings(page)
            await page.wait_for_url("**/system?wall=5")
            await page.locator(".wall-strip").get_by_text("Parts").wait_for()
            await page.wait_for_url("**/?q=web-1&wall=5")

            await gateway.aclose()
            await page.get_by_role("alert").get_by_text("Not live").wait_for()
            async with served(msgspec.structs.replace(settings, port=urlsplit(address).port)):
                await page.locator(".wall-stale").wait_for(state="detached")
                await page.locator(".wall-strip .connection.live").wait_for()
                await page.keyboard.press("Escape")
                await page.locator(".header").wait_for()
                assert "wall" not in page.url
