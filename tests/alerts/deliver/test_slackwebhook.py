"""Slack's incoming webhook, against a server as strict as Slack."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

import pytest

from infra.outbound import outbound
from schemas.channels import Channel, Slack
from services.alerts.deliver import slackwebhook
from services.alerts.deliver.sending import sender
from services.alerts.deliver.slackwebhook import classify
from services.alerts.deliver.trials import try_channel
from services.alerts.deliver.wording import message_of
from services.alerts.notice import Notice, Outcome
from tests.alerts.deliver.notices import notice
from tests.alerts.slack_server import Reply, SlackServer, slack_server


async def sent(slack: SlackServer, told: Notice | None = None, private: bool = True) -> Outcome:
    async with outbound(private) as http:
        return await sender(http)(Channel("ops", "Ops", Slack(slack.url)), told or notice())


@asynccontextmanager
async def answering(reply: Reply) -> AsyncIterator[SlackServer]:
    async with slack_server() as slack:
        slack.script.append(reply)
        yield slack


async def test_a_message_arrives() -> None:
    async with slack_server() as slack:
        outcome = await sent(slack)
    assert (outcome.verdict, outcome.answer) == ("sent", "200 ok")
    assert slack.headlines == ["🔴 Critical: CPU busy on web-1"]
    assert slack.refusals == []


async def test_refused_blocks_are_sent_once_more_as_text() -> None:
    async with answering(Reply(400, "invalid_blocks")) as slack:
        outcome = await sent(slack)
    assert outcome.verdict == "sent"
    assert "invalid_blocks" in outcome.answer
    assert ["blocks" in post for post in slack.posts] == [True, False]


async def test_what_is_refused_as_text_too_is_refused() -> None:
    async with answering(Reply(400, "invalid_blocks")) as slack:
        slack.script.append(Reply(400, "invalid_payload"))
        assert (await sent(slack)).verdict == "refused"


async def test_the_wait_that_slack_asks_for_is_passed_on() -> None:
    async with slack_server(pace_s=1000) as slack:
        await sent(slack)
        outcome = await sent(slack)
    assert (outcome.verdict, outcome.retry_after_s) == ("again", 1)


@pytest.mark.parametrize("word", ["no_service", "invalid_token", "channel_is_archived"])
async def test_a_dead_webhook_is_dead_in_slacks_own_words(word: str) -> None:
    async with answering(Reply(404, word)) as slack:
        outcome = await sent(slack)
    assert (outcome.verdict, outcome.answer) == ("dead", f"404 {word}")


async def test_an_answer_that_repeats_the_address_is_shown_without_it() -> None:
    async with slack_server() as slack:
        slack.script.append(Reply(404, f"nothing at {slack.url}, T000 or SECRET-of"))
        outcome = await sent(slack)
    assert slack.url not in outcome.answer
    assert "/SECRET" not in outcome.answer


@pytest.mark.parametrize(
    "said",
    [
        "x" * 490 + " /services/T000/B000/{secret}",
        "x" * 30 + " {lower}",
        "Authorization: Basic {login}",
        "{decoded}",
    ],
)
async def test_no_spelling_of_the_address_is_shown(said: str) -> None:
    secret = "SECRET%2Fpart-of-the-address"  # noqa: S105
    login = base64.b64encode(b"ann:pw12").decode()
    words = said.format(secret=secret, lower=secret.lower(), login=login, decoded=unquote(secret))
    async with answering(Reply(404, words)) as slack, outbound(True) as http:
        url = slack.url.replace("//", "//ann:pw12@").replace("SECRET", secret)
        outcome = await slackwebhook.send(http, Slack(url), message_of(notice()))
    assert outcome.verdict == "dead"
    for hidden in ("secret", "part-of", login.lower()[:8]):
        assert hidden not in outcome.answer.lower()


async def test_a_cut_answer_may_have_been_taken() -> None:
    async with answering(Reply(ends="cut")) as slack:
        outcome = await sent(slack)
    assert (outcome.verdict, outcome.perhaps) == ("again", True)


async def test_an_endless_answer_is_no_ok() -> None:
    async with answering(Reply(ends="never")) as slack:
        outcome = await sent(slack)
    assert outcome.verdict != "sent"
    assert len(outcome.answer) < 1000


async def test_a_server_that_is_not_there_has_certainly_not_taken_it() -> None:
    async with slack_server() as slack:
        pass
    outcome = await sent(slack)
    assert (outcome.verdict, outcome.perhaps) == ("again", False)


async def test_addresses_of_this_machine_are_refused_unless_they_are_allowed() -> None:
    async with slack_server() as slack:
        outcome = await sent(slack, private=False)
    assert outcome.verdict == "dead"
    assert "SONDE_OUTBOUND_PRIVATE=1" in outcome.answer
    assert slack.posts == []


async def test_a_test_message_says_what_came_back() -> None:
    async with slack_server() as slack, outbound(True) as http:
        outcome = await try_channel(http, Channel("ops", "Ops & <co>", Slack(slack.url)))
    assert (outcome.verdict, outcome.answer) == ("sent", "200 ok")
    assert slack.headlines == ["✅ Test message from Sonde"]


async def test_sending_can_be_cancelled() -> None:
    async with answering(Reply(after_s=1000)) as slack:
        task = asyncio.create_task(sent(slack))
        while not slack.posts:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("status", "word", "verdict"),
    [
        (200, "ok", "sent"),
        (429, "", "again"),
        (500, "rollup_error", "again"),
        (503, "<html>", "again"),
        (400, "invalid_payload", "payload"),
        (400, "invalid_blocks", "payload"),
        (400, "no_text", "payload"),
        (403, "invalid_token", "dead"),
        (403, "action_prohibited", "dead"),
        (404, "no_service", "dead"),
        (404, "channel_not_found", "dead"),
        (400, "no_service", "dead"),
        (410, "channel_is_archived", "dead"),
        (302, "", "dead"),
        (200, "<html>log in first", "dead"),
    ],
)
def test_each_answer_has_its_class(status: int, word: str, verdict: str) -> None:
    assert classify(status, word) == verdict
