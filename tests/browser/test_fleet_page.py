"""The fleet's page in a real browser: what its cards say, what stays calm, and what a search and a filter do."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import Locator, Page

from infra.settings import ServerSettings
from tests.batches import sample
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.stack import served
from tests.gateway.rows import execute, put
from tests.gateway.running import publish, publishing
from tests.waiting import eventually

pytestmark = pytest.mark.browser

MINUTE_MS = 60_000
BOXES = """[...document.querySelectorAll('.card')].map((card) => {
  const {x, y, width, height} = card.getBoundingClientRect();
  return [x, y, width, height];
})"""


async def host(database_url: str, name: str, *tags: str, age_ms: int = 0, cpu_percent: int = 10) -> None:
    """A host whose newest sample is so old: offline, or up for as long as a test may take."""
    await put(database_url, "cpu", [(time.time_ns() // 1_000_000 - age_ms, "", {"total": cpu_percent * 100})], name)
    booted_s = time.time() - age_ms / 1000 - 3 * 86_400 - 60
    facts = json.dumps({"boot_time": booted_s, "batch_interval_s": 10 if age_ms else 3600})
    await execute(database_url, "UPDATE hosts SET facts = $2::jsonb, tags = $3 WHERE name = $1", name, facts, tags)


async def small_fleet(database_url: str) -> None:
    """Two that are up, and one that went away 40 minutes ago."""
    await host(database_url, "web-1", "web", "prod", cpu_percent=70)
    await host(database_url, "web-2", "web", "staging")
    await host(database_url, "db-1", "db", "prod", age_ms=40 * MINUTE_MS)


@asynccontextmanager
async def fleet(
    chromium: Chromium, bus_url: str, database_url: str, query: str = "", *, scheme: str = "dark", width: int = 1440
) -> AsyncIterator[Page]:
    """The fleet's page over a gateway, once it has cards or says that it has none."""
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with (
        served(settings) as address,
        opened(chromium, f"{address}/{query}", scheme=scheme, width=width) as page,  # type: ignore[arg-type]
    ):
        await page.locator(".card .number, .host-row, .cell, .empty").first.wait_for()
        yield page


def card(page: Page, name: str) -> Locator:
    return page.locator(".card", has=page.get_by_role("link", name=name, exact=True))


async def names(page: Page) -> list[str]:
    return await page.locator(".card h2").all_inner_texts()


async def test_a_host_that_sends_every_10_s_shows_just_that(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with fleet(chromium, bus_url, database_url) as page, publishing(bus_url) as agent:
        sent_ms = time.time_ns() // 1_000_000 - 18_000
        await publish(agent, sample(sent_ms, total=100), lane="metrics")
        await card(page, "web-1").wait_for()
        await publish(agent, sample(sent_ms + 10_000, total=200), lane="metrics", seq=2)
        await card(page, "web-1").get_by_text("10\u00a0s").wait_for()
        assert await page.locator(".badge.stale").count() == 0


async def test_a_host_that_went_away_says_since_when_and_is_not_faded(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url) as page:
        await card(page, "db-1").locator(".badge.stale", has_text="Offline 40\u00a0min").wait_for()
        dimmed = """(card) => [card, ...card.querySelectorAll('.face, .face :not(.area)')].map(getComputedStyle)
          .filter((style) => style.opacity !== '1' || style.filter !== 'none').length"""
        assert await card(page, "db-1").evaluate(dimmed) == 0


async def test_uptime_ends_with_the_last_sample(chromium: Chromium, bus_url: str, database_url: str) -> None:
    await host(database_url, "db-1", age_ms=20 * 86_400_000)
    async with fleet(chromium, bus_url, database_url) as page:
        assert "was up 3\u00a0d" in (await card(page, "db-1").locator(".card-foot").text_content() or "")


async def test_a_stream_that_is_lost_leaves_every_card_in_its_place(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await host(database_url, "web-1")
    await host(database_url, "web-2", age_ms=40 * MINUTE_MS)
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with AsyncExitStack() as gateway:
        address = await gateway.enter_async_context(served(settings))
        async with opened(chromium, address, provoked=("net::ERR_",)) as page:
            await card(page, "web-2").get_by_text("Offline 40").wait_for()
            assert await names(page) == ["web-2", "web-1"]
            await gateway.aclose()
            await card(page, "web-1").get_by_text("Last known").wait_for()
            assert await names(page) == ["web-2", "web-1"]


async def test_the_brand_and_show_all_empty_the_search(chromium: Chromium, bus_url: str, database_url: str) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?q=web") as page:
        field = page.get_by_label("Search hosts")
        assert await names(page) == ["web-1", "web-2"]
        assert await field.input_value() == "web"
        await page.get_by_role("link", name="Sonde, fleet").click()
        await card(page, "db-1").wait_for()
        assert await field.input_value() == ""

        await page.get_by_role("button", name="Offline").click()
        await field.fill("web")
        await page.get_by_text("No host that is offline matches web.").wait_for()
        await page.get_by_text("2 hosts are found in other states.").wait_for()
        assert await page.get_by_role("button", name="Search for").count() == 0
        await field.fill("wbe-1")
        await page.get_by_text("No host that is offline fits “wbe-1”.").wait_for()
        await page.get_by_role("button", name="Show all 3").click()
        await card(page, "web-1").wait_for()
        assert await field.input_value() == ""
        assert await page.get_by_role("button", name="All").get_attribute("aria-pressed") == "true"


async def test_a_search_typed_with_spaces_is_kept_and_understood(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url) as page:
        field = page.get_by_label("Search hosts")
        await field.press_sequentially("-tag:db cpu > 50 ")
        assert await field.input_value() == "-tag:db cpu > 50 "
        await card(page, "web-2").wait_for(state="detached")
        assert await names(page) == ["web-1"]


async def test_a_search_typed_without_a_pause_is_followed_to_its_end(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    typed = """(field) => {
      for (let key = 0; key <= 300; key += 1) {
        field.value = key < 300 ? "x".repeat(1 + (key % 30)) : "web-2";
        field.dispatchEvent(new Event("input", {bubbles: true}));
      }
    }"""  # more than Chromium lets a page write to its address at once
    async with fleet(chromium, bus_url, database_url) as page:
        await page.get_by_label("Search hosts").evaluate(typed)
        await page.get_by_text("1 of 3 hosts").wait_for()
        assert await names(page) == ["web-2"]
        await page.wait_for_url("**?q=web-2")


async def test_a_term_that_means_nothing_is_explained_and_the_others_count(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?q=foo>3+db") as page:
        field = page.get_by_label("Search hosts")
        described = await field.evaluate(
            "(field) => document.getElementById(field.ariaDescribedByElements[0].id).innerText"
        )
        assert "“foo>3” is left out: only cpu, mem," in described
        assert await names(page) == ["db-1"]


async def test_the_help_lists_the_grammar_and_closes_by_escape(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url) as page:
        await page.get_by_role("button", name="Help on search").press("Enter")
        await page.get_by_text("net > 500k").wait_for()
        await page.keyboard.press("Escape")
        await page.get_by_text("net > 500k").wait_for(state="hidden")


async def test_a_count_of_hosts_in_trouble_has_its_colour_and_none_has_not(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    colour = "(button) => getComputedStyle(button.querySelector('b')).color"
    async with fleet(chromium, bus_url, database_url) as page:
        offline = await page.locator(".filter", has_text="Offline").evaluate(colour)
        warning = await page.locator(".filter", has_text="Warning").evaluate(colour)
        badge = await card(page, "db-1").locator(".badge.stale").evaluate("(badge) => getComputedStyle(badge).color")
    assert offline == badge
    assert warning != offline


async def test_twenty_cards_fit_a_laptop_and_pointing_at_one_moves_none(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    for number in range(30):
        await host(database_url, f"web-{number}", "web")
    async with fleet(chromium, bus_url, database_url) as page:
        before = await page.evaluate(BOXES)
        assert sum(y >= 0 and y + height <= 900 for _, y, _, height in before) >= 20
        foot = card(page, "web-7").locator(".card-foot")
        assert await foot.evaluate("(foot) => getComputedStyle(foot).opacity") == "0"

        async def pointed_at() -> bool:
            await card(page, "web-7").hover()
            return await shows(foot)

        await eventually(pointed_at)
        assert (await page.evaluate(BOXES))[: len(before)] == before  # more lie beyond the screen once the page rests


async def test_the_keyboard_brings_up_what_a_pointer_does(chromium: Chromium, bus_url: str, database_url: str) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url) as page:
        await page.get_by_role("link", name="web-2").focus()
        await eventually(lambda: shows(card(page, "web-2").locator(".card-foot")))


async def test_a_phone_shows_all_of_a_card_without_pointing(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, width=390) as page:
        foot = card(page, "web-2").locator(".card-foot")
        assert await shows(foot)
        covered = "(foot) => foot.getBoundingClientRect().top < foot.previousSibling.getBoundingClientRect().bottom"
        assert not await foot.evaluate(covered)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(chromium: Chromium, scheme: str, bus_url: str, database_url: str) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?q=foo>3", scheme=scheme) as page:
        assert await findings(page) == []


async def test_bars_and_lines_can_be_seen_in_forced_colours(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url) as page:
        await page.emulate_media(forced_colors="active")
        filled, ground = await card(page, "db-1").evaluate(
            "(card) => [card.querySelector('.bar i'), card].map((box) => getComputedStyle(box).backgroundColor)"
        )
        assert filled != ground


async def shows(box: Locator) -> bool:
    """Whether `box` is there to be seen; Playwright takes the transparent for visible."""
    return await box.evaluate("(box) => getComputedStyle(box).opacity") == "1"
