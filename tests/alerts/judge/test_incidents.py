"""What transitions make of incidents."""

from __future__ import annotations

from schemas.messages import AlertTransition, TransitionKind
from services.alerts.judge.incidents import IncidentKey, IncidentRow, OpenIncident, advance, needed, step_of
from tests.alerts.builders import NOON_MS, rule, transition

AT_S = NOON_MS / 1000


def changes(*kinds: TransitionKind, **fields: object) -> list[AlertTransition]:
    """One a minute."""
    severities = {"escalate": "critical"}
    return [
        transition(kind=kind, severity=severities.get(kind, "warning"), time=AT_S + 60 * number, **fields)
        for number, kind in enumerate(kinds)
    ]


def after(
    transitions: list[AlertTransition], open: dict[IncidentKey, OpenIncident] | None = None
) -> tuple[list[IncidentRow], dict[IncidentKey, OpenIncident | None]]:
    known = open or {}
    numbers = list(range(100, 100 + needed(transitions, known)))
    return advance(transitions, known, numbers, {"busy": rule()}, {"web-1": ["prod"]})


def test_a_fire_opens_an_incident() -> None:
    told = changes("fire")
    (row,), still = after(told)
    assert (row.id, row.level, row.opened_s, row.closed_s) == (100, 1, AT_S, None)
    assert [incident.id for incident in still.values() if incident] == [100]
    assert (told[0].incident, told[0].tags) == (100, ["prod"])


def test_it_lasts_until_it_resolves() -> None:
    fired, risen, fallen, over = changes("fire", "escalate", "deescalate", "resolve")
    (row,), still = after([fired, risen, fallen, over])
    assert (row.id, row.level, row.opened_s, row.closed_s) == (100, 0, AT_S, AT_S + 180)
    assert {told.incident for told in (fired, risen, fallen, over)} == {100}
    assert list(still.values()) == [None]


def test_the_next_fire_opens_another() -> None:
    rows, _ = after(changes("fire", "resolve", "fire"))
    assert [(row.id, row.closed_s is None) for row in rows] == [(100, False), (101, True)]


def test_what_was_open_goes_on() -> None:
    _, still = after(changes("fire"))
    known = {key: incident for key, incident in still.items() if incident}
    (row,), _ = after(changes("escalate"), known)
    assert (row.id, row.level, row.opened_s) == (100, 2, AT_S)


def test_an_end_without_a_beginning_is_an_incident_that_is_over() -> None:
    (row,), still = after(changes("resolve"))
    assert (row.level, row.closed_s) == (0, AT_S)
    assert list(still.values()) == [None]


def test_the_worst_that_it_was_is_kept() -> None:
    (row,), _ = after(changes("fire", "escalate", "deescalate", "resolve"))
    assert (row.facts.severity, row.facts.worst, row.facts.ending) == ("warning", "critical", "resolve")


def test_since_when_is_since_the_condition_began() -> None:
    (row,), _ = after(changes("fire", since=AT_S - 30) + changes("escalate", since=AT_S)[0:])
    assert row.facts.since == AT_S - 30


def test_the_rule_is_kept_as_it_was_when_it_fired() -> None:
    _, still = after(changes("fire"))
    known = {key: incident for key, incident in still.items() if incident}
    (row,), _ = advance(changes("escalate"), known, [], {"busy": rule(name="Renamed")}, {})
    assert row.facts.rule == rule()


def test_hosts_rules_and_instances_have_incidents_of_their_own() -> None:
    rows, _ = after([transition(), transition(host="db-1"), transition(rule="other"), transition(instance="sda")])
    assert [row.id for row in rows] == [100, 101, 102, 103]


def test_a_step_says_what_was_and_how_long_it_held() -> None:
    step = step_of(transition())
    assert (step.kind, step.at) == ("fired", AT_S)
    assert step.text == "warning: cpu.total was 81.5 %, threshold 75 %, since 30 s"


def test_a_step_without_a_value_says_so() -> None:
    assert "no value" in step_of(transition(kind="gone", value=None)).text
