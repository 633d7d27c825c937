"""Builders of rules, limits, states and transitions for the alert tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from schemas.messages import AlertTransition
from schemas.rulechecks import check_rule
from schemas.rules import Rule, Threshold
from services.alerts.judge.machine import OK, Change, State, limits_of, step

NOON_MS = 1_790_000_000_000
"""Some sample time."""

BUSY = Rule(
    "busy",
    "CPU busy",
    "cpu.total",
    warning=Threshold(75, 65),
    critical=Threshold(90, 80),
    for_s=30,
    recover_for_s=20,
)


def rule(**changes: Any) -> Rule:
    """`BUSY` with changes: 75/65 warning, 90/80 critical, for 30 s, recovering for 20 s."""
    changed = replace(BUSY, **changes)
    check_rule(changed)
    return changed


def play(
    judged: Rule,
    values: Mapping[Any, float | None] | Iterable[tuple[float, float | None]],
    state: State = OK,
) -> tuple[State, list[Change]]:
    """The state and all changes after `values`, second -> value, were sampled from noon on."""
    limits = limits_of(judged)
    changes = []
    for second, value in values.items() if isinstance(values, Mapping) else values:
        state, change = step(limits, state, value, NOON_MS + round(second * 1000))
        if change is not None:
            changes.append(change)
    return state, changes


def steady(value: float | None, first_s: int, last_s: int, every_s: int = 10) -> dict[float, float | None]:
    """`value` at every so many seconds, both ends included."""
    return dict.fromkeys(range(first_s, last_s + 1, every_s), value)


def told(changes: Iterable[Change]) -> list[tuple[str, str, float]]:
    """Kind, severity and second after noon of each change."""
    return [(change.kind, change.severity, (change.time_ms - NOON_MS) / 1000) for change in changes]


def transition(**changes: Any) -> AlertTransition:
    """A warning of `BUSY` on web-1 that has just fired."""
    at_s = NOON_MS / 1000
    fired = AlertTransition(
        id=7,
        time=at_s,
        kind="fire",
        host="web-1",
        rule="busy",
        rule_name="CPU busy",
        metric="cpu.total",
        instance="",
        severity="warning",
        value=81.5,
        unit="%",
        threshold=75,
        since=at_s - 30,
        peak=81.5,
        peak_time=at_s,
    )
    return replace(fired, **changes)
