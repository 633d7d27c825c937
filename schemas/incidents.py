"""Incidents: an alert from when it first fires until it is over, with everything that happened to it meanwhile."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from schemas.matching import NO_NUL, TEXT
from schemas.messages import AlertTransition, Severity
from schemas.rules import Rule

Ending = Literal["resolve", "gone"]
"""`gone`: what it was about is no more, or nobody watches it any longer."""

IncidentState = Literal["open", "closed"]


class Acknowledged(Struct, frozen=True):
    """Somebody has seen it: no repeats and no escalation until it changes, or for a time."""

    by: str
    at: float
    """Unix seconds, as `until`."""
    level: int
    """How grave it was then: 1 is a warning, 2 critical. Graver, it counts no more."""
    until: float | None = None
    """Null: until it changes for the worse, or ends."""
    note: str = ""


def is_seen(acknowledged: Acknowledged | None, level: int, unix_s: float) -> bool:
    """Whether an acknowledgement holds for an incident that is as grave as `level` now."""
    seen = acknowledged
    return seen is not None and level <= seen.level and (seen.until is None or unix_s < seen.until)


class Facts(Struct):
    """What is known of an incident; kept as JSON in `incidents.body`, so fields are only ever added."""

    rule_name: str
    metric: str
    unit: str
    severity: Severity
    """Now, or when it ended."""
    worst: Severity
    value: float | None
    threshold: float
    since: float
    """When its condition began, Unix seconds, as all times here."""
    changed: float
    """When it last fired, rose, fell or ended."""
    peak: float | None = None
    peak_time: float | None = None
    ending: Ending | None = None
    tags: list[str] = field(default_factory=list)
    """Of its host when it fired."""
    rule: Rule | None = None
    """As it was when it fired; null where an earlier version did not keep it."""
    flapping: bool = False
    """It came and went so often that it takes longer to be over."""


Note = Annotated[str, Meta(min_length=1, max_length=2000, pattern=NO_NUL, description=TEXT)]


class Step(Struct):
    """One thing that happened to an incident, or was decided about telling of it."""

    at: float
    """Unix seconds."""
    kind: Literal[
        "fired", "escalated", "deescalated", "resolved", "gone", "held", "released", "routed", "sent", "failed",
        "dropped", "acknowledged", "unacknowledged", "noted",
    ]  # fmt: skip
    text: str
    """In words: which rule, silence, route or channel, and why."""
    channel: str = ""
    by: str = ""
    """Who did it; empty: Sonde."""


def facts_of(transition: AlertTransition, rule: Rule | None, tags: list[str], before: Facts | None) -> Facts:
    """What is known of an incident once `transition` has happened to it."""
    worst: Severity = transition.severity
    if before is not None and before.worst == "critical":
        worst = "critical"
    ending: Ending | None = transition.kind if transition.kind in ("resolve", "gone") else None
    return Facts(
        transition.rule_name,
        transition.metric,
        transition.unit,
        transition.severity,
        worst,
        transition.value,
        transition.threshold,
        before.since if before is not None else transition.since,
        transition.time,
        transition.peak,
        transition.peak_time,
        ending,
        tags,
        rule if before is None else before.rule,
        transition.flapping,
    )
