"""Channels and routes on the page of settings: writing them, trying them, and what is typed is not lost."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from infra.storage.database import connection
from schemas.channels import Channel, Slack, SlackBot
from schemas.subjects import SETTINGS_CHANGED
from tests.alerts.builders import rule
from tests.alerts.fleet import fleet, serving
from tests.alerts.slack_server import Reply, slack_server
from tests.browser.alerting import page_of
from tests.browser.browser import Chromium
from tests.gateway.incidents import hold_channel, store_channel
from tests.waiting import eventually

pytestmark = pytest.mark.browser

OPS = Channel("ops", "Operators", Slack("https://hooks.example/x"))
BOSS = Channel("boss", "The boss", Slack("https://hooks.example/y"))


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
        await hold_channel(database, "ops")
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


async def test_a_channel_form_asks_before_it_throws_away_what_was_typed(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/settings") as (page, _):
        await asks_before_it_closes(page, "New channel")


async def test_a_route_form_asks_before_it_throws_away_what_was_typed(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/settings") as (page, _):
        await asks_before_it_closes(page, "New route")


async def asks_before_it_closes(page: Page, form: str) -> None:
    await page.get_by_role("button", name=form).click()
    dialog = page.get_by_role("dialog", name=form)
    await dialog.get_by_label("Name").fill("Night")
    await page.keyboard.press("Escape")
    await dialog.get_by_text("Discard what you typed?").wait_for()
    await dialog.get_by_role("button", name="Keep editing").click()
    await expect(dialog.get_by_label("Name")).to_have_value("Night")
    await dialog.get_by_role("button", name="Cancel").click()
    await dialog.get_by_role("button", name="Discard").click()
    await dialog.wait_for(state="detached")


async def test_a_channel_that_somebody_else_changed_is_shown_and_taken(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        await store_channel(database, OPS)
    async with page_of(chromium, bus_url, database_url, "/settings", ("status of 412",)) as (page, api):
        await page.get_by_role("button", name="Edit Operators").click()
        await page.get_by_label("Name").fill("Mine")
        theirs = (await api.get("/channels/ops")).json()
        changed = {**theirs["channel"], "name": "Theirs"}
        (await api.put("/channels/ops", json=changed, headers={"If-Match": str(theirs["version"])})).raise_for_status()
        await page.get_by_role("button", name="Save channel").click()
        await page.get_by_text("Somebody changed this channel meanwhile: “Theirs”, Slack").wait_for()
        await page.get_by_role("button", name="Take theirs").click()
        await expect(page.get_by_label("Name")).to_have_value("Theirs")
        await page.get_by_label("Name").fill("Both")
        await page.get_by_role("button", name="Save channel").click()
        await page.locator("dialog").wait_for(state="detached")
        assert (await api.get("/channels/ops")).json()["channel"]["name"] == "Both"


async def test_a_route_that_somebody_else_changed_is_saved_over_when_asked_to(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with page_of(chromium, bus_url, database_url, "/settings", ("status of 412",)) as (page, api):
        (await api.post("/routes", json={"id": "web", "name": "Web", "channels": []})).raise_for_status()
        await page.get_by_role("button", name="Edit Web").click()
        await page.get_by_label("Name").fill("Mine")
        theirs = (await api.get("/routes/web")).json()
        changed = {**theirs["route"], "repeat_s": 7200}
        (await api.put("/routes/web", json=changed, headers={"If-Match": str(theirs["version"])})).raise_for_status()
        await page.get_by_role("button", name="Save route").click()
        await page.get_by_text("Somebody changed this route meanwhile: All alerts go to nobody; reminds").wait_for()
        await page.get_by_role("button", name="Save mine over it").click()
        await page.locator("dialog").wait_for(state="detached")
        stored = (await api.get("/routes/web")).json()["route"]
        assert (stored["name"], stored["repeat_s"]) == ("Mine", 4 * 3600)


async def test_a_route_has_matchers_hours_and_an_escalation(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with connection(database_url, "test") as database:
        await store_channel(database, OPS)
        await store_channel(database, BOSS)
    async with page_of(chromium, bus_url, database_url, "/settings", ("status of 400",)) as (page, api):
        await page.locator("[data-channel=boss]").wait_for()
        await page.get_by_role("button", name="New route").click()
        form = page.get_by_role("dialog", name="New route")
        await form.get_by_label("Name").fill("Office")
        await form.get_by_label("Severity").select_option("critical")
        await form.get_by_label("With the tags").fill("prod")
        await form.get_by_label("But not with").fill("test")
        await form.get_by_role("group", name="Tells", exact=True).get_by_label("Operators").check()
        await form.get_by_label("Also notify when it resolves").uncheck()
        await form.get_by_label("When people are told").select_option("working")
        await form.get_by_text("To the minute").click()
        stretch = form.get_by_role("group", name="Stretch 1")
        await stretch.get_by_label("Fri").uncheck()
        await stretch.get_by_label("Beginning of stretch 1").fill("08:30")
        await form.get_by_label("Time zone").fill("Europe/Nowhere")
        await form.get_by_label("What is critical is told always").uncheck()
        await form.get_by_text("What is told in one message").click()
        await form.get_by_label("One message for what is").select_option("of one rule")
        await form.get_by_label("The first waits for more").fill("5")
        await form.get_by_label("Further messages wait").fill("120")
        await form.get_by_label("A storm is more than").fill("25")
        await form.get_by_label("Tell of alerts found in late samples").uncheck()
        await form.get_by_label("Tell others, too, when nobody acknowledges").check()
        await form.get_by_label("After").fill("20")
        await form.get_by_role("button", name="Create route").click()
        await form.get_by_text("Choose who is told then.").wait_for()
        await form.get_by_role("group", name="Then tells").get_by_label("The boss").check()
        await form.get_by_role("button", name="Create route").click()
        await form.get_by_text("Type the name of a time zone").wait_for()
        await expect(form.get_by_label("Time zone")).to_be_focused()
        await form.get_by_label("Time zone").fill("Europe/Berlin")
        await form.get_by_role("button", name="Create route").click()
        await form.wait_for(state="detached")
        route = (await api.get("/routes/office")).json()["route"]
    assert (route["match"]["tags"], route["match"]["without_tags"]) == (["prod"], ["test"])
    assert (route["match"]["severity"], route["send_resolved"]) == ("critical", False)
    assert route["hours"] == {
        "spans": [{"days": ["mon", "tue", "wed", "thu"], "start": "08:30", "until": "17:00"}],
        "kind": "working",
        "zone": "Europe/Berlin",
        "critical_passes": False,
    }
    assert (route["group_by"], route["group_wait_s"], route["group_interval_s"]) == ("rule", 5, 120)
    assert (route["storm_hosts"], route["tell_past"]) == (25, False)
    assert route["escalation"] == {"after_s": 1200, "channels": ["boss"], "critical_only": False}


async def test_a_bot_may_speak_to_another_slack(chromium: Chromium, bus_url: str, database_url: str) -> None:
    bot = SlackBot("C0123456789", "xoxb-1")
    async with connection(database_url, "test") as database:
        await store_channel(database, Channel("bot", "Bot", bot))
    async with page_of(chromium, bus_url, database_url, "/settings") as (page, api):
        await page.get_by_role("button", name="Edit Bot").click()
        await page.get_by_label("Bot token").fill("xoxb-2")
        await page.get_by_label("Address of Slack’s API").fill("https://slack-gov.com/api")
        await page.get_by_role("button", name="Save channel").click()
        await page.locator("dialog").wait_for(state="detached")
        assert (await api.get("/channels/bot")).json()["channel"]["target"]["api_url"] == "https://slack-gov.com/api"


async def test_a_channel_that_becomes_held_is_told_at_once_where_alerts_are_looked_at(
    chromium: Chromium, bus_url: str, database_url: str
) -> None:
    async with (
        slack_server() as slack,
        fleet(bus_url, database_url, [rule(for_s=5, recover_for_s=5)]) as hosts,
        serving(hosts.settings),
        page_of(chromium, bus_url, database_url, "/alerts") as (page, _),
    ):
        await store_channel(hosts.database, BOSS)
        await store_channel(hosts.database, Channel("ops", "Operators", Slack(slack.url), fallback="boss"))
        await hosts.client.publish(SETTINGS_CHANGED, b'{"key":"channels","version":1}')
        slack.script.append(Reply(404, "no_service"))
        await page.get_by_role("heading", name="Now").wait_for()
        await hosts.cpu([80] * 10, at_s=0)
        await page.get_by_role("status").get_by_text("Nothing reaches Operators").wait_for()
        await page.get_by_text("The boss is told instead.").wait_for()
        await page.get_by_role("link", name="Fix it").click()
        await expect(page.locator("[data-channel=ops]")).to_be_in_viewport()
