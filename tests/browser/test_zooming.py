"""Zooming and moving charts by mouse, finger and keys, and the way back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.browser import Chromium, opened
from tests.browser.stack import HOST, stack
from tests.browser.test_charts import CPU, drag, ready

pytestmark = pytest.mark.browser


async def double_click(page: Page) -> None:
    await page.locator(f"{CPU} .u-over").dblclick(position={"x": 60, "y": 20})


async def test_a_double_click_goes_back_step_by_step_even_after_a_reload(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}?range=1h") as page,
    ):
        await ready(page)
        # A button that is let go outside of the chart selects nothing when the mouse is back.
        box = await page.locator(f"{CPU} .u-over").bounding_box()
        assert box
        middle = box["x"] + box["width"] / 2
        await page.mouse.move(middle, box["y"] + 2)
        await page.mouse.down()
        await page.mouse.move(middle, box["y"] - 60)
        await page.mouse.up()
        await page.mouse.move(middle, box["y"] + 20)
        await page.mouse.move(middle + 100, box["y"] + 20, steps=4)
        assert await page.locator(f"{CPU} .u-select").evaluate("(box) => box.clientWidth") == 0

        await drag(page)
        await page.wait_for_url("**range=1h&from=*")
        first = page.url
        await ready(page)
        await drag(page)
        await page.wait_for_function("(url) => location.href !== url", arg=first)
        await page.reload()
        await ready(page)
        await double_click(page)
        await page.wait_for_url(first)
        await ready(page)
        await double_click(page)
        await page.wait_for_url(f"{address}/hosts/{HOST}?range=1h")


async def test_a_double_click_on_a_range_that_was_not_zoomed_into_goes_to_its_preset(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    now_ms = time.time_ns() // 1_000_000
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}?range=6h&from={now_ms - 600_000}&to={now_ms - 300_000}") as page,
    ):
        await ready(page)
        await double_click(page)
        await page.wait_for_url(f"{address}/hosts/{HOST}?range=6h")


async def test_the_back_button_undoes_a_zoom_however_many_keys_were_pressed_in_it(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}?range=1h") as page,
    ):
        await ready(page)
        await drag(page)
        await page.wait_for_url("**from=*")
        for key in ("ArrowLeft", "ArrowLeft", "-", "+"):
            before = page.url
            await page.keyboard.press(key)
            await page.wait_for_function("(url) => location.href !== url", arg=before)
        await page.go_back()
        await page.wait_for_url(f"{address}/hosts/{HOST}?range=1h")
        await page.keyboard.press("ArrowLeft")
        await page.wait_for_url("**from=*")
        await page.go_back()
        await page.wait_for_url(f"{address}/hosts/{HOST}?range=1h")


async def test_paused_charts_stay_paused_over_a_reload_and_go_live_with_their_preset(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}?range=5m") as page,
    ):
        await ready(page)
        await page.keyboard.press("l")
        await page.wait_for_url("**paused=1")
        await page.reload()
        await ready(page)
        assert (await page.locator(".range-bar h2").inner_text()).startswith("Paused, ")
        assert await page.get_by_role("heading", name="Now").is_visible()

        # What else the address says is no other range: nothing is asked for again.
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{page.url}&zone=utc")
        await ready(page)
        assert any("/series" in url for url in asked)
        asked.clear()
        await page.locator(".custom-range").click()
        await page.get_by_role("radio", name="Browser’s time").check()
        await page.wait_for_function("() => !location.search.includes('zone=')")
        await page.keyboard.press("Escape")
        assert not any("/series" in url for url in asked)
        await page.keyboard.press("l")
        await page.wait_for_url(f"{address}/hosts/{HOST}?range=5m")


async def test_a_horizontal_swipe_zooms(chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}?range=1h", width=390, height=844) as page,
    ):
        await page.locator(CPU).scroll_into_view_if_needed()
        await ready(page)
        touch = await page.context.new_cdp_session(page)
        await touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
        box = await page.locator(f"{CPU} .u-over").bounding_box()
        assert box

        async def finger(kind: str, *points: float) -> None:
            places = [{"x": box["x"] + box["width"] * at, "y": box["y"] + 60} for at in points]
            await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

        await finger("touchStart", 0.3)
        for at in (0.4, 0.5, 0.6, 0.7):
            await finger("touchMove", at)
        await finger("touchEnd")
        await page.wait_for_url("**from=*")
