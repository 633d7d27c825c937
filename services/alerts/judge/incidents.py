"""What transitions make of incidents: each begins with a fire and lasts until its end. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from schemas.incidents import Facts, Step, facts_of
from schemas.messages import AlertTransition
from schemas.rules import Rule

IncidentKey = tuple[str, str, str]
"""Host (empty: about Sonde itself), rule id and instance: of these only one incident is open at a time."""

LEVELS = {"warning": 1, "critical": 2}


class OpenIncident(Struct, frozen=True):
    """One that is not over."""

    id: int
    opened_s: float
    facts: Facts


class IncidentRow(Struct):
    """An incident as one transaction leaves it."""

    id: int
    host: str
    rule: str
    instance: str
    opened_s: float
    closed_s: float | None
    level: int
    facts: Facts


def needed(transitions: Sequence[AlertTransition], open: Mapping[IncidentKey, OpenIncident]) -> int:
    """How many incidents `transitions` begin."""
    now = set(open)
    begun = 0
    for transition in transitions:
        key = key_of(transition)
        begun += key not in now
        if transition.kind in ("resolve", "gone"):
            now.discard(key)
        else:
            now.add(key)
    return begun


def advance(
    transitions: Sequence[AlertTransition],
    open: Mapping[IncidentKey, OpenIncident],
    numbers: Sequence[int],
    rules: Mapping[str, Rule],
    tags: Mapping[str, Sequence[str]],
) -> tuple[list[IncidentRow], dict[IncidentKey, OpenIncident | None]]:
    """Every incident that `transitions` change, as it is after them, and what of `open` is different then.

    `numbers` are for new ones, as many as `needed` says. Each transition is told its incident.
    """
    changed: dict[IncidentKey, OpenIncident | None] = {}
    rows: dict[int, IncidentRow] = {}
    left = iter(numbers)
    for transition in transitions:
        key = key_of(transition)
        before = changed[key] if key in changed else open.get(key)
        facts = facts_of(
            transition,
            rules.get(transition.rule),
            list(tags.get(transition.host, ())),
            before.facts if before else None,
        )
        opened_s = before.opened_s if before is not None else transition.time
        number = before.id if before is not None else next(left)
        over = facts.ending is not None
        transition.incident = number
        transition.tags = facts.tags
        changed[key] = None if over else OpenIncident(number, opened_s, facts)
        rows[number] = IncidentRow(
            number,
            transition.host,
            transition.rule,
            transition.instance,
            opened_s,
            transition.time if over else None,
            0 if over else LEVELS[transition.severity],
            facts,
        )
    return list(rows.values()), changed


def key_of(transition: AlertTransition) -> IncidentKey:
    return transition.host, transition.rule, transition.instance


STEP_KINDS = {
    "fire": "fired",
    "escalate": "escalated",
    "deescalate": "deescalated",
    "resolve": "resolved",
    "gone": "gone",
}


def step_of(transition: AlertTransition) -> Step:
    """What its incident's list of steps says of a transition."""
    value = "no value" if transition.value is None else f"{transition.value:g} {transition.unit}".rstrip()
    text = f"{transition.severity}: {transition.metric} {transition.instance}".rstrip()
    text += f" was {value}, threshold {transition.threshold:g} {transition.unit}".rstrip()
    if transition.kind == "fire":
        text += f", since {transition.time - transition.since:g} s"
    return Step(transition.time, STEP_KINDS[transition.kind], text)  # type: ignore[arg-type]
