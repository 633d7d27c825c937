"""Incidents, silences, channels and routes on the dashboard."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from infra.settings import ServerSettings
from infra.storage.database import Connection, connection
from schemas.channels import Channel, Slack
from tests.browser.axe import findings
from tests.browser.browser import Chromium, opened
from tests.browser.logins import api_of
from tests.browser.stack import served
from tests.gateway.incidents import message, open_incident, step, store_channel, told
from tests.waiting import eventually

pytestmark = pytest.mark.browser

ADD_STATE = """
INSERT INTO alert_states (rule_id, host_id, instance, state, body, past)
SELECT rule_id, host_id, instance, 'firing', body, past FROM incidents WHERE id = $1
"""


async def firing(database: Connection, host: str = "web-1", rule: str = "cpu", **facts: Any) -> int:
    """An incident that is on, as judging leaves it; its number."""
    since_s = time.time() - 600
    number = await open_incident(database, host, rule, opened_s=since_s, since=since_s, **facts)
    await database.execute(ADD_STATE, number)
    return number


@asynccontextmanager
async def page_of(
    chromium: Chromium, bus_url: str, database_url: str, path: str, provoked: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Page, httpx.AsyncClient]]:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with (
        served(settings) as address,
        api_of(address) as api,
        opened(chromium, f"{address}{path}", provoked=provoked) as page,
    ):
        await page.locator(".connection.live").wait_for()
        yield page, api


async def test_an_incident_says_why_people_were_told_and_is_acknowledged_and_taken_back(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        await store_channel(database, Channel("ops", "Operators", Slack("https://hooks.example/x")))
        number = await firing(database)
        await message(database, "ops", incident=number)
        await told(database, number, "ops")
        await step(database, number, "sent", "fire to ops (alert, 1 in it): 200 ok", channel="ops")
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, api):
        await page.get_by_role("link", name="Details of CPU busy").click()
        dialog = page.get_by_role("dialog", name="CPU busy")
        await dialog.get_by_text("ops was told of it, last at").wait_for()
        await dialog.get_by_text("fire to ops (alert, 1 in it): 200 ok").wait_for()
        await dialog.get_by_label("Note").fill("on it")
        await dialog.get_by_role("button", name="Acknowledge").click()
        await dialog.get_by_text("ada acknowledged it").wait_for()
        seen = (await api.get(f"/incidents/{number}")).json()["incident"]["acknowledged"]
        assert (seen["by"], seen["note"]) == ("ada", "on it")
        await dialog.get_by_role("button", name="Take back the acknowledgement").click()
        await expect(dialog.get_by_role("button", name="Acknowledge", exact=True)).to_be_visible()
        await dialog.get_by_label("Note").fill("a bad fan")
        await dialog.get_by_role("button", name="Add the note").click()
        await dialog.get_by_role("list").get_by_text("a bad fan").wait_for()
        await page.keyboard.press("Escape")
        await dialog.wait_for(state="detached")
        assert page.url.endswith("/alerts")


async def test_what_somebody_else_acknowledged_is_shown_at_once(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        number = await firing(database)
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, api):
        await page.get_by_role("link", name="Details of CPU busy").wait_for()
        (await api.post(f"/incidents/{number}/acknowledge")).raise_for_status()
        await page.locator(".alert").get_by_text("acknowledged").wait_for()


async def test_a_silence_is_made_of_an_incident_and_ended(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with connection(database_url, "test") as database:
        number = await firing(database, rule="filesystem", rule_name="File system full")
    async with page_of(chromium, bus_url, database_url, f"/alerts?incident={number}") as (page, api):
        await page.get_by_text("Nothing is silenced.").wait_for()
        dialog = page.get_by_role("dialog", name="File system full")
        await dialog.get_by_label("Silence it for").select_option("14400")
        await dialog.get_by_role("button", name="Silence", exact=True).click()
        await page.get_by_role("heading", name="Alerts of filesystem on web-1").wait_for()
        [made] = (await api.get("/silences")).json()["silences"]
        assert (made["match"]["rules"], made["match"]["hosts"], made["by"]) == (["filesystem"], ["web-1"], "ada")
        await page.get_by_role("button", name="End now").click()
        await page.get_by_text("Nothing is silenced.").wait_for()


async def test_an_alert_about_sonde_itself_has_no_link_to_a_host(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        await firing(database, "", "blind", rule_name="Monitoring is blind")
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, _):
        row = page.locator(".alert")
        await row.get_by_text("Monitoring is blind").first.wait_for()
        await expect(row.get_by_role("link")).to_have_count(1)
        await expect(row.get_by_role("link")).to_have_accessible_name("Details of Monitoring is blind")
        cell = page.get_by_role("table").get_by_role("cell", name="Sonde", exact=True)
        assert await cell.count() == 1


async def test_a_rule_that_the_form_shows_in_part_is_saved_whole(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    rule = {
        "id": "full",
        "name": "Full",
        "metric": "filesystem.used_percent",
        "critical": {"raise_at": 95, "clear_at": 92},
        "window": {"function": "avg", "seconds": 300},
        "not_instances": ["/boot*"],
        "overrides": [{"hosts": ["db-*"], "critical": {"raise_at": 99, "clear_at": 98}}],
    }
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, api):
        (await api.post("/rules", json=rule)).raise_for_status()
        before = (await api.get("/rules/full")).json()["rule"]
        await page.get_by_role("button", name="Edit Full").click()
        await page.get_by_label("Only hosts with the tags").fill("prod, web")
        await page.get_by_label("Over the last").fill("600")
        await page.get_by_label("Also").select_option("filesystem.available")
        await page.get_by_label("Is", exact=True).fill("1000")
        await page.get_by_label("When no values come").select_option("alert")
        await page.get_by_role("button", name="Save rule").click()
        await page.locator("dialog").wait_for(state="detached")
        after = (await api.get("/rules/full")).json()["rule"]
    changed = {name: after[name] for name in after if after[name] != before[name]}
    assert changed == {
        "tags": ["prod", "web"],
        "window": {"function": "avg", "seconds": 600, "limit": None},
        "also": {"metric": "filesystem.available", "comparison": "below", "value": 1000},
        "no_data": "alert",
    }


async def test_a_rule_that_cannot_be_read_is_named(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await database.execute("INSERT INTO rules (id, body) VALUES ('later', $1)", json.dumps({"of": "later"}))
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, _):
        await page.get_by_text("The rule later cannot be read, and is not judged").wait_for()
        assert await page.locator("[data-rule=cpu]").is_visible()


async def test_a_channel_is_made_its_secret_stays_and_it_is_deleted(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/settings", ("status of 400",)) as (page, api):
        await page.get_by_text("There is no channel: nobody is told").wait_for()
        await page.get_by_role("button", name="New channel").click()
        await page.get_by_label("Name").fill("Operators")
        await page.get_by_role("button", name="Create channel").click()
        address = page.get_by_label("Webhook address")
        await expect(address).to_be_focused()
        await address.fill("https://hooks.example/verysecret")
        await page.get_by_role("button", name="Create channel").click()
        row = page.locator("[data-channel=operators]")
        await row.get_by_text("Nothing was sent there yet.").wait_for()
        await row.get_by_role("button", name="Edit").click()
        await expect(address).to_have_attribute("placeholder", "set; type to replace it")
        assert await address.input_value() == ""
        await page.get_by_label("Name").fill("All hands")
        await page.get_by_role("button", name="Save channel").click()
        await row.get_by_text("All hands").first.wait_for()
        stored = (await api.get("/channels/operators")).json()
        assert (stored["channel"]["name"], stored["secrets"]) == ("All hands", ["url"])
        assert "verysecret" not in await page.content()
        await row.get_by_role("button", name="Delete").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await page.get_by_text("There is no channel: nobody is told").wait_for()


async def test_a_held_channel_says_why_and_is_tried_again(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await store_channel(database, Channel("ops", "Operators", Slack("https://hooks.example/x")))
        await database.execute(
            "INSERT INTO channel_states (channel, held_since, held_reason) VALUES ('ops', now(), '404 no_service')"
        )
    async with page_of(chromium, bus_url, database_url, "/settings", ("status of 503",)) as (page, _):
        row = page.locator("[data-channel=ops]")
        await row.get_by_text("Nothing is sent: 404 no_service.").wait_for()
        await row.get_by_role("button", name="Test").click()
        await row.get_by_text("the alert service does not run").wait_for()
        await row.get_by_role("button", name="Try again").click()
        await row.get_by_text("Nothing was sent there yet.").wait_for()


async def test_routes_are_made_put_in_order_and_keep_what_the_form_does_not_show(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        await store_channel(database, Channel("ops", "Operators", Slack("https://hooks.example/x")))
    hours = {"spans": [{"days": ["mon"], "start": "09:00", "until": "17:00"}], "zone": "Europe/Berlin"}
    async with page_of(chromium, bus_url, database_url, "/settings") as (page, api):
        await page.get_by_text("There are no routes: every channel is told").wait_for()
        await page.get_by_role("button", name="New route").click()
        await page.get_by_label("Name").fill("Web team")
        await page.get_by_label("With the tags").fill("web, prod")
        await page.get_by_label("Operators").check()
        await page.get_by_text("Alerts with web and prod go to ops").wait_for()
        await page.get_by_role("button", name="Create route").click()
        await page.locator("[data-route=web-team]").wait_for()
        body = {"id": "night", "name": "Night", "channels": ["ops"], "position": 500, "hours": hours}
        (await api.post("/routes", json=body)).raise_for_status()
        night = page.locator("[data-route=night]")
        await night.get_by_role("button", name="Try earlier").click()

        async def is_first() -> bool:
            return [each["route"]["id"] for each in (await api.get("/routes")).json()["routes"]] == [
                "night",
                "web-team",
            ]

        await eventually(is_first)
        await expect(page.locator("[data-route]").first).to_have_attribute("data-route", "night")
        await night.get_by_role("button", name="Edit").click()
        await page.get_by_label("Remind every").fill("1")
        await page.get_by_role("button", name="Save route").click()
        await night.get_by_text("reminds every 1 h").wait_for()
        route = (await api.get("/routes/night")).json()["route"]
    assert (route["repeat_s"], route["hours"]["zone"], route["hours"]["spans"]) == (
        3600,
        "Europe/Berlin",
        hours["spans"],
    )


@pytest.mark.parametrize("width", [1440, 390])
async def test_axe_finds_nothing_in_the_dialogs(
    chromium: Chromium, width: int, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        await store_channel(database, Channel("ops", "Operators", Slack("https://hooks.example/x")))
        await database.execute(
            "INSERT INTO channel_states (channel, held_since, held_reason) VALUES ('ops', now(), '404 no_service')"
        )
        number = await firing(database)
        await step(database, number, "fired", "critical: cpu.total was 97.5 %, threshold 90 %, since 300 s")
    found: list[str] = []
    async with page_of(chromium, bus_url, database_url, f"/alerts?incident={number}") as (page, api):
        await page.set_viewport_size({"width": width, "height": 900})
        (await api.post("/routes", json={"id": "web", "name": "Web", "channels": ["ops"]})).raise_for_status()
        await page.get_by_text("Why was I (not) told?").wait_for()
        found += await findings(page)
        await page.get_by_role("button", name="Close").click()
        await page.get_by_role("button", name="Edit File system full").click()
        await page.get_by_label("Also").select_option("filesystem.available")
        found += await findings(page)
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("button", name="Discard").click()
        await page.get_by_role("link", name="Settings").click()
        await page.locator("[data-route=web]").wait_for()
        found += await findings(page)
        for button, title in (("Edit Operators", "Channel ops"), ("Edit Web", "Route web")):
            await page.get_by_role("button", name=button).click()
            await page.get_by_role("heading", name=title).wait_for()
            found += await findings(page)
            await page.get_by_role("button", name="Cancel").click()
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert (found, wide) == ([], 0)
