"""The page at /api in a real browser, over the real stack."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import NAME, api_of
from tests.browser.stack import HOST, stack

pytestmark = pytest.mark.browser


async def form(page: Page, operation: str) -> None:
    """Open one operation."""
    await page.locator(f"#{operation} > summary").click()
    await page.locator(f"#{operation} form").wait_for()


async def test_a_request_is_found_filled_in_sent_and_answered(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/api", provoked=("404 (Not Found)",)) as page,
    ):
        await expect(page.get_by_text(f"Requests are sent as {NAME}, who has the role admin.")).to_be_visible()
        await page.get_by_label("Find").fill("get hosts/{host} one host")
        await form(page, "get_hosts_host")
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("Required.")).to_be_visible()
        await page.get_by_label("host", exact=True).fill(HOST)
        await page.get_by_role("button", name="Send").click()
        answer = page.get_by_role("region", name="Answer")
        await expect(answer.get_by_role("status")).to_contain_text("200")
        await expect(answer.locator("pre")).to_contain_text(f'"id": "{HOST}"')
        await page.get_by_label("host", exact=True).fill("nobody")
        await page.get_by_role("button", name="Send").click()
        await expect(answer.locator("pre")).to_contain_text("/problems/unknown-host")
        assert await findings(page) == []


async def test_a_change_begins_with_an_example_and_is_made(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with stack(bus_url, database_url, tmp_path) as address, opened(chromium, f"{address}/api") as page:
        await form(page, "put_settings_setting")
        body = page.get_by_label("Body")
        await expect(body).to_have_value('{\n  "value": null\n}')
        await page.get_by_label("setting", exact=True).fill("raw_days")
        await page.get_by_label("If-Match").fill("*")
        await body.fill('{"value": 9}')
        await expect(page.locator(".line")).to_contain_text("-X PUT")
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("region", name="Answer").get_by_role("status")).to_contain_text("200")
        async with api_of(address) as api:
            assert (await api.get("/settings/raw_days")).json()["value"] == 9


async def test_a_stream_is_shown_as_it_comes_until_it_is_stopped(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with stack(bus_url, database_url, tmp_path) as address, opened(chromium, f"{address}/api") as page:
        await form(page, "get_live")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".answer pre")).to_contain_text("event: snapshot")
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_role("button", name="Send")).to_be_enabled()


async def test_the_page_is_as_good_in_light_colours_on_a_phone(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/api", scheme="light", width=390) as page,
    ):
        await form(page, "post_rules")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await findings(page) == []


async def test_somebody_without_a_login_is_told_so_and_may_read_the_document(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/api", known=False, provoked=("401 (Unauthorized)",)) as page,
    ):
        await expect(page.get_by_text("You are not logged in")).to_be_visible()
        await form(page, "get_hosts")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".answer pre")).to_contain_text("/problems/login-required")


async def test_a_document_that_did_not_come_is_asked_for_again(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    document = "**/openapi.json"
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/login", provoked=("status of 503",)) as page,
    ):
        await page.route(document, lambda route: route.fulfill(status=503, body="no"))
        await page.goto(f"{address}/api")
        await expect(page.get_by_role("alert")).to_contain_text("The document of the API could not be loaded.")
        await page.unroute(document)
        await page.get_by_role("button", name="Try now").click()
        await page.get_by_label("Find").wait_for()
        await expect(page.get_by_role("alert")).to_have_count(0)
