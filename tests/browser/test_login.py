"""Logging in: the form, the second factor, one-time links, and a session that ends under somebody's hands."""

from __future__ import annotations

import re
import time
from typing import Literal

import httpx
import pyotp
import pytest
from playwright.async_api import Page, expect

from tests.browser.axe import findings
from tests.browser.between import between
from tests.browser.browser import REMEMBERED, Chromium, opened
from tests.browser.keyboard import tab_to
from tests.browser.logins import NAME as ADMIN
from tests.browser.people import ENDED, end_sessions, log_in, with_people
from tests.people import PASSWORD, add_link, add_session, add_user, in_browser

pytestmark = pytest.mark.browser

REFUSED = ("status of 401",)
FRAMES_SEEN = """globalThis.frames_seen = 0;
new MutationObserver(() => { if (document.querySelector('.header')) globalThis.frames_seen += 1; })
  .observe(document, {childList: true, subtree: true});"""


async def test_whoever_is_not_logged_in_sees_the_form_and_never_the_dashboard(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, _),
        opened(chromium, f"{address}/alerts", known=False, before=FRAMES_SEEN) as page,
    ):
        await expect(page.get_by_label("Name", exact=True)).to_be_focused()
        assert await page.evaluate("globalThis.frames_seen") == 0
        assert await page.title() == "Log in · Sonde"


async def test_a_login_leads_to_the_page_that_was_asked_for(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, _),
        opened(chromium, f"{address}/settings", known=False) as page,
    ):
        await log_in(page, ADMIN)
        await page.get_by_label("Raw samples kept").wait_for()
        await page.locator(".connection.live").wait_for()
        assert page.url == f"{address}/settings"


async def test_a_gateway_that_is_slow_to_know_who_is_there_is_waited_for(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (gateway, _), between(gateway) as (way, address):
        way.harm(rest="swallow")
        async with opened(chromium, address, before=FRAMES_SEEN) as page:
            await page.get_by_text("Still waiting for the gateway.").wait_for()
            assert await page.evaluate("globalThis.frames_seen") == 0
            way.harm()
            await page.get_by_text("No host has reported yet").wait_for()


async def test_whoever_was_logged_in_before_waits_for_no_answer(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (gateway, _), between(gateway) as (way, address):
        way.harm(rest="swallow")
        async with opened(chromium, address, before=REMEMBERED) as page:
            await page.get_by_text("No host has reported yet").wait_for()


async def test_a_reload_shows_the_dashboard_without_the_form(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, _), opened(chromium, address) as page:
        await page.get_by_role("button", name=f"{ADMIN} account").wait_for()
        await page.reload()
        await page.get_by_role("button", name=f"{ADMIN} account").wait_for()
        await expect(page.get_by_label("Password", exact=True)).to_have_count(0)


async def test_why_single_sign_on_did_not_work_is_told_and_taken_out_of_the_address(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, _),
        opened(chromium, f"{address}/login#failed=the%20login%20took%20too%20long", known=False) as page,
    ):
        await page.get_by_role("alert").get_by_text("Single sign-on did not work: the login took too long").wait_for()
        assert page.url == f"{address}/"


async def test_the_fields_are_what_password_managers_look_for(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, _), opened(chromium, address, known=False) as page:
        await expect(page.get_by_label("Name", exact=True)).to_have_attribute("autocomplete", "username")
        await expect(page.get_by_label("Password", exact=True)).to_have_attribute("autocomplete", "current-password")


async def test_a_wrong_password_is_told_and_can_be_typed_again(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, _),
        opened(chromium, address, known=False, provoked=REFUSED) as page,
    ):
        await log_in(page, ADMIN, "not the password")
        await page.get_by_role("alert").get_by_text("password or code is wrong").wait_for()
        await expect(page.get_by_label("Password", exact=True)).to_be_focused()
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_text("No host has reported yet").wait_for()


async def test_too_many_tries_are_told_how_long_to_wait(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with (
        with_people(bus_url, database_url) as (address, _),
        opened(chromium, address, known=False, provoked=(*REFUSED, "status of 429")) as page,
        httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=60) as stranger,
    ):
        status = 0
        while status != 429:
            answer = await stranger.post("/session", json={"name": ADMIN, "password": "a guess"})
            status = answer.status_code
            assert status in (401, 429), answer.text
        await log_in(page, ADMIN)
        await expect(page.get_by_role("button", name=re.compile(r"^Wait \d+ s$"))).to_be_disabled()
        await page.get_by_role("alert").get_by_text("too many tries").wait_for()


async def with_second_factor(address: str, database_url: str) -> tuple[pyotp.TOTP, list[str]]:
    """The authenticator of the admin, who has one from now on, and the recovery codes."""
    async with httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=60) as own:
        in_browser(own, await add_session(database_url, ADMIN))
        offer = (await own.post("/session/second-factor")).raise_for_status().json()
        authenticator = pyotp.TOTP(offer["secret"])
        answer = await own.put("/session/second-factor", json={"code": authenticator.now()})
        return authenticator, answer.raise_for_status().json()["codes"]


async def test_an_account_with_a_second_factor_is_asked_for_its_code(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        authenticator, _codes = await with_second_factor(address, database_url)
        async with opened(chromium, address, known=False, provoked=REFUSED) as page:
            await log_in(page, ADMIN)
            field = page.get_by_label("Code", exact=True)
            await expect(field).to_be_focused()
            await expect(field).to_have_attribute("autocomplete", "one-time-code")
            await expect(page.get_by_role("alert")).to_have_count(0)
            await field.fill("000000")
            await page.keyboard.press("Enter")
            await page.get_by_role("alert").get_by_text("code is wrong").wait_for()
            await expect(field).to_be_focused()
            # The code of now was used up when the factor was switched on; the next one is taken already.
            await field.fill(authenticator.at(int(time.time()) + authenticator.interval))
            await page.keyboard.press("Enter")
            await page.get_by_text("No host has reported yet").wait_for()


async def test_a_recovery_code_does_instead_of_the_authenticator(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        _authenticator, codes = await with_second_factor(address, database_url)
        async with opened(chromium, address, known=False, provoked=REFUSED) as page:
            await log_in(page, ADMIN)
            await page.get_by_role("button", name="Use a recovery code").click()
            await expect(page.get_by_label("Recovery code")).to_be_focused()
            await page.keyboard.type(codes[0].upper())
            await page.keyboard.press("Enter")
            await page.get_by_text("No host has reported yet").wait_for()


async def test_a_one_time_link_sets_a_password_and_leaves_no_trace_in_the_address(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, _):
        secret = await add_link(database_url, "dora")
        async with opened(chromium, f"{address}/login#link={secret}", known=False, provoked=REFUSED) as page:
            await expect(page.get_by_label("New password", exact=True)).to_be_focused()
            assert page.url == f"{address}/"
            assert await page.evaluate("history.length") <= 2  # the blank page before it, and itself
            await page.keyboard.type("short")
            await page.get_by_role("button", name="Set password").click()
            await page.get_by_text("Too short: 5 of at least 12 characters.").wait_for()
            await page.get_by_label("New password", exact=True).fill(PASSWORD)
            await page.get_by_label("once more").fill(PASSWORD + "!")
            await page.keyboard.press("Enter")
            await page.get_by_text("This differs from the one above.").wait_for()
            await page.get_by_label("once more").fill(PASSWORD)
            await page.keyboard.press("Enter")
            await page.get_by_role("button", name="dora account").wait_for()


async def test_a_link_that_was_used_says_so(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        secret = await add_link(database_url, "dora")
        (await api.post("/session/link", json={"secret": secret, "password": PASSWORD})).raise_for_status()
        async with opened(chromium, f"{address}/login#link={secret}", known=False, provoked=REFUSED) as page:
            await page.get_by_label("New password", exact=True).fill("quite another password")
            await page.get_by_label("once more").fill("quite another password")
            await page.keyboard.press("Enter")
            await page.get_by_role("alert").get_by_text("used or expired").wait_for()
            await page.get_by_role("button", name="Log in with a password instead").click()
            await log_in(page, "dora")
            await page.get_by_role("button", name="dora account").wait_for()


async def typed_and_ended(page: Page, api: httpx.AsyncClient) -> None:
    """Something typed into the page of settings, and then the end of the session elsewhere."""
    await page.get_by_label("Raw samples kept").fill("9")
    await page.locator(".connection.live").wait_for()
    await end_sessions(api, ADMIN)
    await page.get_by_text(ENDED).wait_for()


async def test_a_session_that_ends_elsewhere_covers_the_page_which_goes_on_after_the_login(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, api),
        opened(chromium, f"{address}/settings", provoked=REFUSED) as page,
    ):
        await typed_and_ended(page, api)
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await expect(page.get_by_text(ENDED)).to_be_visible()
        await expect(page.get_by_label("Name", exact=True)).to_have_value(ADMIN)
        await log_in(page, ADMIN)
        await expect(page.get_by_text(ENDED)).to_have_count(0)
        await expect(page.get_by_label("Raw samples kept")).to_have_value("9")
        await page.locator(".connection.live").wait_for()


async def test_what_was_sent_without_a_session_is_sent_again_after_the_login(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, api),
        opened(chromium, f"{address}/settings", provoked=REFUSED) as page,
    ):
        await page.get_by_label("Raw samples kept").fill("9")
        await page.locator(".connection.live").wait_for()  # or what connects is refused first, and covers the button
        await page.context.clear_cookies()
        await page.get_by_role("button", name="Save", exact=True).dispatch_event("click")
        await page.get_by_text(ENDED).wait_for()
        await log_in(page, ADMIN)
        await page.get_by_text("Saved", exact=True).wait_for()
        assert (await api.get("/settings/raw_days")).json()["value"] == 9


async def test_another_person_finds_nothing_of_the_page_that_was_covered(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with with_people(bus_url, database_url) as (address, api):
        await add_user(database_url, "ben", "operator")
        async with opened(chromium, f"{address}/settings", provoked=REFUSED) as page:
            await typed_and_ended(page, api)
            await log_in(page, "ben")
            await page.get_by_role("button", name="ben account").wait_for()
            await expect(page.get_by_label("Raw samples kept")).to_have_value("7")


async def test_a_login_in_one_tab_uncovers_the_others(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with (
        with_people(bus_url, database_url) as (address, api),
        opened(chromium, f"{address}/settings", provoked=REFUSED) as page,
    ):
        other = await page.context.new_page()
        await other.goto(f"{address}/alerts")
        await other.locator(".connection.live").wait_for()
        await end_sessions(api, ADMIN)
        for tab in (page, other):
            await tab.get_by_text(ENDED).wait_for()
        await log_in(other, ADMIN)
        for tab in (page, other):
            await expect(tab.get_by_text(ENDED)).to_have_count(0)
            await tab.bring_to_front()
            await tab.locator(".connection.live").wait_for()


async def test_logging_out_leads_to_the_form_and_keeps_nothing(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        with_people(bus_url, database_url) as (address, api),
        opened(chromium, f"{address}/settings", provoked=REFUSED) as page,
    ):
        await page.get_by_role("button", name=f"{ADMIN} account").click()
        await page.get_by_role("button", name="Log out").click()
        await page.get_by_label("Password", exact=True).wait_for()
        await expect(page.get_by_text(ENDED)).to_have_count(0)
        assert ADMIN not in await page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
        sessions = (await api.get("/sessions", params={"all": "true"})).json()["sessions"]
        assert not [one for one in sessions if one["user"] == ADMIN]


async def test_somebody_logs_in_with_the_keyboard_alone(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with with_people(bus_url, database_url) as (address, _), opened(chromium, address, known=False) as page:
        await expect(page.get_by_label("Name", exact=True)).to_be_focused()
        await page.keyboard.type(ADMIN)
        await tab_to(page, "Password")
        await page.keyboard.type(PASSWORD)
        await tab_to(page, "Log in")
        await page.keyboard.press("Enter")
        await page.get_by_text("No host has reported yet").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_the_form_alone_or_over_a_page(
    chromium: Chromium, scheme: Literal["light", "dark"], bus_url: str, database_url: str
) -> None:
    found: list[str] = []
    async with with_people(bus_url, database_url) as (address, api):
        secret = await add_link(database_url, "dora")
        async with opened(chromium, address, scheme=scheme, known=False, provoked=REFUSED) as page:
            await log_in(page, ADMIN, "not the password")
            await page.get_by_role("alert").wait_for()
            found += [f"the form: {what}" for what in await findings(page)]
        async with opened(chromium, f"{address}/login#link={secret}", scheme=scheme, width=390, known=False) as page:
            await page.get_by_role("button", name="Set password").click()
            await page.get_by_text("Type a password.").wait_for()
            found += [f"the link: {what}" for what in await findings(page)]
        async with opened(chromium, f"{address}/settings", scheme=scheme, width=390, provoked=REFUSED) as page:
            await typed_and_ended(page, api)
            await page.get_by_label("Password", exact=True).wait_for()
            found += [f"the cover: {what}" for what in await findings(page)]
            assert await page.evaluate("document.documentElement.scrollWidth") == 390
    assert not found, "\n".join(found)
