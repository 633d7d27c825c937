"""A rule that is being written is tried on what is stored."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from infra.bus.connection import connection as bus_connection
from infra.settings import ServerSettings
from infra.storage.database import connection
from services.alerts.rehearsal.desk import rehearse
from tests.alerts.rehearsal.test_desk import seconds, start_ms
from tests.browser.alerting import page_of
from tests.browser.axe import findings
from tests.browser.browser import Chromium
from tests.browser.finger import swipe
from tests.gateway.rows import put
from tests.waiting import eventually

pytestmark = pytest.mark.browser

BUSY = {"id": "busy", "name": "CPU busy", "metric": "cpu.total", "critical": {"raise_at": 90, "clear_at": 80}}


@asynccontextmanager
async def with_history(
    chromium: Chromium, bus_url: str, database_url: str, provoked: tuple[str, ...] = ()
) -> AsyncIterator[Page]:
    """The alerts, where rehearsals are performed: web-1 was busy for five minutes, three hours ago."""
    await put(database_url, "cpu", seconds(start_ms(180), (600, 20), (300, 95), (600, 20)), host="web-1")
    settings, stop = ServerSettings(nats_url=bus_url, database_url=database_url), asyncio.Event()
    async with (
        page_of(chromium, bus_url, database_url, "/alerts", provoked) as (page, api),
        bus_connection(bus_url, "rehearsals") as client,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(rehearse(client, settings, stop))

        async def listened() -> bool:
            return (await api.post("/rehearsals", json={"rule": BUSY, "days": 1})).status_code == 202

        try:
            await eventually(listened)
            yield page
        finally:
            stop.set()


async def test_a_rule_is_tried_and_says_when_it_would_have_fired(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_history(chromium, bus_url, database_url) as page:
        await page.get_by_role("button", name="New rule").click()
        await page.get_by_label("Try it on").select_option("the last day")
        await page.get_by_role("button", name="Try it").click()
        rehearsal = page.get_by_role("region", name="Rehearsal")
        await rehearsal.get_by_text("It would have fired once in the").wait_for()
        await rehearsal.locator("summary").click()
        await rehearsal.get_by_role("cell", name="web-1").wait_for()
        await rehearsal.get_by_role("cell", name="95.0 %").wait_for()
        async with page.expect_request(lambda request: '"days":7' in (request.post_data or "")):
            await page.get_by_label("Try it on").select_option("the last 7 days")
        await rehearsal.get_by_text("It would have fired once in the").wait_for()
        await page.get_by_role("group", name="Critical").get_by_label("Raise at").fill("99")
        await rehearsal.get_by_text("You have changed the rule").wait_for()
        await page.get_by_role("button", name="Try it").click()
        await rehearsal.get_by_text("It would not have fired in the").wait_for()


async def test_a_rehearsal_is_called_off(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with (
        with_history(chromium, bus_url, database_url) as page,
        connection(database_url, "test") as database,
        database.transaction(),
    ):
        # Whoever holds the table keeps the rehearsal from reading it.
        await database.execute("LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE")
        await page.get_by_role("button", name="New rule").click()
        await page.get_by_role("button", name="Try it").click()
        rehearsal = page.get_by_role("region", name="Rehearsal")
        await rehearsal.get_by_role("progressbar", name="Hosts played").wait_for()
        await rehearsal.get_by_role("button", name="Stop").click()
        await rehearsal.get_by_text("Stopped.").wait_for()
        await expect(rehearsal.get_by_role("button", name="Try it")).to_be_focused()


async def test_what_is_wrong_with_a_rule_is_told_where_it_is_before_it_is_tried(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, _):
        await page.get_by_role("button", name="New rule").click()
        await page.get_by_label("Name").fill("Any")
        raise_at = page.get_by_role("group", name="Critical").get_by_label("Raise at")
        await raise_at.fill("much")
        await page.get_by_role("button", name="Try it").click()
        await page.get_by_text("“much” is not a number.").wait_for()
        await expect(raise_at).to_be_focused()


async def test_that_nobody_can_rehearse_is_said(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with page_of(chromium, bus_url, database_url, "/alerts", ("status of 503",)) as (page, _):
        await page.get_by_role("button", name="New rule").click()
        await page.get_by_role("button", name="Try it").click()
        await page.get_by_text("no alerts service answered").wait_for()


ON_ITS_LINE = """(() => {
  const slider = document.querySelector("[role=slider]");
  const middle = ({ top, height }) => top + height / 2;
  const area = document.querySelector("dialog .u-over").getBoundingClientRect();
  const line = area.top + area.height * (1 - slider.ariaValueNow / slider.ariaValueMax);
  return Math.abs(middle(slider.getBoundingClientRect()) - line);
})()"""
"""How many pixels a threshold's handle is from its value on the axis."""
TOO_HIGH = "?new=rule&metric=cpu.total&host=web-1&value=95"


async def test_a_line_that_is_too_high_is_a_rule_on_its_chart_and_tried_at_once(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_history(chromium, bus_url, database_url) as page:
        await page.goto(page.url + TOO_HIGH)
        form = page.get_by_role("dialog", name="New rule")
        await form.get_by_role("region", name="CPU total").wait_for()
        rehearsal = form.get_by_role("region", name="Rehearsal")
        await rehearsal.get_by_text("It would have fired once in the").wait_for()
        await expect(form.locator("[data-spans]")).to_have_attribute("data-spans", "1")
        line = form.get_by_role("slider", name="Warning")
        await expect(line).to_have_attribute("aria-valuenow", "90")
        await line.press("End")
        await rehearsal.get_by_text("It would not have fired in the").wait_for()
        await expect(form.locator("[data-spans]")).to_have_attribute("data-spans", "0")
        await form.get_by_role("button", name="Create rule").click()
        await page.get_by_role("heading", name="CPU total high on web-1").wait_for()
        await expect(page).to_have_url(re.compile("/alerts$"))


@pytest.mark.parametrize("width", [1440, 390])
async def test_a_threshold_is_dragged_on_the_chart_with_the_mouse_or_a_finger(
    chromium: Chromium, width: int, bus_url: str, database_url: str
) -> None:
    async with with_history(chromium, bus_url, database_url) as page:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.get_by_role("button", name="New rule").click()
        critical = page.get_by_role("group", name="Critical")
        grip = page.get_by_role("slider", name="Critical").locator(".grip")
        await grip.wait_for()
        assert await page.evaluate(ON_ITS_LINE) < 1.5
        place = await grip.bounding_box()
        assert place
        x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
        if width == 390:
            await swipe(page, (x, y), (x, y + 40))
        else:
            await page.mouse.move(x, y)
            await page.mouse.down()
            await page.mouse.move(x, y + 40, steps=4)
            await page.mouse.up()
        raised = float(await critical.get_by_label("Raise at").input_value())
        assert 50 < raised < 85
        assert float(await critical.get_by_label("Clear at").input_value()) == raised - 10
        await page.get_by_role("button", name="Draw a warning line").click()
        await page.get_by_role("slider", name="Warning").press("ArrowDown")
        warning = float(await page.get_by_role("group", name="Warning").get_by_label("Raise at").input_value())
        assert warning < raised
        await page.get_by_role("slider", name="Warning").press("End")
        await page.get_by_text(f"Not tried: Type {raised:.0f} or less").wait_for()
        await page.get_by_role("slider", name="Critical").press("End")
        await page.get_by_text("Not tried").wait_for(state="hidden")
        assert await findings(page) == []
