"""What the page says of the way to the gateway, and that it is true."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from playwright.async_api import Page

from infra.settings import ServerSettings
from tests.browser.between import Between, Fault, between
from tests.browser.browser import NO_WORKERS, Chromium, opened
from tests.browser.stack import sending, served
from tests.waiting import eventually

pytestmark = pytest.mark.browser

PROVOKED = ("net::ERR_", "status of 50", "Failed to load resource")


class Case(NamedTuple):
    """A fault, and what the page says once it has noticed: a silent stream after 5 s, any other at once."""

    stream: Fault
    rest: Fault
    connection: str
    """The word in the header."""
    standing: str
    """Of a host that was up."""
    banner: str
    """A part of it that says why."""
    works: str
    """A part of it that says what can still be relied on."""


POLLED = "instead; history, alerts and settings work."
NOT_KNOWN = "How hosts are now is not known."
WHAT_THE_PAGE_SAYS = [
    Case("swallow", "pass", "Every ", "Up", "Nothing came for 5 s.", POLLED),
    Case("swallow", "swallow", "Not live", "Unknown", "Nothing came for 5 s.", NOT_KNOWN),
    Case("cut", "pass", "Every ", "Up", "The gateway cannot be reached.", POLLED),
    Case("cut", "cut", "Not live", "Unknown", "The gateway cannot be reached.", NOT_KNOWN),
    Case("503", "pass", "Every ", "Up", "The gateway takes no more viewers now.", POLLED),
    Case("503", "500", "Not live", "Unknown", "The gateway takes no more viewers now.", NOT_KNOWN),
    Case("500", "html", "Not live", "Unknown", "The gateway answered 500.", NOT_KNOWN),
    Case("html", "pass", "Every ", "Up", "Something else than the gateway answered.", POLLED),
    Case("garbage", "pass", "Every ", "Up", "The stream carried something unreadable.", POLLED),
    Case("slow", "pass", "Behind", "Up", "the way to the gateway is slow", "Samples arrive, but later"),
]


@asynccontextmanager
async def watched(bus_url: str, database_url: str, *hosts: str) -> AsyncIterator[tuple[Between, str]]:
    """A gateway with hosts that send, and the proxy before it."""
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, sending(bus_url, *hosts), between(address) as way:
        yield way


async def live(page: Page) -> None:
    """Wait until the page shows hosts, live."""
    await page.locator(".connection.live").wait_for()
    await page.locator(".card").first.wait_for()


@pytest.mark.parametrize("case", WHAT_THE_PAGE_SAYS, ids=lambda case: f"stream-{case.stream}-rest-{case.rest}")
async def test_the_page_says_what_is_wrong_and_what_still_works(
    chromium: Chromium, bus_url: str, database_url: str, case: Case
) -> None:
    async with (
        watched(bus_url, database_url, "web-1") as (way, address),
        opened(chromium, address, provoked=PROVOKED) as page,
    ):
        await live(page)
        assert await page.locator(".banner").count() == 0
        way.harm(stream=case.stream, rest=case.rest)

        async def said() -> bool:
            banner = await page.locator(".banner-place").inner_text()
            assert case.banner in banner
            assert case.works in banner
            assert (await page.locator(".connection").inner_text()).startswith(case.connection)
            assert await page.locator(".card .standing").first.get_attribute("title") == case.standing
            return True

        await eventually(said, within_s=150, every_s=0.2)
        way.harm()
        await live(page)
        await page.locator(".banner").wait_for(state="hidden")
        assert await page.locator(".card .standing").first.get_attribute("title") == "Up"


async def test_eight_tabs_share_one_stream_and_all_are_live(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    hosts = [f"web-{number}" for number in range(1, 8)]
    async with (
        watched(bus_url, database_url, *hosts) as (way, address),
        opened(chromium, address) as first,
    ):
        await live(first)
        pages = [first]
        for host in hosts:
            page = await first.context.new_page()
            await page.goto(f"{address}/hosts/{host}")
            pages.append(page)
            # The proxy hears of the stream that ends only after the one that replaces it began.
            await eventually(lambda: way.streams == 1)
        for page in pages[1:]:
            await page.bring_to_front()
            await page.locator(".connection.live").wait_for()
            await page.locator("[data-chart=cpu] canvas").wait_for()
            await page.wait_for_function(
                "() => document.querySelector('[data-chart=cpu] .legend b')?.textContent.match(/\\d/)"
            )
        await eventually(lambda: way.streams == 1)


async def test_another_tab_begins_with_what_is_known_already(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        watched(bus_url, database_url, "web-1") as (way, address),
        opened(chromium, address) as first,
    ):
        await live(first)
        asked = sum(path.startswith("/api/v1/live") for path in way.asked)
        second = await first.context.new_page()
        await second.goto(address)
        await live(second)
        assert sum(path.startswith("/api/v1/live") for path in way.asked) == asked


async def test_a_stream_that_was_cut_goes_on_where_it_was(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with (
        watched(bus_url, database_url, "web-1") as (way, address),
        opened(chromium, address, provoked=PROVOKED) as page,
    ):
        await live(page)
        way.harm(stream="cut")
        await page.locator(".connection.lost, .connection.polled").wait_for()
        way.harm()
        await live(page)
        assert way.resumed > 0


NO_LOCKS = f"{NO_WORKERS}; Object.defineProperty(navigator, 'locks', {{value: undefined}})"


@pytest.mark.parametrize("without", [NO_WORKERS, NO_LOCKS], ids=["without-workers", "without-workers-and-locks"])
async def test_a_browser_without_shared_workers_is_live_too(
    chromium: Chromium, bus_url: str, database_url: str, without: str
) -> None:
    async with (
        watched(bus_url, database_url, "web-1") as (way, address),
        opened(chromium, address, before=without) as first,
    ):
        await live(first)
        second = await first.context.new_page()
        await second.add_init_script(without)
        await second.goto(f"{address}/hosts/web-1")
        await second.locator("[data-chart=cpu] canvas").wait_for()
        if without == NO_WORKERS:
            await eventually(lambda: way.streams == 1)
            await first.close()  # the tab that held the stream
            await second.locator(".connection.live").wait_for()
            await eventually(lambda: way.streams == 1)


async def test_a_shared_worker_that_dies_is_replaced(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with (
        watched(bus_url, database_url, "web-1") as (way, address),
        opened(chromium, address) as page,
    ):
        await live(page)
        browser = await chromium.browser.new_browser_cdp_session()
        targets = (await browser.send("Target.getTargets"))["targetInfos"]
        workers = [one for one in targets if one["type"] == "shared_worker" and one["url"].startswith(address)]
        assert len(workers) == 1
        await browser.send("Target.closeTarget", {"targetId": workers[0]["targetId"]})
        await eventually(lambda: way.streams == 0)
        await eventually(lambda: way.streams == 1)
        await live(page)
