from __future__ import annotations

import pytest

from schemas.rules import Rule
from services.alerts.judge.machine import State
from services.alerts.judge.memory import Memory, Part, RulesInForce, Subject, orphans, row_of
from services.alerts.judge.ruleset import RuleSet
from tests.alerts.builders import NOON_MS, play, rule, steady

FIRING, _ = play(rule(), steady(80, 0, 30))
PENDING, _ = play(rule(), {0: 80})


def remembered(state: State = FIRING, instance: str = "") -> Memory:
    return Memory(Part(), {"web-1": {("busy", instance): state}}, {"busy": Subject("CPU busy", "cpu.total")})


def in_force(*rules: Rule, unreadable: str = "") -> RulesInForce:
    return RulesInForce(RuleSet(rules), {}, frozenset([unreadable]))


def test_a_rule_in_force_keeps_its_states() -> None:
    assert orphans(remembered(), in_force(rule(for_s=99)), NOON_MS).changed == {}


@pytest.mark.parametrize(
    "rules",
    [
        in_force(),
        in_force(rule(enabled=False)),
        in_force(rule(metric="cpu.user")),
        in_force(rule(host="db-1")),
    ],
    ids=["deleted", "disabled", "other metric", "other host"],
)
def test_states_without_their_rule_end_as_gone(rules: RulesInForce) -> None:
    advance = orphans(remembered(), rules, NOON_MS + 99_000)
    assert advance.changed == {"web-1": {("busy", ""): None}}
    (gone,) = advance.transitions
    assert (gone.kind, gone.rule_name, gone.metric, gone.unit) == ("gone", "CPU busy", "cpu.total", "%")
    assert gone.time == NOON_MS / 1000 + 99


def test_states_of_an_instance_that_the_rule_no_longer_covers_end_as_gone() -> None:
    memory = Memory(Part(), {"web-1": {("busy", "sda"): FIRING}}, {"busy": Subject("Disk busy", "disk.busy")})
    advance = orphans(memory, in_force(rule(metric="disk.busy", instance="sdb")), NOON_MS)
    assert advance.changed == {"web-1": {("busy", "sda"): None}}
    assert [(gone.kind, gone.instance) for gone in advance.transitions] == [("gone", "sda")]


def test_a_pending_state_without_its_rule_ends_in_silence() -> None:
    advance = orphans(remembered(PENDING), in_force(), NOON_MS)
    assert advance.changed == {"web-1": {("busy", ""): None}}
    assert advance.transitions == []


def test_states_of_a_rule_that_cannot_be_read_are_left_alone() -> None:
    assert orphans(remembered(), in_force(unreadable="busy"), NOON_MS).changed == {}


def test_a_row_tells_readers_what_fires_since_when() -> None:
    row = row_of(Subject("CPU busy", "cpu.total"), FIRING)
    assert (row.severity, row.value, row.unit, row.threshold) == ("warning", 80, "%", 75)
    assert row.since == NOON_MS / 1000 + 30


def test_a_pending_row_tells_since_when_the_condition_holds() -> None:
    assert row_of(Subject("CPU busy", "cpu.total"), PENDING).since == NOON_MS / 1000


@pytest.mark.parametrize(("value", "severity", "threshold"), [(80, "warning", 75), (95, "critical", 90)])
def test_a_pending_row_tells_the_threshold_of_its_severity(value: float, severity: str, threshold: float) -> None:
    row = row_of(Subject("CPU busy", "cpu.total"), play(rule(), {0: value})[0])
    assert (row.severity, row.threshold) == (severity, threshold)
