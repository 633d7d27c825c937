"""The history of alerts: incidents, narrowed down by what the address says."""

from __future__ import annotations

import re
import time

import pytest
from playwright.async_api import expect

from infra.storage.database import connection
from tests.browser.alerting import page_of
from tests.browser.axe import findings
from tests.browser.browser import Chromium
from tests.gateway.incidents import open_incident

pytestmark = pytest.mark.browser


async def test_the_history_is_narrowed_down_in_the_address_and_taken_as_a_file(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    now_s = time.time()
    async with connection(database_url, "test") as database:
        await open_incident(database, "web-1", "cpu", opened_s=now_s - 600)
        await open_incident(database, "web-1", "memory", opened_s=now_s - 900, severity="warning", rule_name="Memory")
        await open_incident(database, "db-1", "cpu", opened_s=now_s - 5 * 86_400)
        await database.execute("UPDATE incidents SET closed = opened + interval '1 h', level = 0 WHERE host = 'db-1'")
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, _):
        rows = page.locator("[data-incident]")
        await expect(rows).to_have_count(3)
        await page.get_by_label("Find in the history").fill("web")
        await expect(rows).to_have_count(2)
        await expect(page).to_have_url(re.compile(r"find=web"))
        await page.get_by_label("Severity").select_option("warning")
        await expect(rows).to_have_count(1)
        await rows.get_by_text("Memory").wait_for()
        file = await page.get_by_role("link", name="CSV of these incidents").get_attribute("href")
        assert file == "/api/v1/incidents/export?q=web&severity=warning&format=csv"
        await page.reload()
        await expect(page.get_by_label("Find in the history")).to_have_value("web")
        await expect(rows).to_have_count(1)
        await page.get_by_label("On or over").select_option("over")
        await page.get_by_text("No incident fits that.").wait_for()
        assert await findings(page) == []
        await page.get_by_role("button", name="Show all").first.click()
        await expect(rows).to_have_count(3)
        await page.get_by_label("How far back").select_option("the last day")
        await expect(rows).to_have_count(2)
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await findings(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await rows.get_by_role("link", name="Memory").click()
        await page.get_by_role("dialog", name="Memory").wait_for()
        await expect(page).to_have_url(re.compile(r"since=1d.*incident="))
