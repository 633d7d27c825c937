"""A host's identity on its page: what is told of it, what is warned of, and how somebody ends it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.fleetmates import Mates, mates
from tests.browser.keyboard import focused
from tests.gateway.rows import execute
from tests.waiting import eventually

pytestmark = pytest.mark.browser


@asynccontextmanager
async def facts_of(
    name: str, chromium: Chromium, here: Mates, *, provoked: tuple[str, ...] = ()
) -> AsyncIterator[Page]:
    """The page of a host, with its facts open."""
    async with opened(chromium, f"{here.address}/hosts/{name}", provoked=provoked) as page:
        await page.get_by_role("heading", name=name).wait_for()
        await page.locator(".facts summary").click()
        await page.locator(".facts dl").wait_for()
        yield page


async def test_the_facts_tell_when_the_host_enrolled_and_how_long_that_is_good(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with facts_of("web-1", chromium, here) as page:
            await page.locator(".facts dt", has_text="Enrolled").wait_for()
            await page.locator(".facts dt", has_text="Expires").wait_for()
            assert await page.locator(".identity-warning").count() == 0


async def test_a_host_that_never_enrolled_shows_nothing_of_it(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here:
        await execute(database_url, "INSERT INTO hosts (name) VALUES ('old-1')")
        async with facts_of("old-1", chromium, here) as page:
            await page.get_by_role("button", name="Remove host").wait_for()
            assert await page.get_by_role("button", name="Revoke identity").count() == 0


async def test_a_cloned_identity_is_told_with_its_remedy(chromium: Chromium, database_url: str, tmp_path: Path) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        await execute(database_url, "UPDATE identities SET cloned = now()")
        async with opened(chromium, f"{here.address}/hosts/web-1") as page:
            warning = page.locator(".identity-warning")
            await warning.wait_for()
            told = await warning.inner_text()
            assert told.startswith("Two agents use this identity in turns, last seen ")
            assert told.endswith("On one of them, run sonde agent enrol --again with a new token.")
            assert await findings(page) == []


async def test_an_identity_is_revoked_after_a_yes_and_not_before(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with facts_of("web-1", chromium, here) as page:
            button = page.get_by_role("button", name="Revoke identity")
            await button.click()
            question = page.get_by_role("dialog", name="Revoke the identity of web-1?")
            await question.wait_for()
            assert await focused(page) == "Cancel"
            await page.keyboard.press("Escape")
            await question.wait_for(state="detached")
            assert await focused(page) == "Revoke identity"
            assert (await here.api.get("/hosts/web-1/identity")).json()["revoked"] is None

            await button.click()
            await question.get_by_role("button", name="Revoke", exact=True).click()
            await page.get_by_text("Its identity was revoked").wait_for()
            await page.locator(".facts dt", has_text="Revoked").wait_for()
            assert await button.count() == 0
            assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert (await here.api.get("/hosts/web-1/identity")).json()["revoked"]


async def test_a_revocation_that_fails_says_so_and_leaves_the_question(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with facts_of("web-1", chromium, here, provoked=("status of 404",)) as page:
            await page.get_by_role("button", name="Revoke identity").click()
            await here.api.post("/hosts/web-1/revoke")
            question = page.get_by_role("dialog")
            await question.get_by_role("button", name="Revoke", exact=True).click()
            await eventually(lambda: question.get_by_role("alert").inner_text())
            assert "has no identity" in await question.get_by_role("alert").inner_text()


async def test_a_removed_host_leaves_the_fleet_which_tells_how_far_its_history_is_deleted(
    chromium: Chromium, database_url: str, tmp_path: Path
) -> None:
    async with mates(database_url, tmp_path) as here:
        for name in ("web-1", "web-2"):
            await here.member(name)
        async with facts_of("web-1", chromium, here) as page:
            await page.get_by_role("button", name="Remove host").click()
            question = page.get_by_role("dialog", name="Remove web-1?")
            await question.get_by_label("Delete its history").check()
            await question.get_by_role("button", name="Remove and delete").click()
            await page.get_by_text("Deleting the history of web-1: about to begin").wait_for()
            await page.get_by_role("link", name="web-2").wait_for()
            assert await page.get_by_role("link", name="web-1").count() == 0
            await execute(database_url, "UPDATE removals SET parts = 12, done = 4, rows = 1204")
            await page.get_by_text("Deleting the history of web-1: 4 of 12 parts, 1,204 rows so far").wait_for()
            await execute(database_url, "DELETE FROM removals")
            await page.get_by_text("Deleting the history").wait_for(state="detached")


async def test_a_host_whose_history_is_kept_is_archived(chromium: Chromium, database_url: str, tmp_path: Path) -> None:
    async with mates(database_url, tmp_path) as here:
        await here.member("web-1")
        async with facts_of("web-1", chromium, here) as page:
            await page.get_by_role("button", name="Remove host").click()
            await page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
            await page.locator(".who .state", has_text="Archived").wait_for()
            assert await page.locator(".identity-warning").count() == 0
            assert await findings(page) == []
            await page.get_by_role("link", name="Fleet", exact=True).first.click()
            await page.get_by_role("button", name="1 Archived").click()
            await page.locator(".card.offline", has_text="Archived").wait_for()
            assert await findings(page) == []
