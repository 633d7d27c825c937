"""The page of one's own account: password, second factor, sessions and API tokens."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Literal

import httpx
import pyotp
import pytest
from playwright.async_api import expect

from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import NAME as ADMIN
from tests.browser.people import ENDED, asked_before_leaving, log_in, with_people
from tests.gateway.running import TRUST
from tests.people import PASSWORD, add_session

pytestmark = pytest.mark.browser

ANOTHER = "quite another password"
DRAWN = "(path) => path.getBBox().width / path.viewportElement.viewBox.baseVal.width"
"""How much of its picture's width a path takes."""


async def test_a_password_is_changed_and_the_other_sessions_end(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        other = await add_session(database_url, ADMIN)
        async with opened(chromium, f"{address}/account", provoked=("status of 400",)) as page:
            await page.get_by_role("button", name="Change password").click()
            old = page.get_by_label("Password now")
            await expect(old).to_be_focused()
            await old.fill("not the password")
            await page.get_by_label("New password", exact=True).fill(ANOTHER)
            await page.get_by_label("once more").fill(ANOTHER)
            await page.keyboard.press("Enter")
            await expect(old).to_have_accessible_description(re.compile("is not the present password"))
            await expect(old).to_be_focused()
            await old.fill(PASSWORD)
            await page.keyboard.press("Enter")
            await page.get_by_text("Changed. Your other sessions have ended.").wait_for()
        async with opened(chromium, f"{address}/account", session=other, provoked=("status of 401",)) as page:
            await log_in(page, ADMIN, ANOTHER)
            await page.get_by_role("heading", name="Sessions").wait_for()
        entries = (await api.get("/audit", params={"action": "PUT /session/password"})).json()["entries"]
        assert [entry["who"] for entry in entries] == [ADMIN]


async def test_a_second_factor_is_switched_on_and_off(
    chromium: Chromium, bus_url: str, database_url: str, tmp_path: Path
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, _),
        opened(chromium, f"{address}/account", provoked=("status of 400",)) as page,
    ):
        await page.get_by_role("button", name="Set up").click()
        secret = (await page.get_by_label("Or give it this secret").input_value()).replace(" ", "")
        drawn = await page.locator(".qr path").evaluate(DRAWN)
        assert 0.6 < drawn < 1, "the code fills its picture but for a quiet zone"
        field = page.get_by_label("Code", exact=True)
        await field.fill("000000")
        await page.keyboard.press("Enter")
        await expect(field).to_have_accessible_description(re.compile("is not the authenticator's present code"))
        await field.fill(pyotp.TOTP(secret).now())
        await page.keyboard.press("Enter")
        codes = (await page.get_by_label("Recovery codes").input_value()).split("\n")
        assert len(set(codes)) == 10
        await asked_before_leaving(page, "the recovery codes")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download").click()
        kept = tmp_path / "codes"
        await (await download.value).save_as(kept)
        assert kept.read_text("utf-8").split() == codes
        await page.get_by_role("button", name="I have kept them").click()
        await page.get_by_text("On: logging in takes the password and a code").wait_for()
        await page.get_by_role("button", name="Make new recovery codes").click()
        await page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).at(int(time.time()) + 30))
        await page.keyboard.press("Enter")
        renewed = (await page.get_by_label("Recovery codes").input_value()).split("\n")
        assert not set(renewed) & set(codes)
        await page.get_by_role("button", name="I have kept them").click()
        await page.get_by_role("button", name="Switch off").click()
        await page.get_by_label("Code", exact=True).fill(renewed[0])
        await page.keyboard.press("Enter")
        await page.get_by_text("Off: the password alone logs you in.").wait_for()


async def test_ones_own_sessions_are_told_apart_and_ended(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        for _ in range(2):
            await add_session(database_url, ADMIN)
        await add_session(database_url, "ben", "operator")
        async with opened(chromium, f"{address}/account", provoked=("status of 401",)) as page:
            rows = page.locator("[data-session]")
            await expect(rows).to_have_count(3)
            await expect(rows.first).to_contain_text("this one")
            await rows.nth(1).get_by_role("button", name=re.compile("^End")).click()
            await expect(rows).to_have_count(2)
            await page.get_by_role("button", name="End all others").click()
            await expect(rows).to_have_count(1)
            await rows.first.get_by_role("button", name="Log out").click()
            await page.locator("dialog").get_by_role("button", name="Log out").click()
            await page.get_by_label("Password", exact=True).wait_for()
            await expect(page.get_by_text(ENDED)).to_have_count(0)
        left = (await api.get("/sessions", params={"all": "true"})).raise_for_status().json()["sessions"]
        assert [one["user"] for one in left] == ["ben"], left


async def test_a_token_is_shown_once_works_and_is_revoked(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with (
        with_people(bus_url, database_url) as (address, _),
        httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=60, verify=TRUST) as program,
        opened(chromium, f"{address}/account") as page,
    ):
        await page.get_by_role("button", name="New token").click()
        await expect(page.get_by_label("What is it for?")).to_be_focused()
        await page.keyboard.type("nightly report")
        await page.get_by_label("What may it do?").select_option("operator")
        await page.get_by_label("Expires").select_option("In 30 days")
        await page.get_by_role("button", name="Make token").click()
        secret = await page.get_by_label("Token", exact=True).input_value()
        example = await page.get_by_label("Used like this").input_value()
        assert example == f'curl -H "Authorization: Bearer {secret}" {address}/api/v1/hosts'
        await asked_before_leaving(page, "the token")
        program.headers["Authorization"] = f"Bearer {secret}"
        me = (await program.get("/session")).json()
        assert (me["by"], me["role"]) == ("token", "operator")
        await page.reload()
        row = page.get_by_role("row", name=re.compile("nightly report"))
        await expect(row).to_contain_text("operator")
        await expect(row).to_contain_text("everything")
        assert secret not in await page.content()
        await row.get_by_role("button", name=re.compile("^Revoke")).click()
        await page.locator("dialog").get_by_role("button", name="Revoke").click()
        await expect(row).to_have_count(0)
        assert (await program.get("/hosts")).status_code == 401


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_the_page_whatever_is_open(
    chromium: Chromium, scheme: Literal["light", "dark"], bus_url: str, database_url: str
) -> None:
    found: list[str] = []
    async with with_people(bus_url, database_url) as (address, _):
        for width in (1440, 390):
            async with opened(chromium, f"{address}/account", scheme=scheme, width=width) as page:
                await page.locator("[data-session]").first.wait_for()
                for name in ("Change password", "Set up", "New token"):
                    await page.get_by_role("button", name=name).click()
                await page.locator(".qr").wait_for()
                await page.evaluate("scrollTo(0, 0)")  # what is half below the header counts as too small
                found += [f"forms at {width}: {what}" for what in await findings(page)]
                await page.get_by_role("button", name="Make token").click()
                await page.get_by_label("Token", exact=True).wait_for()
                await page.evaluate("scrollTo(0, 0)")
                await page.get_by_role("button", name=f"{ADMIN} account").click()
                found += [f"token and menu at {width}: {what}" for what in await findings(page)]
                assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert not found, "\n".join(found)


async def test_a_token_may_be_restricted_to_parts_of_the_api(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, _),
        httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=60, verify=TRUST) as program,
        opened(chromium, f"{address}/account") as page,
    ):
        await page.get_by_role("button", name="New token").click()
        await page.get_by_label("What is it for?").fill("prometheus")
        parts = page.get_by_label("Which parts of the API?")
        await expect(parts).to_have_value("all")
        await parts.select_option("Only chosen parts")
        await page.get_by_role("button", name="Make token").click()
        await expect(parts).to_have_accessible_description("Choose at least one part, or everything.")
        await page.get_by_role("checkbox", name=re.compile("^metrics")).check()
        assert await findings(page) == []
        await page.get_by_role("button", name="Make token").click()
        secret = await page.get_by_label("Token", exact=True).input_value()
        example = await page.get_by_label("Used like this").input_value()
        assert example == f'curl -H "Authorization: Bearer {secret}" {address}/metrics'
        program.headers["Authorization"] = f"Bearer {secret}"
        assert (await program.get(f"{address}/metrics")).status_code == 200
        assert (await program.get("/hosts")).status_code == 403
        await expect(page.get_by_role("row", name=re.compile("prometheus"))).to_contain_text("metrics")
