"""The page of alerts: what it says while something is not known, and the editor of rules."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from infra.settings import ServerSettings
from infra.storage import database
from infra.storage.database import ensure_hosts
from tests.browser.between import between
from tests.browser.browser import NO_WORKERS, Chromium, opened
from tests.browser.keyboard import focused, tab_to
from tests.browser.logins import api_of
from tests.browser.stack import served
from tests.gateway.running import ANY
from tests.waiting import eventually

pytestmark = pytest.mark.browser

RULE = {"id": "cpu-busy", "name": "CPU busy", "metric": "cpu.total", "critical": {"raise_at": 90, "clear_at": 80}}
UNANSWERED = ("net::ERR_", "status of 503")


@asynccontextmanager
async def alerts_page(
    chromium: Chromium, bus_url: str, database_url: str, *rules: dict[str, Any], provoked: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Page, httpx.AsyncClient]]:
    """The page over a gateway with these rules alone, and the gateway's API."""
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, api_of(address) as api:
        await keep_only(api, *rules)
        async with opened(chromium, f"{address}/alerts", provoked=provoked) as page:
            await page.get_by_role("heading", name="Rules").wait_for()
            yield page, api


async def keep_only(api: httpx.AsyncClient, *rules: dict[str, Any]) -> None:
    """Put `rules` in the place of those of a first start."""
    for stored in (await api.get("/rules")).json()["rules"]:
        (await api.delete(f"/rules/{stored['rule']['id']}")).raise_for_status()
    for rule in rules:
        (await api.post("/rules", json=rule)).raise_for_status()


async def refuse(route: Route) -> None:
    await route.fulfill(status=503, content_type="application/problem+json", body='{"detail": "No database."}')


async def alert_rows(database_url: str, *alerts: tuple[str, float, float, str]) -> None:
    """Active alerts of web-1 as the alerts service stores them: rule, value, since, state."""
    async with database.connection(database_url, "test") as connection:
        host = (await ensure_hosts(connection, ["web-1"]))["web-1"]
        for rule, value, since, state in alerts:
            body = {
                "rule_name": rule,
                "metric": "cpu.total",
                "unit": "%",
                "severity": "critical",
                "value": value,
                "threshold": 90.0,
                "since": since,
                "peak": value,
                "machine": {"level": 2},
            }
            await connection.execute(
                "INSERT INTO alert_states VALUES ($1, $2, '', $3, $4)", rule, host, state, json.dumps(body)
            )


async def test_rules_and_history_are_there_while_the_stream_answers_503(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as direct, api_of(direct) as api, between(direct) as (proxy, address):
        (await api.post("/rules", json=RULE)).raise_for_status()
        proxy.harm(stream="503")
        async with opened(chromium, f"{address}/alerts", provoked=UNANSWERED) as page:
            await page.locator("[data-rule=cpu-busy]").wait_for()
            await page.get_by_text("No alert has fired").wait_for()


async def test_loading_failed_and_empty_rules_look_different(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with alerts_page(chromium, bus_url, database_url, provoked=UNANSWERED) as (page, _):
        await page.get_by_text("There are no rules").wait_for()
        held: list[Route] = []

        async def hold(route: Route) -> None:
            """The first; the page asks once more when the stream begins."""
            if held:
                await refuse(route)
            else:
                held.append(route)

        await page.route("**/api/v1/rules", hold)
        await page.reload()
        await page.get_by_text("Loading the rules").wait_for()
        await eventually(lambda: held)
        await refuse(held[0])
        await page.get_by_text("The rules could not be loaded.").wait_for()
        assert not await page.get_by_text("There are no rules").is_visible()
        await page.unroute("**/api/v1/rules")
        await page.get_by_role("button", name="Try now").click()
        await page.get_by_text("There are no rules").wait_for()


async def test_rules_that_cannot_be_fetched_again_stay_and_are_called_out_of_date(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with alerts_page(chromium, bus_url, database_url, RULE, provoked=UNANSWERED) as (page, api):
        await page.locator("[data-rule=cpu-busy]").wait_for()
        await page.locator(".connection.live").wait_for()
        await page.route("**/api/v1/rules", refuse)
        (await api.post("/rules", json={**RULE, "id": "another"})).raise_for_status()
        await page.get_by_text("The rules may be out of date.").wait_for()
        assert await page.locator("[data-rule=cpu-busy]").is_visible()


async def test_nothing_fires_is_not_said_before_it_is_known(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with alerts_page(chromium, bus_url, database_url, provoked=UNANSWERED) as (page, _):
        await page.get_by_text("Nothing fires").wait_for()
        await page.route("**/api/v1/alerts?*", refuse)
        await page.reload()
        await page.get_by_text("The active alerts could not be loaded.").wait_for()
        assert not await page.get_by_text("Nothing fire").is_visible()


async def test_nothing_fired_last_is_said_while_nothing_is_heard(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with (
        served(settings) as direct,
        between(direct) as (proxy, address),
        opened(chromium, f"{address}/alerts", provoked=UNANSWERED) as page,
    ):
        await page.get_by_text("Nothing fires").wait_for()
        proxy.harm(stream="swallow", rest="swallow")
        await page.get_by_text("What fires now is not known.").wait_for()
        assert not await page.get_by_text("Nothing fires").is_visible()


async def test_readings_of_alerts_stand_under_one_another(chromium: Chromium, bus_url: str, database_url: str) -> None:
    await alert_rows(database_url, ("a", 97.5, 1_795_219_200, "firing"), ("much-longer", 100, 1_795_000_000, "pending"))
    async with alerts_page(chromium, bus_url, database_url) as (page, _):
        await page.locator(".alert").nth(1).wait_for()
        edges = "(name) => [...document.querySelectorAll(`.alert ${name}`)].map((e) => e.getBoundingClientRect().right)"
        for column in (".value", ".limit", ".since"):
            found = await page.evaluate(edges, column)
            assert len(found) == 2
            assert found[0] == found[1], column


async def test_the_editor_opens_in_its_first_field_and_gives_the_focus_back(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with alerts_page(chromium, bus_url, database_url, RULE) as (page, _):
        await page.get_by_role("button", name="Edit CPU busy").click()
        await expect(page.get_by_label("Name", exact=True)).to_be_focused()
        await page.keyboard.press("Escape")
        await page.locator("dialog").wait_for(state="detached")
        assert await focused(page) == "Edit CPU busy"


async def test_everything_wrong_in_a_rule_is_told_at_once_and_where(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with alerts_page(chromium, bus_url, database_url) as (page, _):
        await page.get_by_role("button", name="New rule").click()
        await page.get_by_role("combobox", name="Host").fill("Web 1")
        critical = page.get_by_role("group", name="Critical")
        await critical.get_by_label("Clear at").fill("95")
        await page.get_by_label("Must hold for").fill("8,5")
        await page.get_by_role("button", name="Create rule").click()
        await expect(page.get_by_label("Name", exact=True)).to_be_focused()
        await expect(page.get_by_label("Name", exact=True)).to_have_accessible_description("Give the rule a name.")
        await expect(page.locator("[aria-invalid=true]")).to_have_count(4)
        await expect(critical.get_by_label("Clear at")).to_have_accessible_description(re.compile("Type 90 or less"))
        await expect(page.get_by_label("Must hold for")).to_have_accessible_description(re.compile("Write 8.5"))


async def test_an_id_that_is_taken_is_told_beside_it(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with alerts_page(chromium, bus_url, database_url, RULE, provoked=("status of 409",)) as (page, _):
        await page.get_by_role("button", name="New rule").click()
        await page.get_by_label("Name", exact=True).fill("CPU busy")
        await expect(page.get_by_label("Id", exact=True)).to_have_attribute("placeholder", f"{RULE['id']}-2")
        await page.get_by_label("Id", exact=True).fill(RULE["id"])
        await page.get_by_role("button", name="Create rule").click()
        await expect(page.get_by_label("Id", exact=True)).to_be_focused()
        await expect(page.get_by_label("Id", exact=True)).to_have_accessible_description(re.compile("^Choose another"))


@pytest.mark.parametrize("way", ["Escape", "Cancel", "Close", "outside"])
async def test_a_rule_that_is_being_written_is_not_discarded_without_asking(
    chromium: Chromium, way: str, bus_url: str, database_url: str
) -> None:
    async with alerts_page(chromium, bus_url, database_url) as (page, _):
        await page.get_by_role("button", name="New rule").click()
        name = page.get_by_label("Name", exact=True)
        await name.fill("Disk nearly full")
        if way == "Escape":
            await page.keyboard.press("Escape")
        elif way == "outside":
            await page.mouse.click(20, 300)
        else:
            await page.get_by_role("button", name=way).click()
        await page.get_by_text("Discard what you typed?").wait_for()
        await expect(page.get_by_role("button", name="Keep editing")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(name).to_be_focused()
        assert await name.input_value() == "Disk nearly full"
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Discard").click()
        await page.locator("dialog").wait_for(state="detached")
        assert await focused(page) == "New rule"


async def test_the_back_button_asks_before_it_loses_a_rule(chromium: Chromium, bus_url: str, database_url: str) -> None:
    async with alerts_page(chromium, bus_url, database_url) as (page, _):
        await page.get_by_role("link", name="Settings").click()
        await page.get_by_role("link", name="Alerts").click()
        await page.get_by_role("button", name="New rule").click()
        name = page.get_by_label("Name", exact=True)
        await name.fill("Disk nearly full")
        await page.evaluate("history.back()")
        await page.get_by_text("Not saved yet: the new rule.").wait_for()
        await page.get_by_role("button", name="Stay").click()
        assert await name.input_value() == "Disk nearly full"
        await expect(page).to_have_url(re.compile("/alerts$"))


async def test_a_rule_that_somebody_else_changed_is_not_overwritten_unasked(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with alerts_page(chromium, bus_url, database_url, RULE, provoked=("status of 412",)) as (page, api):
        await page.get_by_role("button", name="Edit CPU busy").click()
        await page.get_by_label("Name", exact=True).fill("Mine")
        (await api.put("/rules/cpu-busy", json={**RULE, "name": "Theirs"}, headers=ANY)).raise_for_status()
        await page.get_by_role("button", name="Save rule").click()
        await page.get_by_text("Somebody changed this rule meanwhile").wait_for()
        await page.get_by_role("button", name="Save mine over it").click()
        await page.get_by_role("heading", name="Mine").wait_for()
        assert (await api.get("/rules/cpu-busy")).json()["rule"]["name"] == "Mine"


async def test_a_deleted_rule_leaves_the_focus_on_its_neighbour_and_the_last_on_the_heading(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    second = {**RULE, "id": "memory", "name": "Memory"}
    async with alerts_page(chromium, bus_url, database_url, RULE, second) as (page, _):
        await page.get_by_role("button", name="Delete CPU busy").click()
        await expect(page.get_by_role("button", name="Keep CPU busy")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Delete CPU busy")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Yes, delete CPU busy").click()
        await expect(page.get_by_role("button", name="Edit Memory")).to_be_focused()
        await page.get_by_role("button", name="Delete Memory").click()
        await page.get_by_role("button", name="Yes, delete Memory").click()
        await expect(page.get_by_role("heading", name="Rules")).to_be_focused()


async def test_a_rule_is_made_changed_and_deleted_with_the_keyboard_alone(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with alerts_page(chromium, bus_url, database_url) as (page, api):
        name = page.get_by_label("Name", exact=True)
        await tab_to(page, "New rule")
        await page.keyboard.press("Enter")
        await expect(name).to_be_focused()
        await page.keyboard.type("Disk")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Disk")).to_be_visible()
        assert await focused(page) == "New rule"

        await tab_to(page, "Edit Disk")
        await page.keyboard.press("Enter")
        await expect(name).to_be_focused()
        await page.keyboard.press("End")
        await page.keyboard.type("s")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Disks")).to_be_visible()
        assert (await api.get("/rules/disk")).json()["rule"]["name"] == "Disks"

        await tab_to(page, "Disks enabled", backwards=True)
        await page.keyboard.press("Space")
        await expect(page.locator("[data-rule=disk] .off")).to_be_visible()

        await tab_to(page, "Delete Disks")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Keep Disks")).to_be_focused()
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("Enter")
        await page.get_by_text("There are no rules").wait_for()
        assert (await api.get("/rules")).json()["rules"] == []


HELD_BACK = """const ask = fetch;
globalThis.fetch = async (address, options) => {
  if (String(address).includes('/live')) await new Promise((go) => { globalThis.letGo = go; });
  return ask(address, options);
}"""


async def test_a_rule_made_before_the_stream_begins_is_shown(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, port=0)
    async with served(settings) as address, api_of(address) as api:
        await keep_only(api)
        async with opened(chromium, f"{address}/alerts", before=f"{NO_WORKERS};{HELD_BACK}") as page:
            await page.get_by_text("There are no rules").wait_for()
            await page.wait_for_function("'letGo' in globalThis")
            (await api.post("/rules", json=RULE)).raise_for_status()
            await page.evaluate("letGo()")
            await page.get_by_role("heading", name="CPU busy").wait_for()
