"""Every page in both themes, at three widths, enlarged and in forced colours: axe finds nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page

from tests.browser.axe import findings
from tests.browser.between import between
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import HOST, stack
from tests.gateway.rows import put

pytestmark = pytest.mark.browser

PAGES = {
    "/": ".card .number",
    "/?add": ".enrol .notice",
    f"/hosts/{HOST}?range=5m": "[data-chart=cpu]",
    "/hosts/gone-1?range=1h": ".stats",
    "/alerts": ".alert",
    "/compare": "[data-chart='cpu.total']",
    "/system": "[data-part=ingest]",
    "/settings": ".setting",
    "/account": "[data-session]",
    "/people": "[data-user]",
    "/audit": ".entry",
    "/viewers": "[data-viewer]",
    "/nothing": "h1",
}
"""Every page, and what is on it once it is there."""
WIDTHS = (1440, 1024, 390)
HOT = {
    "id": "hot",
    "name": "Any use at all",
    "metric": "memory.used_percent",
    "warning": {"raise_at": 0.5, "clear_at": 0.1},
    "critical": None,
}


@asynccontextmanager
async def lived_in(bus_url: str, database_url: str, data: Path) -> AsyncIterator[str]:
    """The stack with a host that is offline and a rule that fires."""
    hour_ago_ms = time.time_ns() // 1_000_000 - 3_600_000
    await put(database_url, "cpu", [(hour_ago_ms, "", {"total": 5000})], host="gone-1")
    async with stack(bus_url, database_url, data) as address:
        async with api_of(address) as api:
            (await api.post("/rules", json=HOT)).raise_for_status()
        yield address


async def ready(page: Page, path: str) -> None:
    await page.locator(".connection.live").wait_for()
    shown = page.locator(PAGES[path]).first
    await shown.wait_for(state="attached")
    await shown.scroll_into_view_if_needed()
    await shown.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_any_page(
    chromium: Chromium, scheme: Literal["light", "dark"], bus_url: str, database_url: str, tmp_path: Path
) -> None:
    found: list[str] = []
    async with lived_in(bus_url, database_url, tmp_path) as address:
        for path in PAGES:
            async with opened(chromium, address + path, scheme=scheme, width=WIDTHS[0]) as page:
                for width in WIDTHS:
                    await page.set_viewport_size({"width": width, "height": 900})
                    await ready(page, path)
                    found += [f"{path} at {width}: {what}" for what in await findings(page)]
                if path == "/alerts":
                    await page.get_by_role("button", name="New rule").click()
                    found += [f"the editor of rules: {what}" for what in await findings(page)]
                if HOST in path:
                    await page.locator(".facts summary").click()
                    await page.get_by_role("button", name="Remove host").click()
                    found += [f"the question before removal: {what}" for what in await findings(page)]
    assert not found, "\n".join(found)


async def test_axe_finds_nothing_while_the_gateway_is_away(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    found: list[str] = []
    async with lived_in(bus_url, database_url, tmp_path) as gateway, between(gateway) as (way, address):
        for path in ("/", f"/hosts/{HOST}?range=5m", "/alerts", "/settings"):
            way.harm()
            async with opened(chromium, address + path, provoked=("net::ERR_",)) as page:
                await ready(page, path)
                way.harm(stream="cut", rest="cut")
                await page.get_by_text("How hosts are now is not known").wait_for()
                found += [f"{path}: {what}" for what in await findings(page)]
    assert not found, "\n".join(found)


async def test_nothing_overflows_at_twice_the_size(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    """A window of 1280 pixels enlarged to 200 % has 640 of them left; one of 780, as a phone's, 390."""
    async with lived_in(bus_url, database_url, tmp_path) as address:
        for path in PAGES:
            async with opened(chromium, address + path) as page:
                for width in (640, 390, 320):
                    await page.set_viewport_size({"width": width, "height": 450})
                    await ready(page, path)
                    wide = await page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, f"{path} at {width}"
