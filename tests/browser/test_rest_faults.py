"""What each page says while REST is slow, refuses, fails, or is answered by something else; the stream goes on."""

from __future__ import annotations

import pytest

from tests.browser.between import Fault
from tests.browser.browser import REMEMBERED, Chromium, opened
from tests.browser.test_transport import PROVOKED, watched
from tests.waiting import eventually

pytestmark = pytest.mark.browser

HOST = "/hosts/web-1?range=5m"
SLOW = "Still waiting for {}. The gateway is slow to answer."
FAILED = "{} could not be loaded. {}"
INSTEAD: dict[Fault, str] = {
    "503": "no viewer more",
    "500": "a defect",
    "html": "The answer did not come from the gateway (text/html instead of JSON).",
}
PARTS = {
    "/alerts": ("The rules", "The active alerts", "The history"),
    "/settings": ("The settings",),
    HOST: ("The statistics",),
}
"""What each page asks REST for; what charts ask for is told on each of them."""


@pytest.mark.parametrize("path", PARTS)
@pytest.mark.parametrize("fault", ["swallow", "503", "500", "html"])
async def test_a_page_says_what_it_could_not_get_and_gets_it_later(
    chromium: Chromium, bus_url: str, database_url: str, path: str, fault: Fault
) -> None:
    async with watched(bus_url, database_url, "web-1") as (way, address):
        way.harm(rest=fault)
        async with opened(chromium, address + path, before=REMEMBERED, provoked=PROVOKED) as page:
            await page.locator(".connection.live").wait_for()
            for part in PARTS[path]:
                words = SLOW.format(part[0].lower() + part[1:]) if fault == "swallow" else ""
                await page.get_by_text(words or FAILED.format(part, INSTEAD[fault])).wait_for()
            if path == HOST and fault != "swallow":
                await page.locator("[data-chart=cpu]").get_by_text(INSTEAD[fault]).wait_for()
            way.harm()
            if fault != "swallow":
                await page.get_by_role("button", name="Try now").first.click()

            async def all_there() -> bool:
                """Each part is asked for again by itself, too."""
                return not await page.locator(".failed, .waiting").count()

            await eventually(all_there, within_s=60, every_s=0.2)


async def test_what_a_chart_has_not_got_is_no_gap(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with watched(bus_url, database_url, "web-1") as (way, address):
        way.harm(rest="503")
        async with opened(chromium, address + HOST, provoked=PROVOKED) as page:
            chart = page.locator("[data-chart=cpu]")
            await chart.get_by_text("Not all of this range is loaded.").wait_for()
            assert await chart.get_attribute("data-gaps") == "0"
            assert int(await chart.get_attribute("data-pending") or 0) > 0
