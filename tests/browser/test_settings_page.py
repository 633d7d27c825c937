"""The page of settings: what it says beforehand, what it refuses, and what is typed is not lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from playwright.async_api import Page, Route, expect

from infra.settings import ServerSettings
from schemas.settings import SECRETS, RuntimeSettings, parse_setting, setting_keys
from tests.browser.browser import Chromium, opened
from tests.browser.keyboard import focused, tab_to
from tests.browser.logins import api_of
from tests.browser.stack import served
from tests.gateway.rows import execute

pytestmark = pytest.mark.browser

BOUNDS = """Object.fromEntries([...document.querySelectorAll('[data-setting]')].map((row) =>
  [row.dataset.setting, row.querySelector('.bounds')?.textContent ?? '']))"""

TYPED_AND_LEFT = """(field) => {
  field.focus();
  document.execCommand('insertText', false, '9');
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = () => document.querySelector('nav a[href^="/"]:not([href="/settings"])').click();
  port1.postMessage(null);
}"""
STAYED_AND_LEFT = """(stay) => {
  stay.click();
  document.querySelector('nav a[href^="/"]:not([href="/settings"])').click();
}"""


@asynccontextmanager
async def settings_page(
    chromium: Chromium, bus_url: str, database_url: str, *, provoked: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Page, httpx.AsyncClient]]:
    """The page with its settings on it, and the gateway's API."""
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with (
        served(settings) as address,
        api_of(address) as api,
        opened(chromium, f"{address}/settings", provoked=provoked) as page,
    ):
        await page.locator(".setting input").first.wait_for()
        yield page, api


@pytest.mark.parametrize("way", ["link", "back button"])
async def test_leaving_with_a_value_typed_asks_first(
    chromium: Chromium, way: str, bus_url: str, database_url: str
) -> None:
    async with settings_page(chromium, bus_url, database_url) as (page, _):
        entries = await page.evaluate("history.length")
        # A page to go back to.
        await page.get_by_role("link", name="Fleet", exact=True).click()
        await page.get_by_role("link", name="Settings").click()
        field = page.get_by_label("Raw samples kept")
        await field.fill("9")

        async def leave() -> None:
            if way == "link":
                await page.get_by_role("link", name="Fleet", exact=True).click()
            else:
                await page.evaluate("history.back()")

        await leave()
        await page.get_by_text("Not saved yet: Raw samples kept.").wait_for()
        await page.get_by_role("button", name="Stay").click()
        assert await field.input_value() == "9"
        assert page.url.endswith("/settings")
        await leave()
        await page.get_by_role("button", name="Leave").click()
        await page.wait_for_url(re.compile(r"/$"))
        # Going back leads to where one was, and leaves no second entry of the page that was left.
        assert await page.evaluate("history.length") == entries + (3 if way == "link" else 2)


async def test_leaving_in_the_frame_of_the_typing_or_of_the_answer_asks_too(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with settings_page(chromium, bus_url, database_url) as (page, _):
        await page.get_by_label("Raw samples kept").evaluate(TYPED_AND_LEFT)
        await page.get_by_text("Not saved yet: Raw samples kept.").wait_for()
        await page.get_by_role("button", name="Stay").evaluate(STAYED_AND_LEFT)
        await page.get_by_role("button", name="Leave", exact=True).click()
        await page.wait_for_url(lambda url: not url.endswith("/settings"))


async def test_the_default_asked_for_is_what_is_saved_over_somebody_elses_change(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with settings_page(chromium, bus_url, database_url, provoked=("status of 412",)) as (page, api):
        field = page.get_by_label("Raw samples kept")
        changes: list[httpx.Response] = []

        async def change(value: int) -> None:
            version = (await api.get("/settings/raw_days")).headers["etag"]
            answer = await api.put("/settings/raw_days", json={"value": value}, headers={"If-Match": version})
            changes.append(answer.raise_for_status())

        async def changed_meanwhile(route: Route) -> None:
            if route.request.method == "DELETE" and len(changes) == 1:
                await change(8)
            await route.continue_()

        await change(9)
        await expect(field).to_have_value("9")
        await page.route("**/api/v1/settings/raw_days", changed_meanwhile)
        row = page.locator("[data-setting=raw_days]")
        await row.get_by_role("button", name="Use default").click()
        await row.get_by_text("Somebody changed this meanwhile to “8”.").wait_for()
        await row.get_by_role("button", name="Save mine over it").click()
        await expect(field).to_have_value("7")


async def test_a_number_out_of_its_range_is_refused_where_it_was_typed(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with settings_page(chromium, bus_url, database_url) as (page, _):
        field = page.get_by_label("Raw samples kept")
        await field.fill("99999")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(field).to_be_focused()
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(field).to_have_accessible_description(re.compile("^Type a number from 1 to 3,650"))


async def test_what_the_gateway_refuses_is_told_with_labels_and_the_focus_stays(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with settings_page(chromium, bus_url, database_url, provoked=("status of 400",)) as (page, _):
        field = page.get_by_label("Raw samples kept")
        await field.fill("40")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(field).to_have_accessible_description(
            re.compile("^must not exceed “Minute values kept”, which is 30; raise “Minute values kept” to at least 40")
        )
        await expect(field).to_be_focused()


async def test_the_ranges_on_the_page_are_those_of_the_gateway(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with settings_page(chromium, bus_url, database_url) as (page, _):
        told: dict[str, str] = await page.evaluate(BOUNDS)
    assert set(told) == set(setting_keys())
    switches = {key for key in told if isinstance(getattr(RuntimeSettings(), key), bool)}
    for key in set(told) - SECRETS - switches - {"dashboard_url"}:
        found = re.match(r"From ([\d,]+) to ([\d,]+)", told[key])
        assert found, key
        least, most = (int(number.replace(",", "")) for number in found.groups())
        for allowed in (least, most):
            parse_setting(key, allowed)
        for refused in (least - 1, most + 1):
            with pytest.raises(msgspec.ValidationError):
                parse_setting(key, refused)


async def test_no_key_of_the_api_is_shown(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with settings_page(chromium, bus_url, database_url) as (page, _):
        shown = await page.inner_text("main")
    assert not [key for key in setting_keys() if key in shown]


async def test_settings_that_cannot_be_loaded_say_so_and_this_browsers_own_still_work(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with settings_page(chromium, bus_url, database_url, provoked=("status of 503",)) as (page, _):
        await page.route("**/api/v1/settings", lambda route: route.fulfill(status=503))
        await page.reload()
        await page.get_by_text("The settings could not be loaded.").wait_for()
        await page.get_by_label("Colours").select_option("light")
        await expect(page.locator("html")).to_have_attribute("data-theme", "light")
        await page.unroute("**/api/v1/settings")
        await page.get_by_role("button", name="Try now").click()
        await page.get_by_label("Raw samples kept").wait_for()


async def test_a_secret_goes_in_and_never_comes_out(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with settings_page(chromium, bus_url, database_url) as (page, _):
        field = page.get_by_label("Dead man’s switch", exact=True)
        await field.fill("https://switch.example/ping/secret")
        await field.press("Enter")
        await page.get_by_text("Saved", exact=True).wait_for()
        assert await field.input_value() == ""
        await expect(field).to_have_attribute("placeholder", "set; type to replace it")
        await page.get_by_role("button", name="Remove").click()
        await expect(field).to_have_attribute("placeholder", "not set")


async def test_a_setting_is_changed_and_put_back_with_the_keyboard_alone(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with settings_page(chromium, bus_url, database_url) as (page, api):
        await tab_to(page, "Raw samples kept")
        await page.keyboard.press("Control+A")
        await page.keyboard.type("9")
        await tab_to(page, "Save")
        await page.keyboard.press("Enter")
        await page.get_by_text("Saved", exact=True).wait_for()
        assert (await api.get("/settings/raw_days")).json()["value"] == 9
        assert await focused(page) == "Raw samples kept"
        await tab_to(page, "Use default")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Raw samples kept")).to_have_value("7")
        assert await focused(page) == "Raw samples kept"


async def test_a_stored_value_that_cannot_be_used_is_said_and_put_back(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await execute(database_url, "INSERT INTO settings (key, value) VALUES ('raw_days', '0')")
    async with settings_page(chromium, bus_url, database_url) as (page, api):
        await page.get_by_text("What is stored cannot be used").wait_for()
        await page.get_by_role("button", name="Use default").click()
        await page.get_by_text("What is stored cannot be used").wait_for(state="detached")
        assert (await api.get("/settings/raw_days")).json()["invalid"] == ""
