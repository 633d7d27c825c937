"""Silences on the dashboard: what they fit is said beforehand, and they are made, changed and ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from infra.storage.database import connection
from tests.browser.alerting import firing, page_of
from tests.browser.browser import Chromium

pytestmark = pytest.mark.browser


async def test_a_silence_is_made_of_an_incident_and_ended(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with connection(database_url, "test") as database:
        number = await firing(database, rule="filesystem", rule_name="File system full")
    async with page_of(chromium, bus_url, database_url, f"/alerts?incident={number}") as (page, api):
        incident = page.get_by_role("dialog", name="File system full")
        await incident.get_by_role("button", name="Silence …").click()
        form = page.get_by_role("dialog", name="New silence")
        await form.get_by_text("Matches 1 firing alert and 1 host.").wait_for()
        await form.get_by_label("Lasts").select_option("14400")
        await form.get_by_label("Comment").fill("a new disk is on its way")
        await form.get_by_role("button", name="Silence", exact=True).click()
        await form.wait_for(state="detached")
        await incident.get_by_text("a new disk is on its way").first.wait_for()
        await incident.get_by_role("button", name="Close").click()
        row = page.locator("[data-silence]")
        await row.get_by_role("heading", name="Alerts of filesystem on web-1").wait_for()
        [made] = (await api.get("/silences")).json()["silences"]
        assert (made["match"]["rules"], made["match"]["hosts"], made["by"]) == (["filesystem"], ["web-1"], "ada")
        assert (made["reason"], made["ends"] - made["starts"]) == ("a new disk is on its way", 14400)
        await row.get_by_role("button", name="End now").click()
        await page.get_by_text("Nothing is silenced.").wait_for()
        await expect(page.get_by_role("heading", name="Silences")).to_be_focused()


async def test_a_silence_says_what_it_fits_while_it_is_written(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        await firing(database, "web-1")
        await firing(database, "db-1")
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, _):
        await page.get_by_role("button", name="New silence").click()
        form = page.get_by_role("dialog", name="New silence")
        await form.get_by_text("Matches 2 firing alerts and 2 hosts. Nobody would be told of anything").wait_for()
        await form.get_by_label("Hosts").fill("db-*")
        await form.get_by_text("Matches 1 firing alert and 1 host.").wait_for()
        await form.get_by_text("CPU busy on db-1").wait_for()


async def test_a_pattern_that_is_none_is_refused_where_it_was_typed(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/alerts", ("status of 400",)) as (page, _):
        await page.get_by_role("button", name="New silence").click()
        form = page.get_by_role("dialog", name="New silence")
        await form.get_by_label("Hosts").fill("web_1")
        await form.get_by_text("What it matches is not known").wait_for()
        await form.get_by_role("button", name="Silence", exact=True).click()
        await expect(form.get_by_label("Hosts")).to_be_focused()
        await expect(form.get_by_label("Hosts")).to_have_attribute("aria-invalid", "true")


async def test_a_silence_is_planned_and_made_longer(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, api):
        await page.get_by_role("button", name="New silence").click()
        form = page.get_by_role("dialog", name="New silence")
        await form.get_by_label("Tags").first.fill("prod")
        await form.get_by_label("Begins").select_option("at")
        await form.get_by_label("From").fill("2036-05-01T22:00")
        await form.get_by_role("button", name="Silence", exact=True).click()
        await form.wait_for(state="detached")
        row = page.locator("[data-silence]")
        await row.get_by_text("not yet").wait_for()
        await row.get_by_role("button", name="Edit").click()
        form = page.get_by_role("dialog", name="Silence")
        await form.get_by_label("Until").fill("2036-05-02T06:00")
        await form.get_by_role("button", name="Save silence").click()
        await form.wait_for(state="detached")
        [made] = (await api.get("/silences")).json()["silences"]
    begins = datetime(2036, 5, 1, 22, tzinfo=UTC).timestamp()  # the browser of the tests is in UTC
    assert (made["match"]["tags"], made["starts"], made["ends"]) == (["prod"], begins, begins + 8 * 3600)


async def test_a_silence_form_asks_before_it_throws_away_what_was_typed(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        number = await firing(database)
    async with page_of(chromium, bus_url, database_url, f"/alerts?incident={number}") as (page, _):
        incident = page.get_by_role("dialog", name="CPU busy")
        await incident.get_by_role("button", name="Silence …").click()
        form = page.get_by_role("dialog", name="New silence")
        await form.get_by_label("Comment").fill("planned")
        await page.keyboard.press("Escape")
        await form.get_by_role("button", name="Discard").click()
        await form.wait_for(state="detached")
        await expect(incident.get_by_role("button", name="Silence …")).to_be_focused()
