"""The dashboard in a real browser, over the real stack."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Page

from infra.settings import ServerSettings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import HOST, served, stack
from tests.gateway.rows import execute, put
from tests.gateway.running import ANY
from tests.waiting import eventually

pytestmark = pytest.mark.browser

API = "/api/v1"
TILES = """[...document.querySelectorAll('.tile .number')].map(
  (box) => [box.dataset.metric, box.dataset.instance, box.firstChild.textContent])"""


async def meter(page: Page, name: str) -> float:
    """The number that the host's card shows beside `name`; -1 while there is none."""
    text = await page.locator(".card .meter", has_text=name).first.locator(".number").inner_text()
    number = text.split("%")[0].strip()
    return float(number) if number and number != "–" else -1


async def test_the_fleet_shows_this_machine_with_numbers_that_move(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with stack(bus_url, database_url, tmp_path) as address, opened(chromium, address) as page:
        await page.get_by_role("link", name=HOST).wait_for()
        seen: set[tuple[str, ...]] = set()

        async def moved() -> bool:
            """Any of the numbers: on a machine that is busy all the time, CPU stays at 100 %."""
            if await meter(page, "CPU") >= 0:
                seen.add(tuple(await page.locator(".card .meter .number").all_inner_texts()))
            return len(seen) >= 3

        await eventually(moved, within_s=60, every_s=0.3)
        assert abs(await meter(page, "Memory") - psutil.virtual_memory().percent) < 10
        interval = await page.locator(".card .interval").text_content()
        assert interval in {"Samples every 1\u00a0s", "Samples every 2\u00a0s"}, "samples, or on a busy machine batches"
        assert await page.locator(".connection").inner_text() == "Live"

        async def drawn() -> bool:
            return len(await page.locator(".card .spark .line").first.get_attribute("d") or "") > 20

        await eventually(drawn, every_s=0.3)


async def test_tiles_agree_with_the_api(chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}") as page,
        api_of(address) as api,
    ):
        await page.locator(".tile").first.wait_for()

        async def agree() -> bool:
            """All tiles at once; a sample may arrive between the two readings, so this is tried again."""
            shown: list[tuple[str, str, str]] = await page.evaluate(TILES)
            latest = (await api.get(f"/hosts/{HOST}")).json()["latest"]
            assert {"cpu.total", "memory.used_percent", "filesystem.used_percent"} <= {path for path, _, _ in shown}
            for path, instance, number in shown:
                family, metric = path.split(".")
                expected = latest[family][instance][metric]
                assert abs(float(number) - expected) < 0.051, f"{path} {instance}: {number}, not {expected}"
            return True

        await eventually(agree, within_s=30, every_s=0.2)


async def test_rows_that_were_refused_are_told_on_the_page_of_their_host(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    now_ms = time.time_ns() // 1_000_000
    await put(database_url, "cpu", [(now_ms, "", {"total": 1})])
    await execute(database_url, "INSERT INTO refusals SELECT id, 'cpu', 'too old', 1204, now() FROM hosts")
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, opened(chromium, f"{address}/hosts/web-1") as page:
        line = page.locator("[data-refused]")
        await line.wait_for()
        assert (await line.inner_text()).startswith("1,204 rows refused: too old (CPU), last ")


async def test_a_drag_zooms_every_chart_and_a_double_click_goes_back(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}?range=5m") as page,
    ):
        await page.locator("[data-chart=cpu] canvas").wait_for()
        await page.wait_for_function(
            "() => document.querySelector('[data-chart=cpu] .legend b')?.textContent.match(/\\d/)"
        )
        drawn = "(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0))"
        assert await page.evaluate(f"{drawn}(document.querySelector('[data-chart=cpu] canvas'))")

        box = await page.locator("[data-chart=cpu] .u-over").bounding_box()
        assert box
        await page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 50, steps=4)
        async with page.expect_request(lambda request: "/series" in request.url and "network" in request.url) as asked:
            await page.mouse.up()
        await page.wait_for_url("**from=*")
        request = await asked.value
        assert f"from={page.url.split('from=')[1].split('&')[0]}" in request.url
        await page.locator("[data-chart=network] .u-over").dblclick(position={"x": 60, "y": 20})
        await page.wait_for_url(f"{address}/hosts/{HOST}?range=5m")


async def test_a_rule_made_in_the_form_is_there_over_rest(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/alerts") as page,
        api_of(address) as api,
    ):
        await page.get_by_role("button", name="New rule").click()
        await page.get_by_label("Name", exact=True).fill("Disk nearly full")
        await page.get_by_label("Metric", exact=True).select_option("filesystem.used_percent")
        critical = page.get_by_role("group", name="Critical")
        await critical.get_by_label("Raise at").fill("80")
        await critical.get_by_label("Clear at").fill("85")
        await page.get_by_role("button", name="Create rule").click()
        assert "Type 80 or less" in await critical.locator(".error").inner_text()

        await critical.get_by_label("Clear at").fill("70")
        await page.get_by_role("button", name="Create rule").click()
        await page.locator("[data-rule=disk-nearly-full]").wait_for()
        rules = {entry["rule"]["id"]: entry["rule"] for entry in (await api.get("/rules")).json()["rules"]}
        assert rules["disk-nearly-full"]["critical"] == {"raise_at": 80, "clear_at": 70}
        assert rules["disk-nearly-full"]["metric"] == "filesystem.used_percent"


async def test_a_setting_changed_by_somebody_else_is_not_overwritten(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/settings", provoked=("status of 412",)) as page,
        api_of(address) as api,
    ):
        field = page.get_by_label("Raw samples kept")
        await field.fill("9")
        (await api.put("/settings/raw_days", json={"value": 30}, headers=ANY)).raise_for_status()
        await field.press("Enter")
        await page.get_by_text("Somebody changed this meanwhile to “30”").wait_for()
        assert (await api.get("/settings/raw_days")).json()["value"] == 30

        await page.get_by_role("button", name="Save mine over it").click()
        await page.get_by_text("Saved", exact=True).wait_for()
        assert (await api.get("/settings/raw_days")).json()["value"] == 9


async def test_a_card_is_opened_with_the_keyboard_alone(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with stack(bus_url, database_url, tmp_path) as address, opened(chromium, address) as page:
        await page.get_by_role("link", name=HOST).wait_for()
        for _ in range(30):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent") == HOST:
                break
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{address}/hosts/{HOST}")
        await page.get_by_role("heading", name=HOST).wait_for()


async def test_an_older_link_to_a_host_opens_its_page(chromium: Chromium, bus_url: str, database_url: str) -> None:
    await put(database_url, "cpu", [(time.time_ns() // 1_000_000, "", {"total": 1})])
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, opened(chromium, f"{address}/host/web-1?range=5m") as page:
        await page.wait_for_url(f"{address}/hosts/web-1?range=5m")
        await page.get_by_role("heading", name="web-1").wait_for()


@pytest.mark.parametrize("path", ["/hosts/No", "/unknown", "/host/a%2Fb", "/hosts/%zz"])
async def test_a_page_that_does_not_exist_says_so(
    chromium: Chromium, path: str, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, opened(chromium, address + path) as page:
        await page.get_by_role("heading", name="No such page").wait_for()
