"""The pages of admins: users and their sessions, the audit log, who watches."""

from __future__ import annotations

import re
from typing import Any, Literal

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import NAME as ADMIN
from tests.browser.people import ENDED, asked_before_leaving, log_in, with_people
from tests.people import PASSWORD, add_session, add_user

pytestmark = pytest.mark.browser


async def user_of(api: httpx.AsyncClient, name: str) -> dict[str, Any] | None:
    """The user of that name as the API tells; None when there is none."""
    users = (await api.get("/users")).json()["users"]
    return next((user for user in users if user["name"] == name), None)


async def act(page: Page, name: str, deed: str, yes: str = "") -> None:
    """Press the button `deed` of the user `name`, and answer the question that it asks with `yes`."""
    await page.locator(f'[data-user="{name}"]').get_by_role("button", name=re.compile(f"^{deed}")).click()
    if yes:
        await page.locator("dialog[open]").get_by_role("button", name=yes, exact=True).click()


async def test_a_user_is_added_and_comes_by_the_link_that_is_handed_over(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        async with opened(chromium, f"{address}/people", provoked=("status of 409",)) as page:
            await page.get_by_role("button", name="Add a user").click()
            await page.get_by_label("Name", exact=True).fill(ADMIN)
            await page.keyboard.press("Enter")
            await page.get_by_text("Choose another name: a user has this one.").wait_for()
            await page.get_by_label("Name", exact=True).fill("Dora")
            await page.get_by_label("Role", exact=True).select_option("operator")
            await page.keyboard.press("Enter")
            link = await page.get_by_label("One-time link for dora").input_value()
            await expect(page.locator('[data-user="dora"]')).to_contain_text("never logged in")
            await asked_before_leaving(page, "the link for dora")
        path = link[link.index("/login#") :]
        async with opened(chromium, address + path, known=False) as page:
            await page.get_by_label("New password", exact=True).fill(PASSWORD)
            await page.get_by_label("once more").fill(PASSWORD)
            await page.keyboard.press("Enter")
            await page.get_by_role("button", name="dora account").click()
            await expect(page.locator("#account-menu")).to_contain_text("operator")


async def test_a_user_whose_link_could_not_be_made_is_there_all_the_same(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, _),
        opened(chromium, f"{address}/people", provoked=("status of 503",)) as page,
    ):
        await page.route("**/users/*/link", lambda route: route.fulfill(status=503, body="no"))
        await page.get_by_role("button", name="Add a user").click()
        await page.get_by_label("Name", exact=True).fill("dora")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("dora was added")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await page.unroute("**/users/*/link")
        await act(page, "dora", "New link", "Make link")
        await page.get_by_label("One-time link for dora").wait_for()
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_role_is_changed_in_place(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        await add_user(database_url, "ben", "viewer")
        async with opened(chromium, f"{address}/people") as page:
            async with page.expect_response(lambda answer: answer.request.method == "PATCH"):
                await page.get_by_label("Role of ben").select_option("operator")
            await page.reload()
            await expect(page.get_by_label("Role of ben")).to_have_value("operator")
        ben = await user_of(api, "ben")
        assert ben
        assert ben["role"] == "operator"


async def test_whoever_is_disabled_is_covered_at_once_and_comes_back_when_enabled(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        ben = await add_session(database_url, "ben", "operator")
        async with (
            opened(chromium, f"{address}/people") as page,
            opened(chromium, f"{address}/alerts", session=ben, provoked=("status of 401",)) as theirs,
        ):
            await theirs.locator(".connection.live").wait_for()
            await act(page, "ben", "Disable", yes="Disable")
            await theirs.get_by_text(ENDED).wait_for()
            await expect(page.locator('[data-user="ben"]')).to_contain_text("disabled")
            await act(page, "ben", "Enable")
            await expect(page.locator('[data-user="ben"]')).not_to_contain_text("disabled")
            await log_in(theirs, "ben")
            await expect(theirs.get_by_text(ENDED)).to_have_count(0)


async def test_a_user_is_deleted_only_after_a_question(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        await add_user(database_url, "ben", "viewer")
        async with opened(chromium, f"{address}/people") as page:
            await act(page, "ben", "Delete", yes="Cancel")
            assert await user_of(api, "ben")
            await act(page, "ben", "Delete", yes="Delete")
            await expect(page.locator('[data-user="ben"]')).to_have_count(0)
        assert await user_of(api, "ben") is None


async def test_the_last_admin_is_told_why_they_must_stay_one(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        root = await user_of(api, "root")
        assert root
        async with opened(chromium, f"{address}/people", provoked=("status of 409",)) as page:
            await act(page, "root", "Delete", yes="Delete")
            await expect(page.locator('[data-user="root"]')).to_have_count(0)
            await page.get_by_label(f"Role of {ADMIN}").select_option("viewer")
            await page.locator(f'[data-user="{ADMIN}"]').get_by_role("alert").wait_for()
            await expect(page.get_by_label(f"Role of {ADMIN}")).to_have_value("admin")


async def test_the_sessions_of_all_are_ended_from_there(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        await add_session(database_url, "ben", "operator")
        async with opened(chromium, f"{address}/people") as page:
            row = page.get_by_role("row", name=re.compile("^ben "))
            await row.get_by_role("button", name=re.compile("^End")).click()
            await expect(row).to_have_count(0)


async def test_the_audit_log_tells_who_what_and_the_difference(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        ben = await add_user(database_url, "ben", "viewer")
        (await api.patch(f"/users/{ben}", json={"role": "operator"})).raise_for_status()
        async with opened(chromium, f"{address}/audit") as page:
            entry = page.locator(".entry").filter(has_text="changed the user ben")
            await expect(entry).to_contain_text("root")
            await expect(entry).to_contain_text("by API token")
            await expect(entry.locator("dt")).to_have_text(["role"])
            await expect(entry.locator("del")).to_contain_text("viewer")
            await expect(entry.locator("ins")).to_contain_text("operator")


async def test_older_entries_are_a_click_away_and_the_search_is_in_the_address(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        ben = await add_user(database_url, "ben", "viewer")
        for turn in range(60):
            role = ("operator", "viewer")[turn % 2]
            (await api.patch(f"/users/{ben}", json={"role": role})).raise_for_status()
        async with opened(chromium, f"{address}/audit?target=ben") as page:
            await expect(page.locator(".entry")).to_have_count(50)
            await page.get_by_role("button", name="Older").click()
            await expect(page.locator(".entry")).to_have_count(60)
            ids = await page.locator(".entry").evaluate_all("(all) => all.map((one) => +one.dataset.audit)")
            assert ids == sorted(set(ids), reverse=True)
            await page.get_by_text("This is where the log begins.").wait_for()
            await page.get_by_label("Who").fill("nobody-at-all")
            await page.keyboard.press("Enter")
            await page.get_by_text("Nothing was found").wait_for()
            assert "who=nobody-at-all" in page.url
            await page.get_by_role("button", name="Show all").click()
            await page.locator(".entry").first.wait_for()
            assert "who=" not in page.url


async def test_viewers_are_listed_as_they_come(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        ben = await add_session(database_url, "ben", "viewer")
        async with opened(chromium, f"{address}/viewers") as page:
            await page.get_by_role("row", name=re.compile(f"^{ADMIN} Headless Chrome")).wait_for()
            async with opened(chromium, address, session=ben) as theirs:
                await theirs.locator(".connection.live").wait_for()
                await page.get_by_role("row", name=re.compile("^ben Headless Chrome")).wait_for()
            await expect(page.get_by_role("row", name=re.compile("^ben "))).to_have_count(0)


async def test_a_viewer_that_is_disconnected_comes_back_as_another_one(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        ben = await add_session(database_url, "ben", "viewer")
        async with (
            opened(chromium, f"{address}/viewers") as page,
            opened(chromium, address, session=ben) as theirs,
        ):
            await theirs.locator(".connection.live").wait_for()
            row = page.get_by_role("row", name=re.compile("^ben Headless Chrome"))
            before = await row.get_attribute("data-viewer")
            await row.get_by_role("button", name=re.compile("^Disconnect")).click()
            await page.locator("dialog[open]").get_by_role("button", name="Disconnect").click()
            await expect(page.locator(f'[data-viewer="{before}"]')).to_have_count(0)
            await row.wait_for()
            await theirs.locator(".connection.live").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_any_page_of_admins(
    chromium: Chromium, scheme: Literal["light", "dark"], bus_url: str, database_url: str
) -> None:
    found: list[str] = []
    async with with_people(bus_url, database_url) as (address, _):
        await add_user(database_url, "a.rather.long.name.of.somebody@department.example.org", "viewer", disabled=True)
        for width in (1440, 390):
            async with opened(chromium, f"{address}/people", scheme=scheme, width=width) as page:
                for path, ready in (("People", "[data-user]"), ("Audit log", ".log"), ("Viewers", "[data-viewer]")):
                    await page.get_by_role("navigation", name="Administration").get_by_role("link", name=path).click()
                    if path == "People":
                        await act(page, ADMIN, "New link", yes="Make link")
                        await page.get_by_text("Hand this link to").wait_for()
                    await page.locator(ready).first.wait_for()
                    found += [f"{path} at {width}: {what}" for what in await findings(page)]
                    assert await page.evaluate("document.documentElement.scrollWidth") == width, path
                    if path == "People":
                        await page.get_by_role("button", name="Done").click()
    assert not found, "\n".join(found)
