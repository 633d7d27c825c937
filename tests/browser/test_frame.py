"""The frame around the pages: focus, addresses that make no sense, storage that is forbidden."""

from __future__ import annotations

import pytest

from infra.settings import ServerSettings
from tests.browser.between import between
from tests.browser.browser import Chromium, opened
from tests.browser.stack import served

pytestmark = pytest.mark.browser

FOCUSED = "document.activeElement.id || document.activeElement.tagName"


def settings(bus_url: str, database_url: str) -> ServerSettings:
    return ServerSettings(nats_url=bus_url, database_url=database_url, port=0)


async def test_the_skip_link_moves_the_focus_past_the_header(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with served(settings(bus_url, database_url)) as address, opened(chromium, f"{address}/settings") as page:
        await page.locator(".setting").first.wait_for()
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
        await page.keyboard.press("Enter")
        assert await page.evaluate(FOCUSED) == "main"
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.querySelector('main').contains(document.activeElement)")


async def test_another_page_begins_with_the_focus_in_it(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with served(settings(bus_url, database_url)) as address, opened(chromium, f"{address}/settings") as page:
        await page.locator(".setting").first.wait_for()
        await page.get_by_role("link", name="Alerts", exact=True).click()
        await page.locator(".rule").first.wait_for()
        assert await page.evaluate(FOCUSED) == "main"


@pytest.mark.parametrize("path", ["/", "/settings"])
async def test_forbidden_storage_costs_nothing_but_what_is_kept(
    chromium: Chromium, bus_url: str, database_url: str, path: str
) -> None:
    forbidden = """for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, {get() { throw new DOMException('denied', 'SecurityError'); }});"""
    async with (
        served(settings(bus_url, database_url)) as address,
        opened(chromium, address + path, before=forbidden) as page,
    ):
        await page.get_by_text("No host has reported yet" if path == "/" else "Raw samples kept").first.wait_for()
        await page.keyboard.press("t")


async def test_the_banner_is_announced_once_and_not_every_second(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    refused = "window.fetch = async () => { throw new TypeError('no network'); }; delete globalThis.SharedWorker;"
    refused += "Object.defineProperty(navigator, 'locks', {value: undefined})"
    spoken = """() => {
      const place = document.querySelector('.banner-place').cloneNode(true);
      for (const silent of place.querySelectorAll('[aria-hidden]')) silent.remove();
      return place.textContent;
    }"""
    async with (
        served(settings(bus_url, database_url)) as address,
        opened(chromium, address, before=refused) as page,
    ):
        await page.get_by_text("How hosts are now is not known").wait_for()
        first, shown = await page.evaluate(spoken), await page.locator(".banner").inner_text()
        await page.wait_for_function("shown => document.querySelector('.banner').innerText !== shown", arg=shown)
        assert await page.evaluate(spoken) == first


async def test_a_page_that_fails_says_so_and_leaves_the_frame_standing(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with served(settings(bus_url, database_url)) as gateway, between(gateway) as (way, address):
        way.harm(rest="json")
        async with opened(chromium, f"{address}/settings", provoked=("is not", "Cannot read")) as page:
            await page.get_by_text("This page cannot be shown. That is an error in Sonde").wait_for()
            await page.get_by_role("link", name="Alerts", exact=True).wait_for()
            way.harm()
            await page.get_by_role("button", name="Reload").click()
            await page.locator(".setting").first.wait_for()
