"""Slack's Web API: one message that is kept up to date, and its thread, against a server as strict as Slack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.outbound import outbound
from schemas.channels import Channel, SlackBot
from services.alerts.deliver.sending import sender
from services.alerts.deliver.slackbot import classify
from services.alerts.notice import Notice, Outcome, Said
from tests.alerts.deliver.notices import notice, said
from tests.alerts.slack_server import CHANNEL, TOKEN, Posted, Reply, SlackServer, slack_server


async def sent(slack: SlackServer, told: Notice, **changes: Any) -> Outcome:
    target = SlackBot(**{"room": CHANNEL, "token": TOKEN, "api_url": slack.api_url, **changes})
    async with outbound(True) as http:
        return await sender(http)(Channel("ops", "Ops", target), told)


def header(message: Posted) -> str:
    text: str = message.payload["blocks"][0]["text"]["text"]
    return text


def in_thread(slack: SlackServer) -> list[Posted]:
    return [message for message in slack.messages.values() if message.thread_ts]


def failing(error: str) -> Reply:
    return Reply(200, json.dumps({"ok": False, "error": error}))


async def test_the_first_news_is_a_message_whose_name_is_kept() -> None:
    async with slack_server() as slack:
        outcome = await sent(slack, notice(said(7)))
    assert outcome.verdict == "sent"
    assert outcome.reference == {"ts": "1790000000.000001", "channel": CHANNEL, "room": CHANNEL, "incidents": 1}
    assert slack.refusals == []


async def resolved(slack: SlackServer, *items: Said) -> Outcome:
    first = await sent(slack, notice(*items))
    over = [said(item.incident, "resolve", reference=first.reference) for item in items]
    return await sent(slack, notice(*over))


async def test_the_end_changes_the_message_and_is_told_in_its_thread() -> None:
    async with slack_server() as slack:
        outcome = await resolved(slack, said(7))
    root, reply = slack.messages.values()
    assert header(root) == "🟢 Resolved (critical): CPU busy on web-1"
    assert (root.updates, reply.thread_ts) == (1, "1790000000.000001")
    assert outcome.reference["ts"] == "1790000000.000001"


async def test_the_end_is_not_told_aloud() -> None:
    async with slack_server() as slack:
        await resolved(slack, said(7))
    assert [reply.aloud for reply in in_thread(slack)] == [False]


@pytest.mark.parametrize("kind", ["escalate", "repeat"])
async def test_what_asks_for_somebody_is_told_aloud(kind: str) -> None:
    async with slack_server() as slack:
        first = await sent(slack, notice(said(7, severity="warning")))
        await sent(slack, notice(said(7, kind, reference=first.reference)))
    assert [reply.aloud for reply in in_thread(slack)] == [True]
    assert header(slack.messages["1790000000.000001"]) == "🔴 Critical: CPU busy on web-1"


async def test_a_message_of_two_says_how_both_stand_when_one_is_over() -> None:
    async with slack_server() as slack:
        first = await sent(slack, notice(said(7), said(8, instance="b")))
        still = said(8, "fire", instance="b", reference=first.reference)
        await sent(slack, notice(said(7, "resolve", reference=first.reference), beside=[still]))
    assert header(slack.messages["1790000000.000001"]) == "🔴 CPU busy on web-1: 1 critical, 1 resolved"


async def test_what_is_over_for_long_is_counted() -> None:
    async with slack_server() as slack:
        first = await sent(slack, notice(said(7), said(8, instance="b")))
        await sent(slack, notice(said(7, "resolve", reference=first.reference)))
    root = slack.messages["1790000000.000001"]
    assert "and 1 alert that is over" in json.dumps(root.payload)


async def test_news_of_several_messages_is_one_of_its_own_and_all_are_brought_up_to_date() -> None:
    async with slack_server() as slack:
        first = await sent(slack, notice(said(7)))
        second = await sent(slack, notice(said(8, host="web-2")))
        both = [said(7, "resolve", reference=first.reference)]
        both += [said(8, "resolve", host="web-2", reference=second.reference)]
        outcome = await sent(slack, notice(*both))
    assert [message.updates for message in slack.messages.values()] == [1, 1, 0]
    assert in_thread(slack) == []
    assert outcome.reference["ts"] == "1790000000.000003"


async def many_resolved(slack: SlackServer, updated: list[Reply]) -> list[int]:
    """How often each of twelve messages was brought up to date by the one that tells that all is over."""
    told = [await sent(slack, notice(said(number, host=f"web-{number}"))) for number in range(12)]
    items = [said(at, "resolve", host=f"web-{at}", reference=outcome.reference) for at, outcome in enumerate(told)]
    if updated:
        slack.script.extend([Reply(200, json.dumps({"ok": True, "ts": "2.2", "channel": CHANNEL})), *updated])
    assert (await sent(slack, notice(*items))).verdict == "sent"
    return [message.updates for message in slack.messages.values()][:12]


async def test_an_end_of_many_leaves_no_message_as_it_was() -> None:
    async with slack_server() as slack:
        assert await many_resolved(slack, []) == [1] * 12


async def test_slack_is_not_asked_for_more_changes_once_it_has_no_time() -> None:
    async with slack_server() as slack:
        assert await many_resolved(slack, [failing("ratelimited")]) == [0] * 12


async def test_news_of_a_message_that_is_gone_is_a_new_message() -> None:
    lost = {"ts": "1.1", "channel": CHANNEL, "room": CHANNEL, "incidents": 1}
    async with slack_server() as slack:
        outcome = await sent(slack, notice(said(7, "resolve", reference=lost)))
    assert outcome.verdict == "sent"
    assert outcome.reference["ts"] == "1790000000.000001"
    assert in_thread(slack) == []


async def test_a_channel_that_posts_elsewhere_now_begins_anew() -> None:
    before = {"ts": "1.1", "channel": "C999", "room": "C999", "incidents": 1}
    async with slack_server() as slack:
        await sent(slack, notice(said(7, "resolve", reference=before)))
    assert [post.get("channel") for post in slack.posts] == [CHANNEL]


async def test_a_message_that_cannot_be_changed_does_not_make_the_news_untold() -> None:
    async with slack_server() as slack:
        first = await sent(slack, notice(said(7)))
        reply = json.dumps({"ok": True, "ts": "2.2", "channel": CHANNEL})
        slack.script.extend([Reply(200, reply), failing("cant_update_message")])
        outcome = await sent(slack, notice(said(7, "resolve", reference=first.reference)))
    assert outcome.verdict == "sent"


async def test_refused_blocks_are_sent_once_more_as_text() -> None:
    async with slack_server() as slack:
        slack.script.append(failing("invalid_blocks"))
        outcome = await sent(slack, notice())
    assert outcome.verdict == "sent"
    assert ["blocks" in post for post in slack.posts] == [True, False]


async def test_a_wrong_token_is_dead_and_is_not_repeated() -> None:
    async with slack_server() as slack:
        outcome = await sent(slack, notice(), token="xoxb-another-SECRET")  # noqa: S106
    assert (outcome.verdict, outcome.answer) == ("dead", "200 invalid_auth")


async def test_a_missing_scope_is_named() -> None:
    async with slack_server() as slack:
        slack.script.append(Reply(200, '{"ok":false,"error":"missing_scope","needed":"chat:write"}'))
        outcome = await sent(slack, notice())
    assert outcome.answer == "200 missing_scope, needed: chat:write"


async def test_the_wait_that_slack_asks_for_is_passed_on() -> None:
    async with slack_server(pace_s=1000) as slack:
        await sent(slack, notice())
        outcome = await sent(slack, notice())
    assert (outcome.verdict, outcome.retry_after_s) == ("again", 1)


@pytest.mark.parametrize("body", ["", "[]", "null", "<html>", '{"ok":"yes"}'])
async def test_an_answer_that_is_not_slacks_is_no_success(body: str) -> None:
    async with slack_server() as slack:
        slack.script.append(Reply(200, body))
        assert (await sent(slack, notice())).verdict == "dead"


async def test_the_past_names_no_message_to_follow() -> None:
    async with slack_server() as slack:
        outcome = await sent(slack, notice(said(7, "past"), form="past"))
    assert outcome.verdict == "sent"
    assert header(slack.messages["1790000000.000001"]).startswith("🕘 In the past")


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (200, "ratelimited", "again"),
        (200, "internal_error", "again"),
        (502, "", "again"),
        (200, "msg_too_long", "payload"),
        (200, "thread_not_found", "gone"),
        (200, "is_archived", "dead"),
        (200, "not_in_channel", "dead"),
        (200, "account_inactive", "dead"),
        (404, "", "dead"),
    ],
)
def test_each_error_has_its_class(status: int, error: str, expected: str) -> None:
    assert classify(status, False, error) == expected
