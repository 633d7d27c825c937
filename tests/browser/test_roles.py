"""What somebody may not do is shown as such, with the reason, and is not found out by failing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import NAME
from tests.browser.people import log_in, with_people
from tests.browser.stack import HOST, served, stack
from tests.people import add_session

pytestmark = pytest.mark.browser

VIEWERS = "Needs the role {}; yours is viewer."


async def is_withheld(button: Locator, role: str) -> None:
    """It says what it needs, to those who see it and those who hear it, and does nothing."""
    await expect(button).to_have_attribute("aria-disabled", "true")
    await expect(button).to_have_attribute("data-reason", VIEWERS.format(role))
    await expect(button).to_have_accessible_name(re.compile(re.escape(VIEWERS.format(role))))
    await button.focus()
    await button.press("Enter")
    await expect(button.page.locator("dialog[open]")).to_have_count(0)


async def test_a_viewer_sees_what_it_would_take_to_change_something(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with stack(bus_url, database_url, tmp_path) as address:
        viewer = await add_session(database_url, "vera", "viewer")
        async with opened(chromium, address, session=viewer) as page:
            await page.locator(".card .number").first.wait_for()
            for button in await page.get_by_role("button", name="Add a machine").all():
                await is_withheld(button, "admin")
            await page.get_by_role("link", name="Alerts", exact=True).click()
            await is_withheld(page.get_by_role("button", name="New rule"), "operator")
            await is_withheld(page.locator(".rule").first.get_by_role("button", name=re.compile("^Edit")), "operator")
            await expect(page.locator(".rule").first.get_by_role("switch")).to_be_disabled()
        async with opened(chromium, f"{address}/hosts/{HOST}", session=viewer) as page:
            await page.locator(".facts summary").click()
            await is_withheld(page.get_by_role("button", name="Remove host"), "admin")
            await is_withheld(page.get_by_role("button", name=re.compile("^Edit label")), "operator")


async def test_settings_can_be_read_but_not_typed_into_by_an_operator(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        operator = await add_session(database_url, "ben", "operator")
        async with opened(chromium, f"{address}/settings", session=operator, width=390) as page:
            await page.get_by_text("Needs the role admin; yours is operator.").first.wait_for()
            field = page.get_by_label("Raw samples kept")
            await expect(field).not_to_be_editable()
            assert not await findings(page)


async def test_an_operator_makes_rules_but_adds_no_machine(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        operator = await add_session(database_url, "ben", "operator")
        async with opened(chromium, address, session=operator) as page:
            await page.get_by_text("An admin gets a line to paste on the machine here.").wait_for()
            await page.get_by_role("link", name="Alerts", exact=True).click()
            await page.get_by_role("button", name="New rule").click()
            await page.get_by_label("Name", exact=True).wait_for()


@pytest.mark.parametrize("path", ["/people", "/audit"])
async def test_pages_of_admins_say_so_to_others(chromium: Chromium, path: str, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        operator = await add_session(database_url, "ben", "operator")
        async with opened(chromium, address + path, session=operator) as page:
            await page.get_by_text("Needs the role admin; yours is operator.").wait_for()
            await page.get_by_role("button", name="ben account").click()
            menu = page.get_by_role("navigation", name="Account")
            await expect(menu.get_by_role("link")).to_have_text(["Account", "Viewers"])


async def test_a_role_that_is_lowered_counts_at_once(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        operator = await add_session(database_url, "vera", "operator")
        async with opened(chromium, f"{address}/alerts", session=operator) as page:
            await page.locator(".connection.live").wait_for()
            button = page.get_by_role("button", name="New rule")
            await expect(button).to_be_enabled()
            users = (await api.get("/users")).json()["users"]
            vera = next(user["id"] for user in users if user["name"] == "vera")
            (await api.patch(f"/users/{vera}", json={"role": "viewer"})).raise_for_status()
            await is_withheld(button, "operator")


async def test_where_everybody_may_read_a_login_is_offered_and_asked_for_before_a_change(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0, anonymous_viewer=True)
    async with served(settings) as address, opened(chromium, f"{address}/alerts", known=False) as page:
        button = page.get_by_role("button", name="New rule")
        await expect(button).to_have_attribute("data-reason", "Needs the role operator; log in first.")
        await page.get_by_role("button", name="Log in", exact=True).click()
        await log_in(page, NAME)
        await page.get_by_role("button", name=f"{NAME} account").wait_for()
        await expect(button).not_to_have_attribute("aria-disabled", "true")
