"""Several hosts side by side, and those that lead in the fleet."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import expect

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import served
from tests.gateway.rows import put

pytestmark = pytest.mark.browser

DAY_MS = 86_400_000
AVERAGES = {"web-1": 20, "web-2": 40, "db-1": 60}


async def past(database_url: str, now_ms: int) -> None:
    """Ten minutes of CPU and file systems until now, and the same of yesterday's CPU, halved."""
    for host, percent in AVERAGES.items():
        times = range(now_ms - 600_000, now_ms, 1000)
        await put(
            database_url,
            "cpu",
            [
                *((at, "", {"total": 100 * percent}) for at in times),
                *((at - DAY_MS, "", {"total": 50 * percent}) for at in times),
            ],
            host=host,
        )
        mounts = [(at, mount, {"used_percent": 1000}) for at in times[::10] for mount in ("/", "/data")]
        await put(database_url, "filesystem", mounts, host=host)


LEGEND = ".chart .legend li"


async def test_hosts_are_compared_with_yesterday_and_by_what_leads(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    now_ms = time.time_ns() // 1_000_000
    await past(database_url, now_ms)
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    span = f"from={now_ms - 600_000}&to={now_ms}"
    async with (
        served(settings) as address,
        api_of(address) as api,
        opened(chromium, f"{address}/compare?hosts=web-1,web-2&metrics=cpu.total&{span}") as page,
    ):
        lines = page.locator(LEGEND)
        await expect(lines).to_have_count(2)
        stats = (await api.get(f"/hosts/web-2/stats?metrics=cpu.total&{span}")).json()["stats"][0]
        row = page.locator("[data-row='cpu.total web-2']")
        await expect(row.locator("td").nth(3)).to_have_text(f"{stats['avg']:.1f}\u00a0%")

        await page.get_by_role("button", name="Yesterday").click()
        await expect(lines.filter(has_text="web-2")).to_contain_text("yesterday20.0", timeout=60_000)

        await page.get_by_label("Add a host").fill("db-1")
        await page.keyboard.press("Enter")
        await expect(lines).to_have_count(3)
        await page.get_by_role("button", name="Remove web-1").click()
        await expect(lines).to_have_count(2)
        assert "hosts=web-2%2Cdb-1" in page.url

        await page.get_by_role("button", name="Each by itself").click()
        await expect(page.locator(".chart")).to_have_count(2)
        await page.get_by_label("Add a metric").select_option("filesystem.used_percent")
        await expect(page.locator(".chart")).to_have_count(2 + 4)
        await page.get_by_role("button", name="/data", exact=True).click()
        await expect(page.locator(".chart")).to_have_count(2 + 2)
        assert not await findings(page)
        await page.set_viewport_size({"width": 390, "height": 844})
        assert not await findings(page)
        assert await page.evaluate("document.documentElement.scrollWidth") == 390

        await page.get_by_role("button", name="Overlaid").click()
        await page.get_by_role("button", name="Top of the fleet").click()
        await page.get_by_label("How many").select_option("3")
        await page.get_by_label("By", exact=True).select_option("max")
        await expect(page.locator("[data-row^='cpu.total'] th")).to_have_text(["db-1", "web-2", "web-1"])
        assert "by=max" in page.url


async def test_of_more_hosts_than_can_be_told_apart_the_rest_is_told(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    names = [f"h-{number}" for number in range(14)]
    now_ms = time.time_ns() // 1_000_000
    for name in names:
        await put(database_url, "cpu", [(now_ms - 60_000, "", {"total": 1000})], host=name)
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with (
        served(settings) as address,
        opened(chromium, f"{address}/compare?hosts={','.join(names)}&range=1h") as page,
    ):
        await page.get_by_text("12 hosts are compared, 2 more were asked for.").wait_for()
        await page.locator("[data-row='cpu.total h-11']").wait_for()
