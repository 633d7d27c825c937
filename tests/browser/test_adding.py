"""Adding a machine: the line, how far its machine has come, and what becomes of a line that nobody uses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.between import between
from tests.browser.browser import Chromium, opened
from tests.browser.fleetmates import PUBLIC, Mates, mates
from tests.browser.keyboard import focused, tab_to
from tests.browser.test_transport import PROVOKED
from tests.gateway.rows import execute
from tests.waiting import eventually

pytestmark = pytest.mark.browser

ADD = "Add a machine"
NO_CLIPBOARD = "delete Navigator.prototype.clipboard"
"""As on a page over plain HTTP."""
SELECTED = "(field) => field.value.slice(field.selectionStart, field.selectionEnd)"


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name=ADD)


def field(page: Page) -> Locator:
    return page.get_by_label("Paste this on the machine, as root")


async def token_in(page: Page) -> str:
    """The token of the line that the page shows."""
    line = await field(page).input_value()
    shown = re.fullmatch(rf"curl -fsS {PUBLIC}/install\.sh \| sh -s -- --token (sonde_\S+)", line)
    assert shown, line
    return shown[1]


async def state(here: Mates, token: int) -> str:
    """open, used, expired or withdrawn."""
    return str((await here.api.get(f"/enrolment-tokens/{token}")).json()["state"])


async def test_the_dialog_follows_its_machine_until_it_is_here(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with opened(chromium, here.address) as page:
            await page.get_by_role("button", name=ADD).first.click()
            await eventually(lambda: focus_is(page, "Copy the line"))
            await page.get_by_text("Good for one machine, for 60 minutes.").wait_for()
            await dialog(page).get_by_text("Waiting for the machine").wait_for()
            await here.join(await token_in(page), "web-3")
            await dialog(page).get_by_text("web-3 enrolled, waiting for its first sample").wait_for()
            await here.send("web-3")
            await dialog(page).get_by_text("web-3 is here").wait_for()
            await eventually(lambda: focus_is(page, "See web-3"))
            await page.keyboard.press("Enter")
            await page.get_by_role("heading", name="web-3").wait_for()
            await page.go_back()
            await page.locator(".card").first.wait_for()
            assert await dialog(page).count() == 0


async def test_another_machine_gets_a_line_of_its_own(chromium: Chromium, database_url: str, tmp_path: Path) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with opened(chromium, f"{here.address}/?add") as page:
            first = await token_in(page)
            await here.join(first, "web-3")
            await here.send("web-3")
            await page.get_by_role("button", name="Add another").click()
            assert await token_in(page) != first


@pytest.mark.parametrize("way", ["Escape", "Close", "Back", "another page"])
async def test_a_line_that_nobody_took_is_withdrawn_when_the_dialog_is_left(
    chromium: Chromium, way: str, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with opened(chromium, f"{here.address}/?q=web") as page:
            button = page.get_by_role("button", name=ADD).first
            await button.click()
            await token_in(page)
            assert await state(here, 2) == "open"
            if way == "Escape":
                await page.keyboard.press("Escape")
            elif way == "Close":
                await page.get_by_role("button", name="Close").click()
            elif way == "Back":
                await page.go_back()
            else:
                await page.goto("about:blank")
            await eventually(lambda: has_state(here, 2, "withdrawn"))
            if way != "another page":
                await dialog(page).wait_for(state="detached")
                await expect(page).to_have_url(f"{here.address}/?q=web")
            if way in ("Escape", "Close"):
                assert await focused(page) == ADD


async def test_a_line_that_was_copied_stays_good(chromium: Chromium, database_url: str, tmp_path: Path) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with opened(chromium, f"{here.address}/?add") as page:
            await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            line = await field(page).input_value()
            await page.get_by_role("button", name="Copy").click()
            await page.get_by_text("Copied.").wait_for()
            assert await page.evaluate("navigator.clipboard.readText()") == line
            await page.keyboard.press("Escape")
            await dialog(page).wait_for(state="detached")
            await page.get_by_role("button", name=ADD).first.click()
            await token_in(page)
            assert await state(here, 2) == "open"


async def test_without_a_clipboard_the_line_is_selected(chromium: Chromium, database_url: str, tmp_path: Path) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with opened(chromium, f"{here.address}/?add", before=NO_CLIPBOARD) as page:
            line = await field(page).input_value()
            await page.get_by_role("button", name="Copy").click()
            await page.get_by_text("Selected: copy it with the keyboard").wait_for()
            assert await field(page).evaluate(SELECTED) == line


async def test_a_gateway_that_others_cannot_reach_names_the_settings(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path, public_url="", bus_url="") as here:
        await here.member("web-1")
        async with opened(chromium, f"{here.address}/?add") as page:
            await dialog(page).get_by_text("Other machines cannot join yet:").wait_for()
            assert await dialog(page).locator("code").first.inner_text() == "SONDE_HTTP_HOST"
            assert await field(page).count() == 0


async def test_a_line_that_could_not_be_made_says_why_and_is_tried_again(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here, between(here.address) as (way, address):
        await here.member("web-1")
        async with opened(chromium, address, provoked=PROVOKED) as page:
            await page.locator(".card").first.wait_for()
            way.harm(rest="503")
            await page.get_by_role("button", name=ADD).first.click()
            await dialog(page).get_by_text("No line could be made: no viewer more").wait_for()
            await eventually(lambda: focus_is(page, "Try again"))
            way.harm()
            await page.keyboard.press("Enter")
            await token_in(page)


async def test_a_machine_that_cannot_be_followed_for_a_while_is_not_forgotten(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here, between(here.address) as (way, address):
        await here.member("web-1")
        async with opened(chromium, f"{address}/?add", provoked=PROVOKED) as page:
            token = await token_in(page)
            way.harm(rest="503")
            await dialog(page).get_by_text("Whether it has enrolled may be out of date.").wait_for()
            assert await token_in(page) == token
            await here.join(token, "web-3")
            way.harm()
            await dialog(page).get_by_role("button", name="Try now").click()
            await dialog(page).get_by_text("web-3 enrolled").wait_for()


async def test_a_line_that_has_expired_gives_way_to_another(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with opened(chromium, f"{here.address}/?add") as page:
            first = await token_in(page)
            await execute(database_url, "UPDATE enrolment_tokens SET expires = now() - interval '1 s'")
            await dialog(page).get_by_text("The line has expired.").wait_for()
            await eventually(lambda: focus_is(page, "Make another line"))
            await page.keyboard.press("Enter")
            assert await token_in(page) != first


async def test_an_empty_fleet_shows_the_line_and_then_the_host(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here, opened(chromium, f"{here.address}/?add") as page:
        await page.get_by_text("No host has reported yet").wait_for()
        await here.join(await token_in(page), "web-3")
        await page.get_by_text("web-3 enrolled, waiting for its first sample").wait_for()
        await here.send("web-3")
        await page.get_by_text("web-3 is here").wait_for()
        await page.locator(".card", has=page.get_by_role("link", name="web-3", exact=True)).wait_for()
        assert await page.get_by_role("dialog").count() == 0
        await eventually(lambda: focus_is(page, "See web-3"))
        await page.get_by_role("button", name="Close").click()
        await page.get_by_text("web-3 is here").wait_for(state="detached")
        assert await page.locator(".card").count() == 1


async def test_the_line_of_an_empty_fleet_outlives_the_first_host_that_came_without_it(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here, opened(chromium, here.address) as page:
        token = await token_in(page)
        await here.member("web-1")
        await page.locator(".card").wait_for()
        assert await token_in(page) == token
        assert await state(here, 1) == "open"


async def test_a_small_fleet_invites_another_machine(chromium: Chromium, database_url: str, tmp_path: Path) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with opened(chromium, here.address) as page:
            await page.locator(".invitation").get_by_role("button", name=ADD).click()
            await token_in(page)


async def test_the_dialog_is_used_with_the_keyboard_alone(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with opened(chromium, here.address, before=NO_CLIPBOARD) as page:
            await page.locator(".card").first.wait_for()
            await tab_to(page, ADD)
            await page.keyboard.press("Enter")
            await eventually(lambda: focus_is(page, "Copy the line"))
            await page.keyboard.press("Shift+Tab")
            assert await field(page).evaluate(SELECTED) == await field(page).input_value()
            await page.keyboard.press("Shift+Tab")
            assert await focused(page) == "Close"
            await page.keyboard.press("Enter")
            await dialog(page).wait_for(state="detached")
            assert await focused(page) == ADD


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_while_a_machine_joins(
    chromium: Chromium, scheme: Literal["light", "dark"], database_url: str, tmp_path: Path
) -> None:
    found: list[str] = []

    async def look(page: Page, words: str) -> None:
        await page.get_by_text(words).first.wait_for()
        for width in (1440, 390):
            await page.set_viewport_size({"width": width, "height": 900})
            found.extend(f"{words} at {width}: {what}" for what in await findings(page))

    async with mates(database_url, tmp_path) as here:
        async with opened(chromium, here.address, scheme=scheme) as page:
            await look(page, "Waiting for the machine")
        await here.member("web-1")
        async with opened(chromium, f"{here.address}/?add", scheme=scheme) as page:
            await look(page, "Waiting for the machine")
            await here.join(await token_in(page), "web-3")
            await look(page, "web-3 enrolled")
            await here.send("web-3")
            await look(page, "web-3 is here")
    assert not found, "\n".join(found)


async def focus_is(page: Page, name: str) -> bool:
    return await focused(page) == name


async def has_state(here: Mates, token: int, wanted: str) -> bool:
    return await state(here, token) == wanted
