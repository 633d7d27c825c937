"""What happened around an alert is drawn where it is listed and in its incident, and it is acknowledged there."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import expect

from infra.storage.database import Connection, connection
from tests.browser.alerting import firing, page_of
from tests.browser.axe import findings
from tests.browser.browser import Chromium
from tests.gateway.incidents import step
from tests.gateway.rows import put

pytestmark = pytest.mark.browser


async def busy(database_url: str) -> None:
    """web-1 was busy from 10 minutes ago on, for which it is an hour's samples."""
    start_s = int(time.time()) - 3600
    rows = [((start_s + second) * 1000, "", {"total": 9700 if second > 3000 else 3000}) for second in range(3600)]
    await put(database_url, "cpu", rows, host="web-1")


async def test_alerts_are_listed_with_what_happened_and_acknowledged_in_their_row(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await busy(database_url)
    async with connection(database_url, "test") as database:
        number = await firing(database)
        await firing(database, "", "blind", rule_name="Monitoring is blind")
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, api):
        drawing = page.get_by_role("img", name="CPU total from")
        await drawing.wait_for()
        await expect(drawing).to_have_count(1)
        await expect(drawing.locator(".limit-line")).to_have_count(1)
        await page.get_by_role("button", name="Acknowledge CPU busy web-1").press("Enter")
        await expect(page.locator(".alert").filter(has_text="CPU busy").get_by_text("acknowledged")).to_be_focused()
        seen = (await api.get(f"/incidents/{number}")).json()["incident"]["acknowledged"]
        assert seen["by"] == "ada"


async def test_what_has_worsened_since_it_was_acknowledged_can_be_acknowledged_again(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        number = await firing(database, severity="warning")
        async with page_of(chromium, bus_url, database_url, "/alerts") as (page, api):
            row = page.locator(".alert")
            await row.get_by_role("button", name="Acknowledge").click()
            await row.get_by_text("acknowledged").wait_for()
            await worsen(database, number)
            (await api.post(f"/incidents/{number}/notes", json={"text": "it is worse"})).raise_for_status()
            await row.get_by_role("button", name="Acknowledge").click()
            await row.get_by_text("acknowledged").wait_for()
            seen = (await api.get(f"/incidents/{number}")).json()["incident"]["acknowledged"]
    assert seen["level"] == 2


async def worsen(database: Connection, number: int) -> None:
    """Incident `number` is critical now, as judging leaves it."""
    graver = """jsonb_build_object('severity', 'critical', 'worst', 'critical')"""
    await database.execute(f"UPDATE incidents SET level = 2, body = body || {graver} WHERE id = $1", number)  # noqa: S608 -- of a constant
    await database.execute(f"UPDATE alert_states SET body = body || {graver}")  # noqa: S608 -- of a constant


@pytest.mark.parametrize("width", [1440, 390])
async def test_an_incident_is_a_stretch_of_the_chart_of_what_happened(
    chromium: Chromium, width: int, bus_url: str, database_url: str
) -> None:
    await busy(database_url)
    async with connection(database_url, "test") as database:
        number = await firing(database)
        await step(database, number, "noted", "a bad fan", by="ada")
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, _):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.reload()
        await page.get_by_role("img", name="CPU total from").wait_for()
        assert await findings(page) == []
        await page.get_by_role("link", name="Details of CPU busy").click()
        chart = page.get_by_role("dialog", name="CPU busy").get_by_role("region", name="CPU total")
        await chart.get_by_role("img", name="CPU total over time").wait_for()
        await expect(chart).to_have_attribute("data-pending", "0")
        await expect(chart.get_by_text("No samples in this range")).to_have_count(0)
        assert await findings(page) == []
