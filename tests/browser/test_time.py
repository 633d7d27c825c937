"""The range of the charts and the clocks that tell it: typed, picked, moved, and by whose time."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.stack import HOST, stack
from tests.browser.test_charts import ready

pytestmark = pytest.mark.browser

HOUR_MS = 3_600_000


async def typed(page: Page, text: str) -> None:
    """Type a range and show it."""
    await page.locator(".custom-range").click()
    field = page.get_by_role("textbox", name="Range")
    await field.fill(text)
    await field.press("Enter")


async def bounds(page: Page) -> tuple[int, int]:
    """The range in the address."""
    found = re.search(r"from=(\d+)&to=(\d+)", page.url)
    assert found, page.url
    return int(found[1]), int(found[2])


async def test_a_range_is_typed_picked_and_moved_and_told_by_the_chosen_clocks(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}") as page,
    ):
        await ready(page)
        heading = page.locator(".range-bar h2")

        await typed(page, "-90m")
        await page.wait_for_url("**range=90m")
        await expect(heading).to_have_text("Last 1 h 30 min")
        await ready(page)

        days = [datetime.now(UTC)]
        await typed(page, "yesterday 14:00-15:00")
        await page.wait_for_url("**from=*")
        from_ms, to_ms = await bounds(page)
        days.append(datetime.now(UTC))
        fourteen = [day.replace(hour=14, minute=0, second=0, microsecond=0) - timedelta(days=1) for day in days]
        assert from_ms in [int(time.timestamp() * 1000) for time in fourteen]
        assert to_ms == from_ms + HOUR_MS
        await expect(heading).to_have_text(re.compile("14:00 – 15:00$"))

        await typed(page, "gestern")
        await page.get_by_text("“gestern” is no range").wait_for()
        assert await findings(page) == []
        # A later range is typed end by end: what is typed stays, though the two make no range in between.
        yesterday = datetime.fromtimestamp(from_ms / 1000, UTC)
        await page.get_by_label("From").fill(f"{yesterday:%Y-%m-%d}T16:00:00")
        await page.get_by_label("From").press("Enter")
        await page.get_by_text("The end must be after the beginning").wait_for()
        await expect(page.get_by_label("From")).to_have_value(re.compile("T16:00"))
        await page.get_by_label("To", exact=True).fill(f"{yesterday:%Y-%m-%d}T17:00:00")
        await page.get_by_role("button", name="Show these times").click()
        await page.wait_for_url(f"**from={from_ms + 2 * HOUR_MS}&to={to_ms + 2 * HOUR_MS}*")
        await page.go_back()
        await page.wait_for_url(f"**from={from_ms}&to={to_ms}*")
        await page.locator(".custom-range").click()

        for button, share in (("Earlier", -0.5), ("Later", 0.5)):
            before, end = await bounds(page)
            await page.get_by_role("button", name=button).click()
            await page.wait_for_function("(from) => !location.search.includes(`from=${from}`)", arg=str(before))
            moved, _ = await bounds(page)
            assert abs(moved - before - share * (end - before)) <= 1
        await page.keyboard.press("Escape")

        await page.goto(f"{address}/hosts/{HOST}?from={from_ms}&to={to_ms}&zone=utc")
        await ready(page)
        await expect(page.locator(".custom-range")).to_contain_text("UTC")


async def test_times_are_told_by_the_host_s_clocks_when_that_is_chosen(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", ":Asia/Kolkata")
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}") as page,
    ):
        end_ms = time.time_ns() // 1_000_000 // HOUR_MS * HOUR_MS
        await page.goto(f"{address}/hosts/{HOST}?from={end_ms - HOUR_MS}&to={end_ms}")
        await ready(page)
        before = await page.locator(".range-bar h2").inner_text()
        await page.locator(".custom-range").click()
        await page.get_by_role("radio", name="Host’s time").check()
        await page.wait_for_url("**zone=host*")
        await page.locator(".custom-range").get_by_text("UTC+5:30").wait_for()
        begin = datetime.fromtimestamp(end_ms / 1000 - 3600 + 19_800, UTC)
        after = await page.locator(".range-bar h2").inner_text()
        assert f"{begin:%H:%M}" in after
        assert after != before
        await page.reload()
        await ready(page)
        assert await page.locator(".range-bar h2").inner_text() == after
