"""Who is told of an incident, what keeps them from it, and the reasons in words."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from schemas.matching import Matcher
from schemas.routes import EVERYTHING, Escalation, Hours, Route, Silence, Span
from schemas.rules import default_rules
from services.alerts.notify.decide import decide, is_acknowledged, moment
from services.alerts.notify.world import Channel, Decision
from tests.alerts.notify.stage import NOON_S, Stage, nights, told

DOWN = next(it for it in default_rules() if it.id == "host-down")
BLIND = next(it for it in default_rules() if it.id == "blind")
HOUR = 3600.0


def route(id: str = "all", **changes: Any) -> Route:
    """To Slack."""
    return msgspec.structs.replace(Route(id, id, ["slack"]), **changes)


def decided(stage: Stage, number: int) -> Decision:
    return decide(moment(stage.world, stage.now_s), stage.world.incidents[number])


def held_by(stage: Stage, number: int) -> str:
    """What holds for everybody; empty: nothing."""
    hold = decided(stage, number).hold
    return hold.reason if hold is not None else ""


def destinations(stage: Stage, number: int) -> list[str]:
    return sorted(decided(stage, number).destinations)


def test_the_first_route_that_fits_is_taken() -> None:
    stage = Stage("slack", "mail", routes=[route("one", position=1), route("two", position=2, channels=["mail"])])
    assert destinations(stage, stage.fire()) == ["slack"]


def test_a_route_may_let_later_ones_have_it_too() -> None:
    stage = Stage(
        "slack", "mail", routes=[route("one", position=1, further=True), route("two", position=2, channels=["mail"])]
    )
    assert destinations(stage, stage.fire()) == ["mail", "slack"]


def test_a_route_is_taken_by_tags() -> None:
    stage = Stage("slack", "mail", routes=[route(match=Matcher(tags=["db"])), route("rest", channels=["mail"])])
    assert destinations(stage, stage.fire(tags=frozenset({"db"}))) == ["slack"]
    assert destinations(stage, stage.fire("web-2")) == ["mail"]


def test_a_route_is_taken_by_severity() -> None:
    routes = [route(match=Matcher(severity="critical")), route("rest", channels=["mail"])]
    stage = Stage("slack", "mail", routes=routes)
    assert destinations(stage, stage.fire(level=2)) == ["slack"]
    assert destinations(stage, stage.fire("web-2", level=1)) == ["mail"]


def test_a_route_that_is_off_takes_nothing() -> None:
    stage = Stage("slack", "mail", routes=[route(enabled=False), route("rest", channels=["mail"])])
    assert destinations(stage, stage.fire()) == ["mail"]


def test_what_no_route_takes_goes_to_every_channel() -> None:
    stage = Stage("slack", "mail", routes=[route(match=Matcher(hosts=["db-*"]))])
    assert destinations(stage, stage.fire()) == ["mail", "slack"]


def test_a_stored_route_called_everything_replaces_that() -> None:
    routes = [route(match=Matcher(hosts=["db-*"])), route(EVERYTHING, match=Matcher(hosts=["x"]), position=10_000)]
    stage = Stage("slack", "mail", routes=routes)
    assert destinations(stage, stage.fire()) == []


def test_a_route_without_channels_tells_nobody() -> None:
    stage = Stage(routes=[route(channels=[])])
    assert destinations(stage, stage.fire()) == []


def test_the_steps_say_why_a_route_does_not_fit() -> None:
    stage = Stage("slack", "mail", routes=[route(match=Matcher(hosts=["db-*"])), route("rest")])
    steps = decided(stage, stage.fire()).steps
    assert steps == ["route all does not fit: host web-1 is not db-*", "route rest fits"]


def test_the_steps_name_a_channel_that_is_not_there() -> None:
    stage = Stage(routes=[route(channels=["slack", "fax"])])
    assert "route all names channel fax, which is not there" in decided(stage, stage.fire()).steps


def test_a_silence_holds_what_it_matches() -> None:
    stage = Stage()
    stage.silence(Silence(Matcher(hosts=["web-1"]), NOON_S, NOON_S + HOUR))
    assert held_by(stage, stage.fire()) == "silence"
    assert held_by(stage, stage.fire("web-2")) == ""


def test_a_silence_holds_from_its_beginning_until_its_end() -> None:
    stage = Stage()
    stage.silence(Silence(Matcher(), NOON_S + 10, NOON_S + 20))
    number = stage.fire()
    found = []
    for at_s in (9, 10, 19, 20):
        stage.now_s = NOON_S + at_s
        found.append(held_by(stage, number))
    assert found == ["", "silence", "silence", ""]


def test_the_steps_name_the_silence_and_its_reason() -> None:
    stage = Stage()
    number = stage.silence(Silence(Matcher(), NOON_S, NOON_S + HOUR, "moving house"))
    assert decided(stage, stage.fire()).steps[0] == f"held: silence {number} (moving house)"


def test_a_muted_host_holds_its_alerts() -> None:
    stage = Stage()
    stage.world.muted_until["web-1"] = NOON_S + HOUR
    assert held_by(stage, stage.fire()) == "muted"
    assert held_by(stage, stage.fire("web-2")) == ""


def test_a_host_that_is_muted_for_ever_stays_so() -> None:
    stage = Stage()
    stage.world.muted_until["web-1"] = float("inf")
    stage.fire()
    assert stage.run(1000 * HOUR) == []


def test_nothing_is_told_while_old_messages_are_judged() -> None:
    stage = Stage()
    stage.world.catching_up_s = NOON_S + 60
    assert held_by(stage, stage.fire()) == "catching up"


def test_a_host_that_is_down_holds_its_other_alerts() -> None:
    stage = Stage()
    down = stage.fire(rule=DOWN, level=2)
    assert held_by(stage, stage.fire()) == "inhibited"
    assert held_by(stage, stage.fire("web-2")) == ""
    assert held_by(stage, down) == ""


def test_a_host_that_was_down_in_the_past_holds_nothing() -> None:
    stage = Stage()
    stage.fire(rule=DOWN, level=2, past=True)
    assert held_by(stage, stage.fire()) == ""


def test_being_blind_holds_that_hosts_are_down_and_nothing_else() -> None:
    stage = Stage()
    blind = stage.fire("", rule=BLIND, level=2)
    assert held_by(stage, stage.fire(rule=DOWN, level=2)) == "inhibited"
    assert held_by(stage, stage.fire("web-2")) == ""
    assert held_by(stage, blind) == ""


def test_hours_hold_for_their_route_alone() -> None:
    stage = Stage("slack", "mail", routes=[route(hours=nights(), further=True), route("rest", channels=["mail"])])
    stage.run(11 * HOUR)
    stage.fire()
    assert {it.channel for it in stage.run(60)} == {"mail"}


def test_what_is_critical_may_pass_through_quiet_hours() -> None:
    stage = Stage(routes=[route(hours=nights(critical_passes=True))])
    stage.run(11 * HOUR)
    number = stage.fire(level=1)
    assert stage.run(60) == []
    stage.become(number, 2)
    assert [it.said for it in stage.run(60)] == [("fire web-1",)]


def test_working_hours_hold_what_happens_outside_of_them() -> None:
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = ["mon", "tue", "wed", "thu", "fri"]
    stage = Stage(routes=[route(hours=Hours([Span(days, "09:00", "17:00")], "working"))])
    stage.run(6 * HOUR)
    stage.fire()
    assert told(stage.run(24 * HOUR)) == [
        (21 * HOUR, "slack", "fire web-1"),
        (25 * HOUR + 0.1, "slack", "repeat web-1"),
    ]


def escalating(after_s: float = 600, **changes: Any) -> Stage:
    """Slack first, then the boss."""
    escalation = Escalation(after_s, ["boss"], **changes)
    return Stage("slack", "boss", routes=[route(escalation=escalation, repeat_s=0)])


def test_others_are_told_when_nobody_acknowledges() -> None:
    stage = escalating()
    stage.fire()
    assert told(stage.run(HOUR)) == [(0.3, "slack", "fire web-1"), (600.4, "boss", "fire web-1")]


def test_who_acknowledges_in_time_stops_the_escalation() -> None:
    stage = escalating()
    number = stage.fire()
    stage.run(300)
    stage.acknowledge(number)
    assert {it.channel for it in stage.run(HOUR)} == set()


def test_what_is_over_before_it_escalates_does_not() -> None:
    stage = escalating()
    number = stage.fire()
    stage.run(300)
    stage.end(number)
    assert {it.channel for it in stage.run(HOUR)} == {"slack"}


def test_whom_it_was_escalated_to_is_told_of_the_end() -> None:
    stage = escalating()
    number = stage.fire()
    stage.run(900)
    stage.end(number)
    assert {it.channel for it in stage.run(HOUR)} == {"slack", "boss"}


def test_only_what_is_critical_may_escalate() -> None:
    stage = escalating(critical_only=True)
    number = stage.fire(level=1)
    stage.run(HOUR)
    assert {it.channel for it in stage.sent} == {"slack"}
    stage.become(number, 2)
    assert told(stage.run(HOUR)) == [(3600.3, "slack", "escalate web-1"), (4200.0, "boss", "fire web-1")]


def test_an_escalation_counts_from_when_somebody_was_told() -> None:
    stage = escalating()
    stage.silence(Silence(Matcher(), NOON_S, NOON_S + HOUR))
    stage.fire()
    assert told(stage.run(2 * HOUR)) == [(3600.0, "slack", "fire web-1"), (4200.1, "boss", "fire web-1")]


def test_where_nobody_can_be_told_the_escalation_does_not_wait_for_it() -> None:
    stage = escalating()
    stage.hold("slack")
    stage.fire()
    assert told(stage.run(700)) == [(600.0, "boss", "fire web-1")]


def test_a_fallback_that_is_held_too_has_its_own() -> None:
    stage = Stage(Channel("slack", fallback="mail"), Channel("mail", fallback="fax"), "fax", routes=[route()])
    stage.hold("slack")
    stage.hold("mail")
    stage.fire()
    assert {it.channel for it in stage.run(60)} == {"fax"}


def test_fallbacks_that_lead_in_a_circle_end() -> None:
    stage = Stage(Channel("slack", fallback="mail"), Channel("mail", fallback="slack"), routes=[route()])
    stage.hold("slack")
    stage.hold("mail")
    stage.fire()
    assert stage.run(60) == []


def test_an_acknowledgement_counts_until_it_gets_graver() -> None:
    stage = Stage()
    number = stage.fire()
    stage.acknowledge(number, level=1)
    assert is_acknowledged(stage.world.incidents[number], stage.now_s)
    stage.become(number, 2)
    assert not is_acknowledged(stage.world.incidents[number], stage.now_s)


def test_an_acknowledgement_for_a_time_ends_with_it() -> None:
    stage = Stage()
    number = stage.fire()
    stage.acknowledge(number, for_s=60)
    assert is_acknowledged(stage.world.incidents[number], stage.now_s + 59)
    assert not is_acknowledged(stage.world.incidents[number], stage.now_s + 60)
