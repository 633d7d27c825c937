"""Saved views, the page that opens first, and preferences that follow a person from one browser to another."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import sending, served
from tests.waiting import eventually

pytestmark = pytest.mark.browser


def shown(page: Page) -> str:
    """Path and query of the page."""
    parts = urlsplit(page.url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


async def test_a_page_is_saved_found_again_and_opened_first(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, sending(bus_url, "web-1", "web-2"), api_of(address) as api:

        async def saved(*names: str) -> None:
            async def so() -> bool:
                return [view["name"] for view in (await api.get("/views")).json()["views"]] == list(names)

            await eventually(so)

        async def kept() -> bool:
            told = (await api.get("/preferences")).json()
            return told["start"] == "/?q=web-1" and told["theme"] == "light"

        async with opened(chromium, f"{address}/?q=web-1") as page:
            await page.locator(".card").first.wait_for()
            await page.get_by_role("button", name="Saved views").click()
            dialog = page.get_by_role("dialog", name="Saved views")
            await dialog.get_by_label("Save this page as").fill("Web one")
            await dialog.get_by_role("button", name="Save", exact=True).click()
            await dialog.locator("[data-view='Web one']").wait_for()
            await dialog.get_by_label("Save this page as").fill("Other")
            await dialog.get_by_role("button", name="Save", exact=True).click()
            await dialog.get_by_role("button", name="Rename, order, delete").click()
            await dialog.get_by_role("button", name="Other up").click()
            await expect(dialog.locator("li > span").first).to_have_text("Other")
            await saved("Other", "Web one")
            assert not await findings(page)
            await dialog.get_by_role("button", name="Rename Other").click()
            await page.keyboard.type("Third")
            await page.keyboard.press("Enter")
            await dialog.get_by_role("button", name="Delete Third").click()
            await saved("Web one")
            await dialog.get_by_role("button", name="Bring it back").click()
            await saved("Third", "Web one")
            await dialog.get_by_label("Opens first").select_option("Web one")
            await page.keyboard.press("Escape")
            await page.keyboard.press("t")  # light, after the system's
            await page.get_by_role("link", name="System", exact=True).click()
            await page.keyboard.press("Control+k")
            await page.keyboard.type("web one")
            await page.locator(".palette .first").get_by_text("Web one").wait_for()
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/?q=web-1")
            await eventually(kept)
        async with opened(chromium, address) as page:
            await page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
            await page.wait_for_url("**/?q=web-1")
            await page.get_by_role("link", name="Fleet", exact=True).click()
            await page.locator(".connection.live").wait_for()
            assert shown(page) == "/", "the fleet itself is still to be had"
            await page.goto(address)
            await page.wait_for_url("**/?q=web-1")


CHOSEN_BEFORE = """if (localStorage.getItem('units') === null) localStorage.setItem('units', 'decimal')"""
"""A script to run before a page's own: this browser had a choice of its own before it knew any account."""
LEFT = "['start', 'account', 'me'].map((name) => localStorage.getItem(name))"


async def test_what_each_of_two_browsers_prefers_is_kept_and_goes_when_they_log_out(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, api_of(address) as api:

        async def preferred(**wanted: str) -> None:
            async def so() -> bool:
                told = (await api.get("/preferences")).json()
                return {name: told[name] for name in wanted} == wanted

            await eventually(so)

        async with (
            opened(chromium, f"{address}/system", before=CHOSEN_BEFORE, provoked=("401",)) as page,
            opened(chromium, f"{address}/system", provoked=("401",)) as other,
        ):
            await preferred(units="decimal", start="/")  # the account had none, and takes those of the browser
            await other.wait_for_function("() => localStorage.getItem('account') !== null")
            await page.get_by_role("button", name="Saved views").click()
            await page.get_by_label("Opens first").select_option("/system")
            await preferred(start="/system")
            await other.get_by_role("heading", name="System").wait_for()
            await other.keyboard.press("t")
            await preferred(start="/system", theme="light", units="decimal")

            await page.keyboard.press("Escape")
            tab = await page.context.new_page()
            await tab.goto(f"{address}/?fleet")
            await tab.get_by_text("No host has reported yet").wait_for()
            assert shown(tab) == "/", "a link to the fleet leads there, whatever opens first"
            await page.keyboard.press("t")
            await tab.wait_for_function("() => document.documentElement.dataset.theme !== undefined")

            await page.keyboard.press("Control+k")
            await page.keyboard.type("log out")
            await page.locator(".palette .first").get_by_text("Log out").wait_for()
            await page.keyboard.press("Enter")
            await page.get_by_label("Password").wait_for()
            assert shown(page) == "/", "whoever logs in next does not see where the one before began"
            assert [name for name in await page.evaluate(LEFT) if name not in (None, "", "/")] == []
