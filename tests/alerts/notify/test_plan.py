"""What is sent when: groups, waits, repeats, storms, digests and endings."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.matching import Matcher
from schemas.routes import Route, Silence
from schemas.rules import Threshold, default_rules
from services.alerts.notice import Outcome
from tests.alerts.builders import rule
from tests.alerts.notify.stage import NOON_S, Stage, nights, told

MEMORY = rule(id="memory", metric="memory.used_percent")
DOWN = next(it for it in default_rules() if it.id == "host-down")
BLIND = next(it for it in default_rules() if it.id == "blind")
HOUR = 3600.0


def route(**changes: Any) -> Route:
    """Everything to Slack."""
    return msgspec.structs.replace(Route("all", "All", ["slack"]), **changes)


def test_a_fire_is_told_once_the_group_has_waited() -> None:
    stage = Stage()
    stage.fire()
    assert told(stage.run(60)) == [(0.3, "slack", "fire web-1")]


def test_nothing_new_is_told_when_nothing_changes() -> None:
    stage = Stage()
    stage.fire()
    stage.run(60)
    assert stage.run(3 * HOUR) == []


def test_every_channel_is_told_when_there_are_no_routes() -> None:
    stage = Stage("mail", "slack")
    stage.fire()
    assert {it.channel for it in stage.run(1)} == {"mail", "slack"}


def test_what_happens_to_one_host_at_the_same_time_is_one_message() -> None:
    stage = Stage()
    stage.fire()
    stage.run(0.2)
    stage.fire(rule=MEMORY)
    assert told(stage.run(60)) == [(0.3, "slack", "fire web-1, fire web-1 memory")]


def test_groups_by_rule_put_hosts_together() -> None:
    stage = Stage(routes=[route(group_by="rule")])
    stage.fire("web-1")
    stage.fire("web-2")
    stage.fire("web-1", rule=MEMORY)
    assert [it.said for it in stage.run(60)] == [("fire web-1", "fire web-2"), ("fire web-1 memory",)]


def test_groups_of_all_put_everything_together() -> None:
    stage = Stage(routes=[route(group_by="all")])
    stage.fire("web-1")
    stage.fire("web-2", rule=MEMORY)
    assert len(stage.run(60)) == 1


def test_groups_by_host_and_rule_keep_rules_apart() -> None:
    stage = Stage(routes=[route(group_by="host and rule")])
    stage.fire()
    stage.fire(rule=MEMORY)
    assert [it.said for it in stage.run(60)] == [("fire web-1",), ("fire web-1 memory",)]


def test_channels_are_sent_one_message_a_second() -> None:
    stage = Stage()
    for number in range(4):
        stage.fire(f"web-{number}")
    assert [it.second for it in stage.run(60)] == [0.3, 1.4, 2.5, 3.6]


def test_what_is_critical_goes_first() -> None:
    stage = Stage()
    stage.fire("web-1")
    stage.fire("web-2", level=2)
    assert [it.said for it in stage.run(60)] == [("fire web-2",), ("fire web-1",)]


def test_further_news_of_a_group_waits_for_its_interval() -> None:
    stage = Stage()
    stage.fire()
    stage.run(10)
    stage.fire(rule=MEMORY)
    assert told(stage.run(100)) == [(60.4, "slack", "fire web-1 memory")]


def test_what_is_graver_than_what_was_told_does_not_wait() -> None:
    stage = Stage()
    number = stage.fire()
    stage.run(10)
    stage.become(number, 2)
    assert told(stage.run(100)) == [(10.3, "slack", "escalate web-1")]


def test_what_is_less_grave_is_told_too() -> None:
    stage = Stage()
    number = stage.fire(level=2)
    stage.run(100)
    stage.become(number, 1)
    assert told(stage.run(100)) == [(100.3, "slack", "deescalate web-1")]


def test_what_rises_and_falls_back_before_it_is_told_is_no_news() -> None:
    stage = Stage()
    number = stage.fire()
    stage.run(10)
    stage.become(number, 2)
    stage.become(number, 1)
    assert stage.run(1000) == []


def test_an_end_is_told_to_whom_the_fire_was() -> None:
    stage = Stage()
    number = stage.fire()
    stage.run(100)
    stage.end(number)
    assert told(stage.run(100)) == [(100.3, "slack", "resolve web-1")]
    assert not stage.world.incidents


def test_an_end_that_nobody_was_told_the_fire_of_is_not_told() -> None:
    stage = Stage()
    number = stage.fire()
    stage.end(number)
    assert stage.run(100) == []
    assert not stage.world.incidents


def test_what_is_gone_is_told_as_gone() -> None:
    stage = Stage()
    number = stage.fire()
    stage.run(100)
    stage.end(number, ending="gone")
    assert told(stage.run(100)) == [(100.3, "slack", "gone web-1")]


def test_a_route_without_endings_settles_them() -> None:
    stage = Stage(routes=[route(send_resolved=False)])
    number = stage.fire()
    stage.run(100)
    stage.end(number)
    assert stage.run(100) == []
    assert not stage.world.incidents


def test_an_end_is_told_although_the_routes_lead_elsewhere_now() -> None:
    stage = Stage("slack", "mail", routes=[route()])
    number = stage.fire()
    stage.run(100)
    stage.world.routes = [route(channels=["mail"])]
    stage.run(10)
    stage.end(number)
    assert {it.channel for it in stage.run(100)} == {"slack", "mail"}


def test_an_end_that_could_not_be_told_for_a_day_is_dropped() -> None:
    stage = Stage()
    number = stage.fire()
    stage.run(100)
    stage.hold("slack")
    stage.answer = lambda draft, now_s: Outcome("dead", "no_service")
    stage.end(number)
    stage.run(25 * HOUR)
    assert not stage.world.incidents


def test_expiry_counts_from_the_end_and_not_from_when_it_was_noticed() -> None:
    stage = Stage()
    number = stage.fire()
    stage.run(100)
    stage.end(number)
    facts = msgspec.structs.replace(stage.world.incidents[number].facts, changed=stage.now_s - 25 * HOUR)
    stage.change(number, facts=facts)
    assert stage.run(100) == []


def test_the_end_on_a_channel_that_was_removed_is_settled() -> None:
    stage = Stage("slack", "mail")
    number = stage.fire()
    stage.run(100)
    del stage.world.channels["mail"]
    stage.end(number)
    assert {it.channel for it in stage.run(100)} == {"slack"}
    assert not stage.world.incidents


def test_people_are_reminded_of_what_goes_on() -> None:
    stage = Stage(routes=[route(repeat_s=HOUR)])
    stage.fire()
    stage.run(10)
    assert [(it.second, it.form) for it in stage.run(2 * HOUR)] == [(3600.4, "reminder"), (7200.5, "reminder")]


def test_a_route_may_never_remind() -> None:
    stage = Stage(routes=[route(repeat_s=0)])
    stage.fire()
    stage.run(10)
    assert stage.run(100 * HOUR) == []


def test_what_is_acknowledged_is_not_repeated() -> None:
    stage = Stage(routes=[route(repeat_s=HOUR)])
    number = stage.fire()
    stage.run(10)
    stage.acknowledge(number)
    assert stage.run(10 * HOUR) == []


def test_what_was_acknowledged_for_a_time_is_repeated_after_it() -> None:
    stage = Stage(routes=[route(repeat_s=HOUR)])
    number = stage.fire()
    stage.run(10)
    stage.acknowledge(number, for_s=5 * HOUR)
    assert [it.second for it in stage.run(5.5 * HOUR)] == [5 * HOUR + 10]


def test_what_gets_graver_than_it_was_acknowledged_is_told_and_repeated() -> None:
    stage = Stage(routes=[route(repeat_s=HOUR)])
    number = stage.fire()
    stage.run(10)
    stage.acknowledge(number, level=1)
    stage.become(number, 2)
    assert [it.said for it in stage.run(1.5 * HOUR)] == [("escalate web-1",), ("repeat web-1",)]


def test_the_message_says_when_the_next_reminder_comes() -> None:
    stage = Stage(routes=[route(repeat_s=HOUR)])
    stage.fire()
    stage.run(0.2)
    stage.run(0.1)
    assert stage.last.drafts[0].next_reminder_s == stage.now_s + HOUR


def test_alerts_of_a_host_that_is_down_are_held() -> None:
    stage = Stage()
    stage.fire(rule=DOWN, level=2)
    stage.fire(level=2)
    assert told(stage.run(100)) == [(0.3, "slack", "fire web-1 host-down")]


def test_a_host_that_is_back_is_judged_before_it_is_announced() -> None:
    stage = Stage()
    down = stage.fire(rule=DOWN, level=2)
    busy = stage.fire()
    stage.run(100)
    stage.end(down)
    stage.run(1)
    stage.end(busy)
    stage.fire(rule=MEMORY)
    assert told(stage.run(100)) == [(103.0, "slack", "resolve web-1 host-down, fire web-1 memory")]


def test_no_host_is_called_down_while_monitoring_is_blind() -> None:
    stage = Stage()
    blind = stage.fire("", level=2, rule=BLIND)
    down = [stage.fire(f"web-{number}", level=2, rule=DOWN) for number in range(50)]
    assert told(stage.run(100)) == [(0.3, "slack", "fire  blind")]
    stage.end(blind, *down)
    assert told(stage.run(100)) == [(100.3, "slack", "resolve  blind")]


def test_after_a_silence_what_still_fires_is_told() -> None:
    stage = Stage()
    stage.silence(Silence(Matcher(hosts=["web-*"]), NOON_S, NOON_S + HOUR))
    stage.fire()
    over = stage.fire("web-2")
    stage.run(60)
    stage.end(over)
    assert told(stage.run(2 * HOUR)) == [(3600.0, "slack", "fire web-1")]


def test_after_quiet_hours_one_digest_tells_what_was_held() -> None:
    stage = Stage(routes=[route(hours=nights(), repeat_s=0)])
    stage.run(11 * HOUR)
    one, two, three = (stage.fire(f"web-{number}") for number in (1, 2, 3))
    stage.run(60)
    stage.end(two)
    sent = stage.run(10 * HOUR)
    assert [(it.second, it.form, it.said) for it in sent] == [(19 * HOUR, "digest", ("fire web-1", "fire web-3"))]
    assert one
    assert three


def test_reminders_that_fell_into_quiet_hours_are_part_of_the_digest() -> None:
    stage = Stage(routes=[route(hours=nights(), repeat_s=4 * HOUR)])
    stage.run(8 * HOUR)
    stage.fire("web-1")
    stage.run(4 * HOUR)
    stage.fire("web-2")
    sent = stage.run(8 * HOUR)
    assert [(it.form, it.said) for it in sent] == [("digest", ("repeat web-1", "fire web-2"))]


def test_one_group_held_by_quiet_hours_is_an_ordinary_message() -> None:
    stage = Stage(routes=[route(hours=nights())])
    stage.run(11 * HOUR)
    stage.fire()
    assert [(it.second, it.form) for it in stage.run(9 * HOUR)] == [(19 * HOUR, "alert")]


def test_the_past_is_told_in_one_once_it_is_complete() -> None:
    stage = Stage()
    for number in range(3):
        past = stage.fire(f"web-{number}", past=True)
        stage.end(past)
        stage.run(10)
    sent = stage.run(600)
    assert [(it.second, it.form, len(it.said)) for it in sent] == [(50.0, "past", 3)]
    assert not stage.world.incidents


def test_the_past_that_is_not_over_is_not_told_yet() -> None:
    stage = Stage()
    stage.fire(past=True)
    assert stage.run(600) == []


def test_a_route_may_not_tell_of_the_past() -> None:
    stage = Stage(routes=[route(tell_past=False)])
    stage.end(stage.fire(past=True))
    assert stage.run(600) == []
    assert not stage.world.incidents


def test_a_restart_during_a_message_tells_it_anew() -> None:
    stage = Stage()
    stage.fire()
    stage.run(0.3)
    stage.restart()
    assert [it.said for it in stage.run(100)] == [("fire web-1",)]


def test_a_clock_that_was_set_back_delays_nothing() -> None:
    stage = Stage(routes=[route(hours=nights(), repeat_s=HOUR)])
    stage.run(9 * HOUR)
    stage.fire("web-1")
    stage.run(60)
    stage.world.ahead_s = 3600.0
    stage.run(10)
    stage.fire("web-2")
    assert told(stage.run(HOUR)) == [
        (9 * HOUR + 70.3, "slack", "fire web-2"),
        (10 * HOUR + 0.4, "slack", "repeat web-1"),
    ]


def test_quiet_hours_go_by_the_clock_that_was_set() -> None:
    stage = Stage(routes=[route(hours=nights())])
    stage.run(9.5 * HOUR)
    stage.world.ahead_s = -3600.0
    stage.fire()
    assert stage.run(60) == []


def test_a_threshold_rule_of_another_kind_is_grouped_alike() -> None:
    disk = rule(id="disk", metric="filesystem.used_percent", warning=Threshold(85, 80))
    stage = Stage()
    stage.fire(rule=disk, instance="/")
    stage.fire(rule=disk, instance="/var")
    assert [it.said for it in stage.run(10)] == [("fire web-1 disk /", "fire web-1 disk /var")]
