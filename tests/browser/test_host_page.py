"""A host's page around its charts: what it says of a host, and what it leaves behind."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from infra.settings import ServerSettings
from tests.browser.browser import Chromium, opened
from tests.browser.stack import HOST, served, stack
from tests.browser.test_charts import ready
from tests.gateway.rows import put

pytestmark = pytest.mark.browser

VISITS = 24
SETTLED_AFTER = 4
"""Visits until everything that is made once is made."""
LEVELS = "[...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]))"


async def kept(page: Page) -> tuple[float, int]:
    """Megabytes of the page's objects, and its canvases, on the page or not, after garbage was collected.

    Without compiled code, of which there is the more the more often something ran, and without what the browser keeps
    for itself.
    """
    session = await page.context.new_cdp_session(page)
    chunks: list[str] = []
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
    await session.send("HeapProfiler.collectGarbage")
    await session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    await session.detach()
    heap = json.loads("".join(chunks))
    fields, names = heap["snapshot"]["meta"]["node_fields"], heap["strings"]
    kinds = heap["snapshot"]["meta"]["node_types"][0]
    columns = [heap["nodes"][fields.index(name) :: len(fields)] for name in ("type", "name", "self_size")]
    size = sum(size for kind, _, size in zip(*columns, strict=True) if kinds[kind] not in {"code", "native"})
    canvases = sum(names[name].startswith("<canvas") for _, name, _ in zip(*columns, strict=True))
    return size / 1e6, canvases


async def test_a_host_with_only_a_past_shows_it(chromium: Chromium, bus_url: str, database_url: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    await put(database_url, "cpu", [(now_ms - 1000 * ago, "", {"total": 1000}) for ago in range(60, 600)])
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, opened(chromium, f"{address}/hosts/web-1") as page:
        await ready(page)
        assert await page.locator("[data-chart]").count() == 1
        await page.locator(".stats tbody tr").first.wait_for()


async def test_a_host_without_any_sample_says_so(chromium: Chromium, bus_url: str, database_url: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    await put(database_url, "cpu", [(now_ms - 86_400_000, "", {"total": 1000})])
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, opened(chromium, f"{address}/hosts/web-1?range=5m") as page:
        await page.locator(".charts").get_by_text("No samples in this range").wait_for()


async def test_a_family_that_ended_is_shown_with_what_is_stored_of_it(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    now_ms = time.time_ns() // 1_000_000
    await put(database_url, "cpu", [(now_ms - 10_000 * ago, "", {"total": 1000}) for ago in range(720)])
    await put(database_url, "gpu", [(now_ms - 10_000 * ago, "0", {"utilisation": 500}) for ago in range(360, 720)])
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, opened(chromium, f"{address}/hosts/web-1?range=6h") as page:
        views = page.get_by_role("navigation", name="Views of this host")
        gpu = page.locator("[data-chart=gpu]")
        await gpu.locator("canvas").wait_for()
        await expect(gpu).to_have_attribute("data-pending", "0")
        await expect(gpu.get_by_text("No samples in this range")).to_have_count(0)
        assert await page.locator(".tile", has_text="GPU").count() == 0, "it has no present"
        await views.get_by_role("link", name="GPU", exact=True).click()
        await gpu.locator("canvas").wait_for()

        # Where it has no rows it has no charts, and the page says of what there is nothing.
        await page.locator(".segments").get_by_text("15m", exact=True).click()
        await page.locator(".charts").get_by_text("No samples of GPU in this range").wait_for()
        await expect(views.locator("[aria-current=page]")).to_have_text("GPU")

        await page.goto(f"{address}/hosts/web-1?view=foo")
        await expect(views.locator("[aria-current=page]")).to_have_text("Overview")
        await page.locator("[data-chart=cpu] canvas").wait_for()


@pytest.mark.timeout(300)
async def test_hosts_that_were_visited_leave_nothing_behind(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, address) as page,
    ):
        settled = 0.0
        for visit in range(1, VISITS + 1):
            await page.get_by_role("link", name=HOST).click()
            await ready(page)
            await page.locator(".stats tbody tr").first.wait_for()
            await page.locator(".back").click()
            await page.locator(".card").wait_for()
            if visit == SETTLED_AFTER:
                settled, _ = await kept(page)
        left, canvases = await kept(page)
        assert canvases <= 1, "the engine itself remembers the last chart that was made, no other is left"
        assert left - settled < 0.3, f"{settled:.2f} MB after {SETTLED_AFTER} visits, {left:.2f} after {VISITS}"


async def test_headings_make_an_outline_without_leaps(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with stack(bus_url, database_url, tmp_path) as address, opened(chromium, f"{address}/hosts/{HOST}") as page:
        await ready(page)
        levels: list[int] = await page.evaluate(LEVELS)
        assert levels[0] == 1
        assert all(deeper - level <= 1 for level, deeper in itertools.pairwise(levels)), levels


async def test_the_first_chart_begins_on_the_first_screen_of_a_phone(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}", width=390, height=844) as page,
    ):
        await page.locator("[data-chart=cpu]").wait_for()
        tops: list[float] = await page.evaluate(
            "[...document.querySelectorAll('.tile')].map((tile) => tile.getBoundingClientRect().top)"
        )
        # A busy machine may have alerts, which stand above, and any machine more file systems than most.
        alerts = await page.locator(".active").bounding_box() if await page.locator(".active").count() else None
        box = await page.locator("[data-chart=cpu]").bounding_box()
        assert box
        further = max(0, len(set(tops)) - 3) * 72 + (alerts["height"] + 12 if alerts else 0)
        assert box["y"] - further < 560


async def test_the_table_of_statistics_is_scrolled_with_keys(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        stack(bus_url, database_url, tmp_path) as address,
        opened(chromium, f"{address}/hosts/{HOST}", width=390, height=844) as page,
    ):
        table = page.get_by_role("region", name="Table of statistics")
        await table.focus()
        await page.keyboard.press("ArrowRight")
        await page.wait_for_function("() => document.activeElement.scrollLeft > 0")
        assert "from=" not in page.url, "the arrow moves the table, not the charts"
