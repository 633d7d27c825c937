"""What an answer makes of the world: retries, dead channels, fallbacks, and what perhaps arrived."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.routes import Route
from services.alerts.notice import Outcome
from services.alerts.notify.world import Channel
from tests.alerts.notify.stage import SENT, Stage, told

HOUR = 3600.0


def route(**changes: Any) -> Route:
    """Everything to Slack."""
    return msgspec.structs.replace(Route("all", "All", ["slack"]), **changes)


def test_a_message_that_failed_is_made_anew() -> None:
    stage = Stage()
    answers = iter([Outcome("again", "500"), SENT])
    stage.answer = lambda draft, now_s: next(answers)
    number = stage.fire()
    stage.run(0.8)
    stage.become(number, 2)
    assert told(stage.run(60)) == [(1.15, "slack", "fire web-1")]
    assert stage.world.told[number]["slack"].level == 2


def test_a_channel_that_asks_for_time_is_given_it() -> None:
    stage = Stage()
    answers = iter([Outcome("again", "429", retry_after_s=30), SENT])
    stage.answer = lambda draft, now_s: next(answers)
    stage.fire()
    assert [it.second for it in stage.run(60)] == [0.3, pytest.approx(30.65)]


def test_what_a_channel_refuses_is_not_sent_again() -> None:
    stage = Stage(routes=[route(repeat_s=0)])
    stage.answer = lambda draft, now_s: Outcome("refused", "invalid_payload")
    stage.fire()
    assert len(stage.run(10 * HOUR)) == 1


def test_a_dead_channel_is_tried_now_and_then() -> None:
    stage = Stage()
    stage.answer = lambda draft, now_s: Outcome("dead", "no_service")
    stage.fire()
    assert [it.second for it in stage.run(1900)] == [0.3, pytest.approx(900.4), pytest.approx(1800.5)]


def test_a_channel_that_stays_dead_is_held_for_the_reason_that_it_gave_first() -> None:
    stage = Stage()
    answers = iter(["403 request 1", "403 request 2", "403 request 3"])
    stage.answer = lambda draft, now_s: Outcome("dead", next(answers))
    stage.fire()
    stage.run(1900)
    assert stage.world.channels["slack"].held == "403 request 1"


def test_a_dead_channel_that_is_mended_is_told_what_goes_on() -> None:
    stage = Stage()
    stage.hold("slack")
    stage.fire("web-1")
    stage.end(stage.fire("web-2"))
    stage.run(100)
    stage.mend("slack")
    assert told(stage.run(100)) == [(100.0, "slack", "fire web-1")]


def test_the_fallback_is_told_while_a_channel_is_held() -> None:
    stage = Stage(Channel("slack", fallback="mail"), "mail", routes=[route()])
    stage.hold("slack")
    number = stage.fire()
    assert told(stage.run(100)) == [(0.3, "mail", "fire web-1")]
    stage.mend("slack")
    stage.run(100)
    stage.end(number)
    assert {it.channel for it in stage.run(100)} == {"mail", "slack"}


def test_a_channel_that_fails_for_long_is_held() -> None:
    stage = Stage(Channel("slack", fallback="mail"), "mail", routes=[route()])
    stage.answer = lambda draft, now_s: Outcome("again", "no answer") if draft.channel == "slack" else SENT
    stage.fire()
    assert "mail" in {it.channel for it in stage.run(1200)}
    assert stage.world.channels["slack"].held


def test_the_end_of_what_perhaps_arrived_is_told() -> None:
    stage = Stage()
    answers = iter([Outcome("again", "no whole answer", perhaps=True), SENT])
    stage.answer = lambda draft, now_s: next(answers)
    number = stage.fire()
    stage.run(0.7)
    stage.end(number)
    assert [it.said for it in stage.run(100)] == [("resolve web-1",)]


def test_later_messages_follow_up_the_first() -> None:
    stage = Stage()
    stage.answer = lambda draft, now_s: Outcome("sent", "ok", reference={"ts": str(len(stage.sent))})
    one = stage.fire(level=1)
    stage.run(100)
    two = stage.fire("web-2")
    stage.run(100)
    stage.world.routes = [route(group_by="all")]
    stage.become(one, 2)
    stage.become(two, 2)
    stage.run(100)
    references = [stage.world.told[number]["slack"].reference for number in (one, two)]
    assert references == [{"ts": "0"}, {"ts": "1"}]


def test_a_message_that_is_not_there_any_more_is_replaced_by_the_next() -> None:
    stage = Stage()
    stage.answer = lambda draft, now_s: Outcome("sent", "ok", reference={"ts": str(len(stage.sent))})
    number = stage.fire(level=1)
    stage.run(100)
    stage.become(number, 2)
    stage.run(100)
    assert stage.world.told[number]["slack"].reference == {"ts": "1"}


def test_an_answer_that_names_no_message_leaves_the_first_one_known() -> None:
    stage = Stage()
    answers = iter([Outcome("sent", "ok", reference={"ts": "1"}), SENT])
    stage.answer = lambda draft, now_s: next(answers)
    number = stage.fire(level=1)
    stage.run(100)
    stage.become(number, 2)
    stage.run(100)
    assert stage.world.told[number]["slack"].reference == {"ts": "1"}


def test_a_channel_that_asks_for_a_moment_again_and_again_is_not_held() -> None:
    stage = Stage()
    stage.answer = lambda draft, now_s: Outcome("again", "429", 1)
    stage.fire()
    stage.run(600)
    assert len(stage.sent) > 100
    assert not stage.world.channels["slack"].held
