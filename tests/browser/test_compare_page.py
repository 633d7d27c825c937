"""Several hosts side by side, and those that lead in the fleet."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import expect

from infra.settings import ServerSettings
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import sending, served
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
        opened(chromium, f"{address}/compare?hosts=web-1,removed,web-2&metrics=cpu.total&{span}") as page,
    ):
        lines = page.locator(LEGEND)
        await expect(lines).to_have_count(2)
        gone = page.locator(".chosen", has_text="removed")
        await expect(gone).to_contain_text("not in the fleet")
        await gone.get_by_role("button").click()
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
        mounts = [page.get_by_role("button", name=mount, exact=True) for mount in ("/data", "/")]
        for mount, charts in zip(mounts * 2, (2 + 2, 2 + 4, 2 + 2, 2 + 4), strict=True):
            await mount.click()
            await expect(page.locator(".chart")).to_have_count(charts)
        await mounts[0].click()
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


VISIBILITY = """(hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


async def test_a_comparison_follows_live_samples_and_catches_up_once_it_is_seen_again(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    hosts = ("web-1", "web-2")
    now_ms = time.time_ns() // 1_000_000
    for host in hosts:
        await put(database_url, "cpu", [(now_ms - 60_000, "", {"total": 1000})], host=host)
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with (
        served(settings) as address,
        sending(bus_url, *hosts),
        opened(chromium, address, provoked=("status of 503",)) as page,
    ):
        await page.route("**/marks?*", lambda route: route.fulfill(status=503, body="no"))
        await page.goto(f"{address}/compare?hosts={','.join(hosts)}&metrics=cpu.total,memory.used")
        lines = page.locator("[data-chart='cpu.total'] .legend li b")
        await expect(lines).to_have_count(2)
        # Nothing of this is stored.
        for _ in range(2):
            before = await lines.all_inner_texts()
            for line, text in zip(await lines.all(), before, strict=True):
                await expect(line).not_to_have_text(text)

        await expect(page.get_by_text("What happened to the hosts could not be loaded.")).to_be_visible()

        memory = page.locator("[data-chart='memory.used']")
        await expect(memory.get_by_text("No samples in this range")).to_be_visible()
        await expect(memory.locator(".legend li")).to_have_count(2)
        await page.evaluate(VISIBILITY, True)
        stored = [(now_ms - second * 1000, "", {"used": 1 << 30}) for second in range(120)]
        await put(database_url, "memory", stored, host="web-1")
        await page.evaluate(VISIBILITY, False)
        await expect(memory.locator(".legend li")).to_have_count(1)
        await expect(memory.locator(".legend li")).to_contain_text("web-1")


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
