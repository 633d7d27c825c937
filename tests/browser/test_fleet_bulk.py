"""Many hosts at once: selected on the fleet's page, and tagged, muted, silenced, exported, compared, archived."""

from __future__ import annotations

import csv
import re
import time

import pytest
from playwright.async_api import Page, expect

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import served
from tests.browser.test_fleet_page import fleet, small_fleet
from tests.gateway.rows import execute, put
from tests.gateway.running import ANY
from tests.people import add_session

pytestmark = pytest.mark.browser


async def select(page: Page, *names: str) -> None:
    await page.get_by_role("button", name="Select", exact=True).click()
    for name in names:
        await page.get_by_label(f"Select {name}", exact=True).check()


async def test_selected_hosts_are_tagged_and_muted_and_the_page_says_beforehand_whom_that_concerns(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?sort=name") as page, api_of(page.url.split("/?")[0]) as api:

        async def tags() -> dict[str, list[str]]:
            return {one["id"]: one["tags"] for one in (await api.get("/hosts")).json()["hosts"]}

        await select(page, "web-1", "db-1")
        places = "[...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect().x)"
        before = await page.evaluate(places)
        await page.get_by_role("button", name="Tag", exact=True).click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Change tags").click()
        assert await page.evaluate(places) == before, "the form's styles are the form's alone"
        await dialog.get_by_text("Type at least one tag").wait_for()
        await dialog.get_by_label("Add").fill("critical-path eu")
        await dialog.get_by_label("prod").check()
        await dialog.get_by_text("Changes 2 hosts: db-1 and web-1.").wait_for()
        assert await findings(page) == []
        await dialog.get_by_label("Add").press("Enter")
        await dialog.wait_for(state="detached")
        assert await tags() == {
            "db-1": ["db", "critical-path", "eu"],
            "web-1": ["web", "critical-path", "eu"],
            "web-2": ["web", "staging"],
        }
        await page.locator("[data-host=web-1]").get_by_text("web · critical-path · eu").wait_for()

        await page.get_by_role("button", name="Mute", exact=True).click()
        await dialog.get_by_label("Notifications").select_option("Muted until somebody ends it")
        await dialog.get_by_text("Changes 2 hosts").wait_for()
        await dialog.get_by_role("button", name="Mute", exact=True).click()
        await page.locator("[data-host=web-1]").get_by_text("Muted").wait_for()
        await page.get_by_label("Search hosts").fill("is:muted")
        await page.get_by_text("2 of 3 hosts").wait_for()
        assert await page.get_by_text("2 selected").count() == 1, "a search lets nothing go"
        (await api.patch("/hosts/web-2", json={"muted_until": "forever"}, headers=ANY)).raise_for_status()
        await page.get_by_text("3 hosts", exact=True).wait_for()  # as soon as it is muted, whoever did that
        await page.get_by_label("Search hosts").fill("tag:crit")
        await page.locator("#search-offers [value='tag:critical-path']").wait_for(state="attached")


async def test_a_change_that_a_host_refuses_is_told_with_its_reason(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    await execute(
        database_url,
        "UPDATE hosts SET tags = (SELECT array_agg('t' || n) FROM generate_series(1, 20) n) WHERE name = 'db-1'",
    )
    async with fleet(chromium, bus_url, database_url) as page:
        await select(page, "web-1", "db-1")
        await page.get_by_role("button", name="Tag", exact=True).click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Add").fill("one-more")
        await dialog.get_by_role("button", name="Change tags").click()
        await dialog.get_by_text("Done for 1 of 2 hosts. Not db-1:").wait_for()


async def test_selected_hosts_are_compared_exported_and_silenced(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    await put(database_url, "disk", [(time.time_ns() // 1_000_000, "sda", {"busy": 4000})], "web-1")
    async with fleet(chromium, bus_url, database_url, "?sort=name") as page, api_of(page.url.split("/?")[0]) as api:
        await page.get_by_role("button", name="Select", exact=True).click()
        await page.get_by_label("Select db-1", exact=True).check()
        await page.get_by_label("Select web-2", exact=True).click(modifiers=["Shift"])
        await page.get_by_text("3 selected").wait_for()
        await page.get_by_label("Select db-1", exact=True).uncheck()
        compare = page.get_by_role("link", name="Compare", exact=True).and_(page.locator(".bulk-bar a"))
        assert await compare.get_attribute("href") == "/compare?hosts=web-1,web-2&metrics=cpu.total"

        async with page.expect_download() as download:
            await page.get_by_role("button", name="Export").click()
        file = await download.value
        assert re.fullmatch(r"hosts-\d{4}-\d\d-\d\dT\d{4}Z\.csv", file.suggested_filename)
        lines = list(csv.DictReader((await file.path()).read_text(encoding="utf-8").splitlines()))
        # Cards do not show how busy disks are, and the stream does not carry it for them.
        assert [(line["id"], line["state"], line["cpu.total %"], line["disk.busy %"]) for line in lines] == [
            ("web-1", "up", "70", "40"),
            ("web-2", "up", "10", ""),
        ]

        await page.get_by_role("button", name="Silence", exact=True).click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_text("and 2 hosts").wait_for()
        await dialog.get_by_role("button", name="Silence", exact=True).click()
        await dialog.wait_for(state="detached")
        (silence,) = (await api.get("/silences")).json()["silences"]
        assert silence["match"]["hosts"] == ["web-1", "web-2"]


async def test_archived_hosts_are_selected_no_more(chromium: Chromium, bus_url: str, database_url: str) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url) as page:
        await select(page, "db-1")
        await page.get_by_role("button", name="Archive").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_text("Changes 1 host: db-1.").wait_for()
        await dialog.get_by_role("button", name="Archive").click()
        await page.locator("[data-host=db-1].offline", has_text="Archived").wait_for()
        await page.locator(".bulk-bar").wait_for(state="detached")


async def test_a_viewer_is_told_what_a_change_takes_and_may_compare_and_export(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address:
        viewer = await add_session(database_url, "vera", "viewer")
        async with opened(chromium, address, session=viewer) as page:
            await select(page, "web-1")
            bar = page.locator(".bulk-bar")
            for name, role in (("Tag", "operator"), ("Silence", "operator"), ("Archive", "admin")):
                reason = f"Needs the role {role}; yours is viewer."
                await expect(bar.get_by_role("button", name=name)).to_have_attribute("data-reason", reason)
            await expect(bar.get_by_role("button", name="Export")).not_to_have_attribute("aria-disabled", "true")
            await expect(bar.get_by_role("link", name="Compare")).to_be_visible()
