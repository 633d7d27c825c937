"""The views of a host: everything of a family, its agent, its settings, its alerts, and what happened to it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.stack import HOST, sending, served, stack
from tests.browser.test_charts import CPU, ready
from tests.gateway.rows import put

pytestmark = pytest.mark.browser


async def choose(page: Page, view: str) -> None:
    await page.get_by_role("navigation", name="Views of this host").get_by_role("link", name=view, exact=True).click()


async def first_cell(page: Page) -> str:
    """The name in the first row of the opened legend of CPU."""
    return await page.locator(f"{CPU} .legend-table tbody th").first.inner_text()


def after(url: str) -> str:
    """The host after the one at `url`, of three."""
    number = int(url.split("/hosts/web-")[1][0])
    return f"web-{number % 3 + 1}"


@pytest.mark.timeout(300)
async def test_every_view_of_a_host_shows_what_it_says_and_axe_finds_nothing(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}?range=5m") as page,
    ):
        await ready(page)

        # Only what is on the screen is asked for.
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.reload()
        await ready(page)
        assert not any("process.running" in url for url in asked)
        async with page.expect_request(lambda request: "process.running" in request.url):
            await page.locator("[data-chart=processes]").scroll_into_view_if_needed()
        await page.evaluate("scrollTo(0, 0)")

        # The legend of a chart opens as a table with statistics, sorts by any column, and shows one line alone.
        await page.get_by_role("button", name="all values and statistics of CPU").click()
        table = page.locator(f"{CPU} .legend-table[aria-busy=false]")
        await table.get_by_role("button", name="Max").click()
        await page.locator(f"{CPU} th[aria-sort=descending]").wait_for()
        # What is not stored yet when the legend is opened comes when its statistics are asked for again.
        await expect(table.locator("tbody tr").first).not_to_contain_text("–", timeout=60_000)
        assert await first_cell(page) == "total", "nothing is more than everything"
        await table.get_by_role("button", name="user", exact=True).click()
        await page.locator(f"{CPU} .unlit").first.wait_for()
        assert await findings(page) == []

        # What is too high leads to a rule about just that.
        href = await page.evaluate(
            """(chart) => {
              const link = document.querySelector(`${chart} .chart-action`);
              addEventListener('click', (event) => event.preventDefault(), { once: true, capture: false });
              link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, ctrlKey: true }));
              return link.href;
            }""",
            CPU,
        )
        assert f"/alerts?new=rule&metric=cpu.user&host={HOST}&value=" in href

        await choose(page, "Memory")
        await page.wait_for_url("**view=memory*")
        await page.locator("[data-chart=memory-slab]").scroll_into_view_if_needed()
        await page.locator("[data-chart=memory-slab] canvas").wait_for()
        assert await page.locator(CPU).count() == 0

        await choose(page, "Agent")
        await page.locator("[data-metric='agent.dropped_total']").wait_for()
        await page.get_by_role("button", name="Ping").click()
        await page.get_by_text("It answered at").wait_for()
        assert await findings(page) == []

        await choose(page, "Processes")
        await page.get_by_role("region", name="Processes, by memory").get_by_role("row").nth(1).wait_for()
        assert await findings(page) == []

        await choose(page, "Settings")
        await page.get_by_role("button", name="Change", exact=True).click()
        form = page.get_by_role("dialog", name=f"What {HOST} samples and sends")
        await form.get_by_label("A sample every").fill("often")
        await form.get_by_role("button", name="Save").click()
        await form.get_by_text("must be a number of seconds").wait_for()
        assert await findings(page) == []
        await form.get_by_label("A sample every").fill("2")
        await form.get_by_role("button", name="Save").click()
        await form.wait_for(state="hidden")
        await page.get_by_text("revision 1 is in force").wait_for()
        await page.locator(".config .readings").get_by_text("2 s", exact=True).first.wait_for()
        assert await findings(page) == []

        await choose(page, "Alerts")
        await page.get_by_role("rowheader", name="CPU busy").wait_for()
        assert await page.get_by_role("rowheader", name="Monitoring is blind").count() == 0, "it is not about hosts"
        assert await findings(page) == []

        # What happened is a mark on every chart, and in the list; new settings are one.
        await choose(page, "Overview")
        event = page.locator(".events li").first
        await event.wait_for()
        await event.get_by_role("button").click()
        await page.wait_for_url("**from=*")
        assert await findings(page) == []


async def test_brackets_lead_to_the_hosts_beside_this_one_with_the_same_range_and_view(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    now_ms = time.time_ns() // 1_000_000
    for host in ("web-1", "web-2", "web-3"):
        await put(database_url, "cpu", [(now_ms - 5000, "", {"total": 1000})], host)
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with (
        served(settings) as address,
        sending(bus_url, "web-1", "web-2", "web-3"),
        opened(chromium, address) as page,
    ):
        await page.get_by_role("link", name="web-3").wait_for()
        await page.goto(f"{address}/hosts/web-1?range=5m&view=cpu")
        for key, leads_to in (("]", "web-2"), ("[", "web-1"), ("[", "web-3")):
            await page.get_by_role("link", name=f"Next host, {after(page.url)}").wait_for()
            await page.keyboard.press(key)
            await page.wait_for_url(f"{address}/hosts/{leads_to}?range=5m&view=cpu")


async def test_two_fingers_stretch_the_range_and_shift_with_the_mouse_moves_it(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}?range=1h", width=390, height=844) as page,
    ):
        await page.locator(CPU).scroll_into_view_if_needed()
        await ready(page)
        touch = await page.context.new_cdp_session(page)
        await touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
        box = await page.locator(f"{CPU} .u-over").bounding_box()
        assert box

        async def fingers(kind: str, *points: float) -> None:
            places = [
                {"x": box["x"] + box["width"] * at, "y": box["y"] + 60, "id": number}
                for number, at in enumerate(points)
            ]
            await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

        async def span_ms() -> int:
            found: int = await page.evaluate(
                """() => {
                  const query = new URLSearchParams(location.search);
                  return Number(query.get('to')) - Number(query.get('from'));
                }"""
            )
            return found

        await fingers("touchStart", 0.4)
        await fingers("touchStart", 0.4, 0.6)
        for apart in (0.15, 0.2, 0.3):
            await fingers("touchMove", 0.5 - apart, 0.5 + apart)
        await fingers("touchEnd")
        await page.wait_for_url("**from=*")
        assert 1_100_000 < await span_ms() < 1_300_000, "fingers three times as far apart show a third"

        await touch.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
        await ready(page)
        before, length_ms = page.url, await span_ms()
        await page.keyboard.down("Shift")
        await page.mouse.move(box["x"] + 60, box["y"] + 60)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 160, box["y"] + 60, steps=4)
        await page.mouse.up()
        await page.keyboard.up("Shift")
        await page.wait_for_function("(url) => location.href !== url", arg=before)
        assert abs(await span_ms() - length_ms) <= 2

        await page.go_back()
        await page.wait_for_url(f"{address}/hosts/{HOST}?range=1h")
