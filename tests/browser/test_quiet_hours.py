"""The hours of a week are painted on a grid: with the mouse, a finger or keys."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.alerting import page_of
from tests.browser.browser import Chromium
from tests.browser.finger import swipe

pytestmark = pytest.mark.browser

WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]


async def route_form(page: Page, hours: str) -> Locator:
    """The form of a new route that tells by hours of the week, with nothing painted yet."""
    await page.get_by_role("button", name="New route").click()
    form = page.get_by_role("dialog", name="New route")
    await form.get_by_label("Name").fill("Nights")
    await form.get_by_label("When people are told").select_option(hours)
    await form.get_by_text("To the minute").click()
    await form.get_by_role("button", name="Remove stretch 1").click()
    await form.get_by_text("To the minute").click()
    return form


async def painted(form: Locator, api: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The stretches of the route once it is stored."""
    await form.get_by_label("Time zone").fill("UTC")
    await form.get_by_role("button", name="Create route").click()
    await form.wait_for(state="detached")
    spans: list[dict[str, Any]] = (await api.get("/routes/nights")).json()["route"]["hours"]["spans"]
    return spans


async def drag(page: Page, form: Locator, start: str, end: str) -> None:
    """From one cell to another, as a hand does."""
    for cell in (start, end):
        place = await form.get_by_role("gridcell", name=cell, exact=True).bounding_box()
        assert place
        await page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2, steps=5)
        if cell == start:
            await page.mouse.down()


async def test_quiet_hours_are_painted_with_the_mouse(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with page_of(chromium, bus_url, database_url, "/settings") as (page, api):
        form = await route_form(page, "quiet")
        await drag(page, form, "Mon, 22:00 to 22:30", "Fri, 23:30 to 24:00")
        await expect(form.get_by_role("status").get_by_text("Mon to Fri, 22:00 to 24:00")).to_be_visible()
        await page.mouse.up()
        await drag(page, form, "Tue, 00:00 to 00:30", "Sat, 06:30 to 07:00")
        await page.mouse.up()
        await drag(page, form, "Wed, 03:00 to 03:30", "Wed, 03:00 to 03:30")
        await page.mouse.up()
        await expect(form.get_by_role("gridcell", name="Wed, 03:00 to 03:30")).to_have_attribute(
            "aria-selected", "false"
        )
        spans = await painted(form, api)
    assert spans == [
        {"days": ["mon", "wed", "thu", "fri"], "start": "22:00", "until": "07:00"},
        {"days": ["tue"], "start": "22:00", "until": "03:00"},
        {"days": ["wed"], "start": "03:30", "until": "07:00"},
    ]


async def test_working_hours_are_painted_with_keys_alone(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with page_of(chromium, bus_url, database_url, "/settings") as (page, api):
        form = await route_form(page, "working")
        await form.get_by_label("When people are told").focus()
        await page.keyboard.press("Tab")
        await expect(form.get_by_role("gridcell", name="Mon, 00:00 to 00:30")).to_be_focused()
        for _ in range(18):
            await page.keyboard.press("ArrowRight")
        for key, times in (("Shift+ArrowRight", 15), ("Shift+ArrowDown", 4)):
            for _ in range(times):
                await page.keyboard.press(key)
        await expect(form.get_by_role("status").get_by_text("Mon to Fri, 09:00 to 17:00")).to_be_visible()
        await page.keyboard.press("Space")
        spans = await painted(form, api)
    assert spans == [{"days": WORKDAYS, "start": "09:00", "until": "17:00"}]


async def test_escape_gives_up_what_is_marked_and_not_the_form(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/settings") as (page, _):
        form = await route_form(page, "quiet")
        await form.get_by_role("gridcell", name="Wed, 12:00 to 12:30").focus()
        await page.keyboard.press("Shift+ArrowDown")
        await form.get_by_role("status").get_by_text("Wed to Thu, 12:00 to 12:30").wait_for()
        await page.keyboard.press("Escape")
        await expect(form.get_by_role("status").get_by_text("Wed to Thu")).to_have_count(0)
        await expect(form).to_be_visible()
        await expect(form.get_by_text("Discard what you typed?")).to_have_count(0)


async def test_what_is_stored_to_the_minute_is_shown_in_part_and_kept(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    spans = [{"days": ["sun"], "start": "22:10", "until": "06:20"}]
    body = {"id": "nights", "name": "Nights", "channels": [], "hours": {"spans": spans, "zone": "UTC"}}
    async with page_of(chromium, bus_url, database_url, "/settings") as (page, api):
        (await api.post("/routes", json=body)).raise_for_status()
        await page.get_by_role("button", name="Edit Nights").click()
        form = page.get_by_role("dialog", name="Route nights")
        await form.get_by_role("gridcell", name="Mon, 06:00 to 06:30, in part").wait_for()
        await form.get_by_role("gridcell", name="Sun, 22:00 to 22:30, in part").click()
        await form.get_by_role("button", name="Save route").click()
        await form.wait_for(state="detached")
        stored = (await api.get("/routes/nights")).json()["route"]["hours"]["spans"]
    assert stored == [{"days": ["sun"], "start": "22:00", "until": "06:20"}]


async def test_hours_are_painted_with_a_finger_sideways_and_scrolled_upwards(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/settings") as (page, api):
        await page.set_viewport_size({"width": 390, "height": 844})
        form = await route_form(page, "quiet")
        await form.locator(".week-grid").scroll_into_view_if_needed()
        begin, end = [
            await form.get_by_role("gridcell", name=name, exact=True).bounding_box()
            for name in ("Sat, 09:00 to 09:30", "Sat, 17:30 to 18:00")
        ]
        assert begin
        assert end
        y = begin["y"] + begin["height"] / 2
        await swipe(page, (begin["x"] + 2, y), (begin["x"] + 2, y - 150))
        await expect(form.locator("[aria-selected=true]")).to_have_count(0)
        await form.locator(".week-grid").scroll_into_view_if_needed()
        begin = await form.get_by_role("gridcell", name="Sat, 09:00 to 09:30", exact=True).bounding_box()
        assert begin
        y = begin["y"] + begin["height"] / 2
        await swipe(page, (begin["x"] + 2, y), (end["x"] + 2, y))
        spans = await painted(form, api)
    assert spans == [{"days": ["sat"], "start": "09:00", "until": "18:00"}]
