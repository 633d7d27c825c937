"""Messages that are kept up to date, from the incident in the table to what stands in Slack."""

from __future__ import annotations

from schemas.channels import SlackBot
from schemas.matching import Matcher
from schemas.routes import Route
from services.alerts.telling.chain import PACE_S
from tests.alerts.builders import rule
from tests.alerts.slack_server import CHANNEL, TOKEN, Posted
from tests.alerts.telling.desk import Desk, desk, telling
from tests.waiting import eventually

MEMORY = rule(id="memory", name="Memory used")


async def with_bot(at: Desk) -> None:
    """A channel that is a bot, told at once of all there is."""
    await at.channel("bot", target=SlackBot(CHANNEL, TOKEN, at.sink.api_url))
    await at.route(Route("all", "All", ["bot"], match=Matcher(), group_interval_s=0, group_wait_s=0.5))


def header(message: Posted) -> str:
    text: str = message.payload["blocks"][0]["text"]["text"]
    return text


async def test_one_message_shows_an_incident_from_its_fire_to_its_end(database_url: str) -> None:
    async with desk(database_url) as at:
        await with_bot(at)
        async with telling(at):
            number = await at.fire(level=1)
            await at.until_status("sent")
            await at.fire(level=2, number=number)
            await at.until_status("sent", "sent")
            await at.end(number)
            await at.until_status("sent", "sent", "sent")
    root, *replies = at.sink.messages.values()
    assert header(root).startswith("🟢 Resolved")
    assert root.updates == 2
    assert {reply.thread_ts for reply in replies} == {"1790000000.000001"}
    assert [reply.aloud for reply in replies] == [True, False]
    assert at.sink.refusals == []


async def test_a_message_of_two_incidents_shows_both_when_one_ends(database_url: str) -> None:
    async with desk(database_url) as at:
        await with_bot(at)
        cpu, memory = await at.fire(), await at.fire(rule=MEMORY)
        async with telling(at):
            await at.until_status("sent")
            await at.end(cpu)
            await at.until_status("sent", "sent")
            first = header(at.sink.messages["1790000000.000001"])
            await at.fire(rule=MEMORY, level=0, number=memory)
            await at.until_status("sent", "sent", "sent")
    assert first == "🔴 2 alerts on web-1: 1 critical, 1 resolved"
    assert header(at.sink.messages["1790000000.000001"]).startswith("🟢 Resolved")
    assert "and 1 alert that is over" in str(at.sink.messages["1790000000.000001"].payload)


async def test_a_message_is_followed_after_a_restart(database_url: str) -> None:
    async with desk(database_url) as at:
        await with_bot(at)
        async with telling(at):
            number = await at.fire()
            await at.until_status("sent")
        async with telling(at):
            await at.end(number)
            await at.until_status("sent", "sent")
    assert [message.thread_ts for message in at.sink.messages.values()] == ["", "1790000000.000001"]


async def test_the_pace_of_production_is_one_that_slack_takes(database_url: str) -> None:
    async with desk(database_url, slack_pace_s=0.9) as at:  # two clocks measure: not quite a second
        await at.channel()
        for host in ("web-1", "web-2", "web-3"):
            await at.fire(host)
        async with telling(at, pace_s=PACE_S):
            await eventually(lambda: len(at.sink.posts) >= 3)
            await at.until_status("sent", "sent", "sent")
