"""Incidents on the dashboard: how they stand, why people were told, and what one can do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.async_api import expect

from infra.bus.connection import connection as bus_connection
from infra.storage.database import connection
from schemas.channels import Channel, Slack
from schemas.subjects import TELLING_CHANGED
from tests.browser.alerting import firing, page_of
from tests.browser.axe import findings
from tests.browser.browser import Chromium
from tests.gateway.incidents import hold_channel, message, step, store_channel, told

pytestmark = pytest.mark.browser


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
        await expect(page).to_have_url(re.compile("/alerts$"))


async def test_a_link_to_an_incident_that_is_forgotten_says_so(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/alerts?incident=77", ("status of 404",)) as (page, _):
        dialog = page.get_by_role("dialog", name="Incident 77")
        await dialog.get_by_text("There is no such incident.").wait_for()
        await dialog.get_by_role("button", name="Close").click()
        await dialog.wait_for(state="detached")
        await expect(page).to_have_url(re.compile("/alerts$"))


async def test_an_incident_is_acknowledged_for_a_time(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with connection(database_url, "test") as database:
        number = await firing(database)
    async with page_of(chromium, bus_url, database_url, f"/alerts?incident={number}") as (page, api):
        dialog = page.get_by_role("dialog", name="CPU busy")
        await dialog.get_by_label("Acknowledge for how long").select_option("for 4 hours")
        await dialog.get_by_role("button", name="Acknowledge", exact=True).click()
        await dialog.get_by_text("ada acknowledged it").wait_for()
        seen = (await api.get(f"/incidents/{number}")).json()["incident"]["acknowledged"]
    assert 4 * 3600 - 60 <= seen["until"] - seen["at"] <= 4 * 3600 + 60


async def test_what_becomes_of_its_messages_is_shown_while_the_dialog_is_open(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        await store_channel(database, Channel("ops", "Operators", Slack("https://hooks.example/x")))
        number = await firing(database)
        async with page_of(chromium, bus_url, database_url, f"/alerts?incident={number}") as (page, _):
            dialog = page.get_by_role("dialog", name="CPU busy")
            await dialog.get_by_text("Nobody was told of how it is now").wait_for()
            await told(database, number, "ops")
            await step(database, number, "sent", "fire to ops (alert, 1 in it): 200 ok", channel="ops")
            async with bus_connection(bus_url, "test telling") as client:
                await client.publish(TELLING_CHANGED, b"")
            await dialog.get_by_text("ops was told of it, last at").wait_for()


async def test_a_note_that_was_not_sent_is_asked_about(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with connection(database_url, "test") as database:
        number = await firing(database)
    async with page_of(chromium, bus_url, database_url, f"/alerts?incident={number}") as (page, _):
        dialog = page.get_by_role("dialog", name="CPU busy")
        await dialog.get_by_label("Note").fill("a bad fan")
        await page.keyboard.press("Escape")
        await dialog.get_by_role("button", name="Keep editing").click()
        await expect(dialog.get_by_label("Note")).to_have_value("a bad fan")


async def test_the_back_button_asks_before_it_loses_a_note(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await firing(database)
    async with page_of(chromium, bus_url, database_url, "/alerts?state=open") as (page, _):
        await page.get_by_role("link", name="Details of CPU busy").click()
        dialog = page.get_by_role("dialog", name="CPU busy")
        await dialog.get_by_label("Note").fill("a bad fan")
        await page.go_back()
        await page.get_by_role("button", name="Stay").click()
        await expect(dialog.get_by_label("Note")).to_have_value("a bad fan")
        await page.go_back()
        await page.get_by_role("button", name="Leave").click()
        await dialog.wait_for(state="detached")
        await expect(page).to_have_url(re.compile(r"/alerts\?state=open$"))


async def test_what_somebody_else_acknowledged_is_shown_at_once(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        number = await firing(database)
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, api):
        await page.get_by_role("link", name="Details of CPU busy").wait_for()
        (await api.post(f"/incidents/{number}/acknowledge")).raise_for_status()
        await page.locator(".alert").get_by_text("acknowledged").wait_for()


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
        await expect(cell).to_have_count(1)


async def test_a_rule_is_changed_in_the_form_with_all_that_it_can_have(
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
        await page.get_by_role("button", name="Add an exception for some hosts").click()
        second = page.get_by_role("group", name="Exception 2")
        await second.get_by_label("For the hosts").fill("web-*, cache-1")
        await second.get_by_label("The rule is").select_option("off for them")
        await page.get_by_role("button", name="Move up exception 2").click()
        await page.get_by_role("button", name="Save rule").click()
        await page.locator("dialog").wait_for(state="detached")
        after = (await api.get("/rules/full")).json()["rule"]
    changed = {name: after[name] for name in after if after[name] != before[name]}
    assert changed == {
        "tags": ["prod", "web"],
        "window": {"function": "avg", "seconds": 600, "limit": None},
        "also": {"metric": "filesystem.available", "comparison": "below", "value": 1000},
        "no_data": "alert",
        "overrides": [exception(hosts=["web-*", "cache-1"], enabled=False), before["overrides"][0]],
    }


def exception(**parts: Any) -> dict[str, Any]:
    """An exception to a rule as the API has it."""
    unchanged = dict.fromkeys(("warning", "critical", "for_s", "recover_for_s", "enabled"))
    return {"hosts": [], "tags": [], **unchanged, **parts}


async def test_what_the_gateway_says_of_an_exception_stands_beside_it(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/alerts", ("status of 400",)) as (page, _):
        await page.get_by_role("button", name="Edit CPU busy").click()
        add = page.get_by_role("button", name="Add an exception for some hosts")
        await add.click()
        await page.get_by_role("button", name="Save rule").click()
        first = page.get_by_role("group", name="Exception 1")
        hosts, critical = first.get_by_label("For the hosts"), first.get_by_label("Critical at")
        await expect(hosts).to_be_focused()
        await expect(hosts).to_have_accessible_description(re.compile("^Say for which hosts"))
        await hosts.fill("web-*")
        await critical.fill("101")
        await page.get_by_role("button", name="Save rule").click()
        await expect(critical).to_have_accessible_description(re.compile("Type at most 100"))
        await page.get_by_role("button", name="Remove exception 1").click()
        await expect(add).to_be_focused()


async def test_a_rule_that_cannot_be_read_is_named(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with connection(database_url, "test") as database:
        await database.execute("INSERT INTO rules (id, body) VALUES ('later', $1)", json.dumps({"of": "later"}))
    async with page_of(chromium, bus_url, database_url, "/alerts") as (page, _):
        await page.get_by_text("The rule later cannot be read, and is not judged").wait_for()
        assert await page.locator("[data-rule=cpu]").is_visible()


@pytest.mark.parametrize("width", [1440, 390])
async def test_axe_finds_nothing_in_the_dialogs(
    chromium: Chromium, width: int, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        await store_channel(database, Channel("ops", "Operators", Slack("https://hooks.example/x")))
        await hold_channel(database, "ops")
        number = await firing(database)
        await step(database, number, "fired", "critical: cpu.total was 97.5 %, threshold 90 %, since 300 s")
    found: list[str] = []
    async with page_of(chromium, bus_url, database_url, f"/alerts?incident={number}") as (page, api):
        await page.set_viewport_size({"width": width, "height": 900})
        (await api.post("/routes", json={"id": "web", "name": "Web", "channels": ["ops"]})).raise_for_status()
        await page.get_by_text("Why was I (not) told?").wait_for()
        found += await findings(page)
        await page.get_by_role("button", name="Close").click()
        await page.get_by_role("button", name="New silence").click()
        await page.get_by_text("Matches 1 firing alert").wait_for()
        found += await findings(page)
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("button", name="Edit File system full").click()
        await page.get_by_label("Also").select_option("filesystem.available")
        await page.get_by_role("button", name="Add an exception for some hosts").click()
        found += await findings(page)
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("button", name="Discard").click()
        await page.get_by_role("link", name="Settings").click()
        await page.locator("[data-route=web]").wait_for()
        found += await findings(page)
        for button, title in (("Edit Operators", "Channel ops"), ("Edit Web", "Route web")):
            await page.get_by_role("button", name=button).click()
            await page.get_by_role("heading", name=title).wait_for()
            if title == "Route web":
                await page.get_by_label("When people are told").select_option("quiet")
                await page.get_by_label("Tell others, too").check()
                await page.get_by_text("To the minute").click()
                await page.get_by_text("What is told in one message").click()
            found += await findings(page)
            await page.get_by_role("button", name="Cancel").click()
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert (found, wide) == ([], 0)
