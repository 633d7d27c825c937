"""The palette under Ctrl-K, the keys under `?`, and the pages within reach of a thumb."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.keyboard import focused
from tests.browser.stack import HOST, served, stack
from tests.people import add_session

pytestmark = pytest.mark.browser

UNCOVERED = """(heading) => {
  const { x, y } = heading.getBoundingClientRect();
  return document.elementFromPoint(x + 4, y + 4) === heading;
}"""
CLOSED = "() => document.querySelector('dialog[open]') === null"


async def choose(page: Page, text: str) -> None:
    """Open the palette, type `text` at once, and take the first that is found."""
    await page.keyboard.press("Control+k")
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await page.wait_for_function(CLOSED)


async def test_every_page_host_and_action_is_found_by_typing(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with stack(bus_url, database_url, tmp_path) as address, opened(chromium, f"{address}/settings") as page:
        await page.locator(".setting").first.wait_for()
        await page.get_by_text("1 host", exact=True).wait_for()
        await choose(page, "audit")
        await page.wait_for_url("**/audit")
        await choose(page, HOST)
        await page.wait_for_url(f"**/hosts/{HOST}")
        assert await page.evaluate("document.activeElement.id") == "main"
        await choose(page, "dark col")
        assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
        await choose(page, "high contrast")
        assert await page.evaluate("document.documentElement.dataset.contrast") == "more"
        assert not await findings(page)

        # The arrows move the focus itself, and what is typed goes into the field from wherever it is.
        await page.get_by_role("navigation", name="Pages").get_by_role("link", name="Settings").focus()
        await page.keyboard.press("Control+k")
        await page.locator(".palette li").first.wait_for()
        assert not await findings(page)
        await page.keyboard.press("ArrowDown")
        assert (await focused(page)).startswith("Fleet")
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("ArrowUp")
        await page.keyboard.type("rule")
        assert await page.locator(".palette input").input_value() == "rule"
        await page.keyboard.press("Escape")
        await page.wait_for_function(CLOSED)
        assert await focused(page) == "Settings"

        await page.keyboard.press("?")
        await page.get_by_role("dialog", name="Keys").get_by_text("Find a page, host, view or action").wait_for()
        assert not await findings(page)


async def test_forms_and_settings_are_opened_from_anywhere_and_by_their_address(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with stack(bus_url, database_url, tmp_path) as address, opened(chromium, f"{address}/hosts/{HOST}") as page:
        await page.get_by_role("button", name="Edit label, tags").wait_for()
        for words, title, path in (
            (f"silence {HOST}", "New silence", "/alerts"),
            ("new channel", "New channel", "/settings"),
            ("new route", "New route", "/settings"),
            ("new user", "Add a user", "/people"),
        ):
            await page.keyboard.press("Control+k")
            await page.keyboard.type(words)
            await page.keyboard.press("Enter")
            form = page.get_by_role("dialog", name=title)
            await form.wait_for()
            if title == "New silence":
                assert await form.get_by_label("Hosts").input_value() == HOST
            # Going back leads to where one was, and not to the form.
            await page.wait_for_url(f"{address}{path}")
            await form.get_by_role("button", name=re.compile("^(Cancel|Close)$")).last.click()
            await page.wait_for_function(CLOSED)
        await choose(page, "settings: live view")
        await page.wait_for_url("**/settings#live-view")
        heading = page.get_by_role("heading", name="Live view")
        await expect(heading).to_be_in_viewport()
        await page.wait_for_function(UNCOVERED, arg=await heading.element_handle())
        await page.goto(f"{address}/hosts/{HOST}?edit=said")
        await page.get_by_role("dialog").get_by_label("Tags").wait_for()


async def test_an_action_that_somebody_may_not_do_says_what_it_needs(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    reader = await add_session(database_url, "vera", "viewer")
    async with served(settings) as address, opened(chromium, f"{address}/alerts", session=reader) as page:
        await page.locator(".connection.live").wait_for()
        await page.keyboard.press("Control+k")
        await page.keyboard.type("add a machine")
        await page.get_by_role("button", name="Needs the role admin").wait_for()
        await page.locator(".palette input").fill("audit")
        await page.get_by_text("1 found").wait_for()  # the fleet's own search; there is no such page for them


async def test_on_a_phone_the_pages_are_within_reach_of_the_thumb(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, opened(chromium, address, width=390, height=844) as page:
        await page.locator(".connection.live").wait_for()
        for link in await page.get_by_role("navigation", name="Pages").get_by_role("link").all():
            box = await link.bounding_box()
            assert box is not None
            assert box["y"] > 844 * 0.75, "it is at the bottom"
            assert min(box["width"], box["height"]) >= 44
        await page.get_by_role("button", name="Find a page, host, view or action").click()
        await page.get_by_role("dialog").get_by_role("link", name="Settings", exact=True).click()
        await page.wait_for_url("**/settings")
