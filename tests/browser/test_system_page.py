"""The page that says how Sonde itself is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from infra.settings import ServerSettings
from schemas.version import VERSION
from services.retention import service as retention
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import NAME, api_of
from tests.browser.stack import HOST, served, stack
from tests.waiting import eventually

pytestmark = pytest.mark.browser

STATUSES = """() => Object.fromEntries([...document.querySelectorAll('[data-part]')].map(
  ({ dataset }) => [dataset.part, dataset.status]))"""


@asynccontextmanager
async def retained(settings: ServerSettings) -> AsyncIterator[None]:
    """A retention service while the context lasts: it measures what is stored."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(retention.run(settings, stop))
        try:
            yield
        finally:
            stop.set()


async def test_parts_agents_and_viewers_are_told_as_the_api_tells_them(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    settings = ServerSettings(data=str(tmp_path), nats_url=bus_url, database_url=database_url)
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        retained(settings),
        api_of(address) as api,
        opened(chromium, f"{address}/system") as page,
    ):

        async def agree() -> bool:
            told = {part["name"]: part["status"] for part in (await api.get("/health")).json()["components"]}
            return bool(told == await page.evaluate(STATUSES))

        await eventually(agree)
        await page.locator("[data-part=ingest]").get_by_text("Lag").wait_for()
        version = page.locator(f"[data-version='{VERSION}']")
        await version.get_by_text("1 host").wait_for()
        await version.locator("summary").click()
        await version.get_by_role("link", name=HOST).wait_for()
        await page.locator("[data-viewer]").get_by_text(NAME, exact=True).wait_for()
        await page.locator("[data-stream=METRICS]").get_by_text("messages").wait_for()

        async def stored() -> bool:
            use = (await api.get("/storage")).json()["use"]
            return use is not None and any(table["bytes"] > 0 for table in use["tables"])

        await eventually(stored)
        await page.reload()
        await page.locator("[data-family=cpu]").wait_for()
        await page.get_by_text("Samples by family and day").click()
        await page.get_by_role("columnheader", name="CPU", exact=True).wait_for()
        assert not await findings(page)
        await page.set_viewport_size({"width": 390, "height": 844})
        assert not await findings(page)
        assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_a_service_that_does_not_run_is_told_with_what_to_do(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, opened(chromium, f"{address}/system") as page:
        await told(page, "Down", "check that `sonde ingest` runs")
        await page.get_by_text("Not measured yet").wait_for()
        async with opened(chromium, f"{address}/settings"):
            await page.get_by_text("2 at the moment").wait_for()
        await page.get_by_text("1 at the moment").wait_for()
        assert not await findings(page)


async def told(page: Page, status: str, remedy: str) -> None:
    ingest = page.locator("[data-part=ingest]")
    await expect(ingest).to_contain_text(remedy, timeout=60_000)
    await expect(ingest.locator(".status").first).to_have_text(status)
