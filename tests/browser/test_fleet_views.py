"""The fleet as cards, as a table and as a heat map: what each shows, and that a large fleet is only on the screen."""

from __future__ import annotations

import re
import time
from typing import Literal

import pytest
from playwright.async_api import Page

from infra.storage import database
from infra.storage.database import ensure_hosts
from tests.browser.axe import findings
from tests.browser.browser import Chromium
from tests.browser.logins import api_of
from tests.browser.test_fleet_page import card, fleet, host, names, small_fleet
from tests.gateway.rows import put
from tests.gateway.running import ANY
from tests.waiting import eventually

pytestmark = pytest.mark.browser

MANY = 400
FOCUSED = "document.activeElement.closest('[data-host]')?.dataset.host"
TOP = "(box) => Math.round(box.getBoundingClientRect().top)"


async def large_fleet(database_url: str) -> None:
    """Hosts of which nothing is known but their names and tags."""
    async with database.connection(database_url, "test hosts") as connection:
        await ensure_hosts(connection, [f"node-{number}" for number in range(MANY)])
        await connection.execute(
            "UPDATE hosts SET tags = ARRAY[CASE WHEN substring(name FROM 6)::int < $1 THEN 'blue' ELSE 'green' END]",
            MANY // 2,
        )


async def rows(page: Page) -> list[str]:
    return await page.locator(".host-row a").all_inner_texts()


async def shows_count(page: Page, words: str) -> None:
    await page.locator(".shown-count", has_text=words).wait_for()


async def test_a_large_fleet_is_in_the_page_as_far_as_it_is_on_the_screen(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await large_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?sort=name") as page:
        cards = page.locator(".card")
        assert await cards.count() < 60
        assert await cards.first.get_attribute("aria-setsize") == str(MANY)
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        last = card(page, f"node-{MANY - 1}")
        await last.wait_for()
        assert await last.get_attribute("aria-posinset") == str(MANY)
        assert await cards.count() < 60

        await page.get_by_label("Search hosts").fill("node-17")
        await shows_count(page, f"11 of {MANY} hosts")
        found = ["node-17", *[f"node-17{digit}" for digit in range(10)]]

        async def are_found() -> bool:
            """The page is short now, and is scrolled to where it begins."""
            return await names(page) == found

        await eventually(are_found)


async def test_the_keyboard_walks_the_fleet_and_what_has_the_focus_stays(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await large_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?sort=name") as page:

        async def focused(name: str) -> None:
            async def is_it() -> bool:
                return bool(await page.evaluate(FOCUSED) == name)

            await eventually(is_it)

        for number in range(60):  # further than the screen, and than what is in the page beyond it
            await page.keyboard.press("j")
            await focused(f"node-{number}")
        assert await card(page, "node-59").evaluate("(card) => card.getBoundingClientRect().bottom <= innerHeight")
        await page.keyboard.press("k")
        await focused("node-58")
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await card(page, f"node-{MANY - 1}").wait_for()
        assert await page.evaluate(FOCUSED) == "node-58"

        await page.keyboard.press("x")
        await page.get_by_text("1 selected").wait_for()
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await focused("node-60")
        await page.keyboard.press("Shift+X")
        await page.get_by_text("3 selected").wait_for()
        await page.keyboard.press("Escape")
        await page.get_by_text("3 selected").wait_for(state="detached")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/hosts/node-60")


async def test_a_host_that_changes_its_place_keeps_the_focus(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?sort=name") as page, api_of(page.url.split("/?")[0]) as api:
        # As in browsers that cannot move an element without taking it out.
        await page.add_init_script("delete Element.prototype.moveBefore")
        await page.reload()
        for label, order in (("zebra", ["web-1", "web-2", "zebra"]), ("", ["db-1", "web-1", "web-2"])):
            await card(page, "zebra" if not label else "db-1").get_by_role("link").focus()
            (await api.patch("/hosts/db-1", json={"label": label}, headers=ANY)).raise_for_status()

            async def moved(order: list[str] = order) -> bool:
                return await names(page) == order

            await eventually(moved)
            assert await page.evaluate(FOCUSED) == "db-1"


async def test_whoever_comes_back_from_a_host_finds_the_fleet_where_it_was(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await large_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?sort=name") as page:
        await page.evaluate("scrollTo(0, 3000)")
        await card(page, "node-100").get_by_role("link").click()
        await page.get_by_role("heading", name="node-100").wait_for()
        assert await page.evaluate("scrollY") == 0
        await page.get_by_title("Back to the fleet").click()
        await card(page, "node-100").wait_for()

        async def is_there() -> bool:
            return bool(await page.evaluate("scrollY") == 3000)

        await eventually(is_there)


async def test_everything_is_printed(chromium: Chromium, bus_url: str, database_url: str) -> None:
    await large_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?sort=name&view=heat") as page:
        await page.set_viewport_size({"width": 1440, "height": 500})
        cells = page.locator(".cell")

        async def are_few() -> bool:
            return 0 < await cells.count() < MANY

        await eventually(are_few)
        await page.evaluate("dispatchEvent(new Event('beforeprint'))")
        await cells.nth(MANY - 1).wait_for()
        assert await cells.count() == MANY
        await page.evaluate("dispatchEvent(new Event('afterprint'))")
        await eventually(are_few)


async def test_heads_of_groups_stay_while_their_hosts_are_scrolled(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await large_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?sort=name") as page:
        await page.get_by_label("Group").select_option("Tag")
        await page.wait_for_url("**group=tag")
        blue, green = (page.locator(".group-head", has_text=tag) for tag in ("blue", "green"))
        await blue.get_by_text(f"{MANY // 2} hosts").wait_for()
        assert await green.count() == 0, "far below the screen"
        header = await page.locator(".header").evaluate("(box) => Math.floor(box.getBoundingClientRect().bottom)")
        await page.mouse.move(700, 600)
        await page.mouse.wheel(0, 2000)

        async def sticks() -> bool:
            return bool(abs(await blue.evaluate(TOP) - header) <= 1)

        await eventually(sticks)
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await green.wait_for()
        await blue.wait_for(state="detached")


async def test_the_table_has_the_columns_and_the_order_that_are_asked_for(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    await put(database_url, "disk", [(time.time_ns() // 1_000_000, "sda", {"busy": 4200})], "web-1")
    await host(database_url, "web-3", "web", cpu_percent=70)
    async with fleet(chromium, bus_url, database_url) as page:
        await page.get_by_role("button", name="Table").click()
        await page.get_by_role("button", name="CPU total").click()
        await page.wait_for_url("**sort=-cpu.total")
        assert (await rows(page))[:2] == ["web-1", "web-3"]
        await page.get_by_role("button", name="Name", exact=True).click(modifiers=["Shift"])
        await page.get_by_role("button", name=re.compile("^Name.*2 of the order")).click(modifiers=["Shift"])
        await page.wait_for_url("**sort=-cpu.total%2C-name")
        assert (await rows(page))[:2] == ["web-3", "web-1"]
        assert await page.locator("[aria-sort=descending]").count() == 1

        await page.get_by_role("button", name="Columns").click()
        await page.get_by_label("Disk busy").check()
        await page.keyboard.press("Escape")
        heads = await page.locator("thead th").all_inner_texts()
        cell = page.locator("[data-host=web-1] > *").nth([text.strip() for text in heads].index("Disk busy"))
        await cell.get_by_text("42.0").wait_for()  # not among what the stream carries of every host unasked
        await page.reload()
        await cell.get_by_text("42.0").wait_for()


async def test_on_a_phone_the_table_is_ordered_by_several_columns(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    await host(database_url, "web-3", "web", cpu_percent=70)
    async with fleet(chromium, bus_url, database_url, "?view=table", width=390) as page:
        await page.get_by_role("button", name="Columns").click()
        order = page.get_by_role("group", name="Order")
        await order.get_by_role("combobox").select_option("CPU total")
        await order.get_by_role("combobox").select_option("Name")
        await order.get_by_role("button", name="Name ascending").click()
        await page.wait_for_url("**sort=-cpu.total%2C-name")
        assert (await rows(page))[:2] == ["web-3", "web-1"]
        assert await findings(page) == []
        small = "(order) => [...order.querySelectorAll('button, select')].filter((one) => one.offsetHeight < 44).length"
        assert await order.evaluate(small) == 0
        await order.get_by_role("button", name="Do not sort by CPU total").click()
        await page.wait_for_url("**sort=-name")
        await order.get_by_role("button", name="Worst first").click()
        await order.get_by_role("button", name="Worst first ascending").wait_for()


async def test_a_table_of_a_large_fleet_scrolls_to_its_end(chromium: Chromium, bus_url: str, database_url: str) -> None:
    await large_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?view=table&group=tag&sort=name&density=compact") as page:
        table = page.locator(".fleet-table")
        assert await page.locator(".host-row").count() < 60
        assert await page.locator("table").get_attribute("aria-rowcount") == str(MANY + 3)
        await table.evaluate("(box) => box.scrollTo(0, box.scrollHeight / 4)")
        await page.locator(".group-row", has_text="blue").wait_for()  # its head, although rows before it are gone
        await table.evaluate("(box) => box.scrollTo(0, box.scrollHeight)")
        await page.locator(f"[data-host=node-{MANY - 1}]").wait_for()
        assert (await rows(page))[-1] == f"node-{MANY - 1}"


async def test_a_table_comes_to_rest_on_whole_rows(chromium: Chromium, bus_url: str, database_url: str) -> None:
    """A box to select by that the head half covers cannot be hit, and axe says so."""
    await large_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?view=table&sort=name&density=compact") as page:
        table = page.locator(".fleet-table")
        for grouping in ("No groups", "Tag"):
            await page.get_by_label("Group").select_option(grouping)
            await table.evaluate("(box) => box.scrollTo(0, 0)")
            for to in (47, 1_000_000):
                await table.evaluate("(box, to) => box.scrollTo(0, to)", to)

                async def rests() -> bool:
                    top = await table.evaluate("(box) => box.scrollTop")
                    return bool(top > 0 and top % 30 == 0)

                await eventually(rests)
                assert await findings(page) == []


async def test_a_cell_of_the_heat_map_says_its_value_and_how_bad_it_is(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    await host(database_url, "hot-1", "web", cpu_percent=97)
    async with fleet(chromium, bus_url, database_url, "?view=heat&group=tag") as page:
        hot = page.get_by_role("link", name="hot-1, Up, 97").first
        await hot.wait_for()
        assert await page.locator("[data-host=hot-1].level-critical").count() == 1
        assert await page.locator("[data-host=db-1].gone").count() == 2, "under both of its tags"
        await hot.hover()
        await page.locator(".pointed", has_text="hot-1").wait_for()
        assert "CPU total 97.0" in (await hot.get_attribute("title") or "")
        await page.locator("[data-host=db-1] a").first.hover()
        await page.locator(".pointed", has_text="db-1 Offline, CPU total 10.0").wait_for()
        await page.get_by_role("link", name="Sonde, fleet").hover()
        await page.locator(".pointed").wait_for(state="detached")
        await page.get_by_label("Colour").select_option("Memory used")
        await page.wait_for_url("**metric=memory.used_percent")
        await page.get_by_role("link", name="hot-1, Up, –").first.wait_for()


async def test_of_hosts_without_alerts_the_one_nearest_to_its_threshold_comes_first(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    for name, percent in (("calm-1", 5), ("calm-2", 20), ("near-1", 60), ("near-2", 69)):
        await host(database_url, name, cpu_percent=percent)
    async with fleet(chromium, bus_url, database_url) as page:

        async def in_order() -> bool:
            return await names(page) == ["near-2", "near-1", "calm-1", "calm-2"]

        await eventually(in_order)


async def test_a_search_offers_what_could_follow_and_explains_why_it_finds_nothing(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url) as page:
        field = page.get_by_label("Search hosts")
        await field.fill("web tag:p")
        offers = await field.evaluate("(field) => [...field.list.options].map(({value}) => value)")
        assert offers == ["web tag:prod"]
        await field.fill("web")
        await shows_count(page, "2 of 3 hosts")
        await field.fill("tag:prdo")
        await page.get_by_text("No host has a tag that begins with “prdo”.").wait_for()
        await page.get_by_role("button", name="Search for tag:prod").click()
        await shows_count(page, "2 of 3 hosts")
        await field.fill("db staging")
        await page.get_by_text("Without “db” 1 host fits.").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_any_view(
    chromium: Chromium, scheme: Literal["light", "dark"], bus_url: str, database_url: str
) -> None:
    await small_fleet(database_url)
    await host(database_url, "hot-1", "web", cpu_percent=97)
    found: list[str] = []
    async with fleet(chromium, bus_url, database_url, "?group=tag", scheme=scheme) as page:
        for width in (1440, 1024, 390):
            await page.set_viewport_size({"width": width, "height": 900})
            for view in ("Cards", "Table", "Heat map"):
                await page.get_by_role("button", name=view).click()
                await page.locator("[data-host]").first.wait_for()
                found += [f"{view} at {width}: {what}" for what in await findings(page)]
                await page.get_by_role("button", name="Select", exact=True).click()
                await page.locator("[data-host] input").first.check()
                found += [f"{view} at {width}, selecting: {what}" for what in await findings(page)]
                assert await page.evaluate("document.documentElement.scrollWidth") == width
                await page.get_by_role("button", name="Select none").click()
    assert not found, "\n".join(found)


async def test_the_api_and_the_table_agree(chromium: Chromium, bus_url: str, database_url: str) -> None:
    await small_fleet(database_url)
    async with fleet(chromium, bus_url, database_url, "?view=table&cols=cpu.total&spark=0") as page:
        await page.locator("[data-host=web-1]").wait_for()
        async with api_of(page.url.split("/?")[0]) as api:
            hosts = (await api.get("/hosts?metrics=cpu.total")).json()["hosts"]
        for one in hosts:
            shown = await page.locator(f"[data-host={one['id']}] .number").inner_text()
            assert float(shown.rstrip("%")) == one["latest"]["cpu"][""]["total"]
