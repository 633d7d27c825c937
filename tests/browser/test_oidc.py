"""The way in by OpenID Connect in a real browser, which keeps cookies from other sites: the provider is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.browser import Chromium
from tests.oidc.provider import signing_on

pytestmark = pytest.mark.browser


async def test_the_way_there_and_back_ends_on_the_page_where_it_began_and_logged_in(
    chromium: Chromium, tmp_path: Path, bus_url: str, database_url: str
) -> None:
    people = {"ada": {"groups": ["admins"], "preferred_username": "ada"}, "eve": {"groups": []}}
    async with signing_on(database_url, bus_url, tmp_path, people, oidc_name="Example ID") as place:
        context = await chromium.browser.new_context()
        page = await context.new_page()
        await page.goto(f"{place.url}/settings")
        await page.get_by_role("link", name="Log in with Example ID").click()
        await page.locator("input[name=login]").fill("ada")
        await page.locator("input[name=password]").fill("any")
        await page.get_by_role("button", name="Sign-in").click()
        await page.get_by_role("button", name="Continue").click()
        await page.wait_for_url(f"{place.url}/settings")
        who = await page.evaluate("fetch('/api/v1/session').then(answer => answer.json())")
        assert (who["name"], who["role"], who["by"]) == ("ada", "admin", "session")
        cookies = {cookie["name"]: cookie for cookie in await context.cookies(place.url)}
        assert cookies["sonde_session"]["sameSite"] == "Strict"
        assert "sonde_oidc" not in cookies
        await context.close()


async def test_whoever_is_not_let_in_is_at_the_login_again(
    chromium: Chromium, tmp_path: Path, bus_url: str, database_url: str
) -> None:
    async with signing_on(database_url, bus_url, tmp_path, {"eve": {"groups": []}}) as place:
        context = await chromium.browser.new_context()
        page = await context.new_page()
        await page.goto(f"{place.url}/api/v1/session/oidc?to=/settings")
        await page.locator("input[name=login]").fill("eve")
        await page.locator("input[name=password]").fill("any")
        await page.get_by_role("button", name="Sign-in").click()
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_text("Single sign-on did not work").wait_for()
        assert await page.evaluate("fetch('/api/v1/session').then(answer => answer.json().then(me => me.role))") is None
        await context.close()
