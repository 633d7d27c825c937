"""What the service remembers between messages, and what one transaction changes of it. Pure."""

from __future__ import annotations

from msgspec import Struct

from infra.bus.ordered import Position
from infra.storage.positions import MarkKey
from schemas.messages import AlertTransition
from schemas.rulechecks import measured
from services.alerts.judge.evaluate import Key, Looking
from services.alerts.judge.incidents import IncidentKey, OpenIncident
from services.alerts.judge.machine import SEVERITIES, State, gone
from services.alerts.judge.ruleset import RuleSet


class Row(Struct):
    """The body of an `alert_states` row: for readers the same fields as a transition, for us the machine's state."""

    rule_name: str
    metric: str
    unit: str
    severity: str
    """Active or pending severity."""
    value: float | None
    threshold: float
    since: float
    """Unix seconds at which it fired, or at which the pending condition began."""
    peak: float | None
    machine: State


class RulesInForce(Struct):
    """The rules in force."""

    set: RuleSet
    bodies: dict[str, str]
    """Rule id -> JSON as it is in the table."""
    unreadable: frozenset[str]
    """Rules that this version cannot decode: their states are left alone."""


class Subject(Struct):
    """What a state was judged by when its rule was last known."""

    rule_name: str
    metric: str


class Part(Struct, frozen=True):
    """Which alerts a loop owns."""

    past: bool = False
    """Those found in samples that came late."""
    about_sonde: bool = False
    """Those without a host."""


class Memory(Struct):
    """Everything that a restart reads back, but for `looking`, which fills from the stream again."""

    part: Part
    states: dict[str, dict[Key, State]]
    """By host."""
    subjects: dict[str, Subject]
    """By rule id."""
    open: dict[IncidentKey, OpenIncident] = {}
    generation: int = 0
    """Of hosts, as of when this was read: another one means that some were removed."""
    hosts: dict[str, int] = {}
    """Ids of the hosts that the states are of, and of those heard since."""
    tags: dict[str, frozenset[str]] = {}
    booted_s: dict[str, float] = {}
    """When hosts booted, Unix seconds, where that is known."""
    interval_s: dict[str, float] = {}
    """The longer of the intervals that hosts say they keep, for their samples and for their batches."""
    announced: dict[str, tuple[float, float]] = {}
    """Of both what hosts have said themselves and is not in their table yet."""
    looking: dict[str, Looking] = {}
    """By host."""
    earlier: dict[str, Looking] = {}
    """Likewise, while it is read again: what was judged before the restart."""


class Advance(Struct):
    """What one transaction makes true."""

    changed: dict[str, dict[Key, State | None]] = {}
    """New states by host; None: forgotten."""
    transitions: list[AlertTransition] = []
    marks: dict[MarkKey, int] = {}
    forgotten_marks: list[MarkKey] = []
    stream: str = ""
    position: Position | None = None
    """In `stream`."""


def orphans(memory: Memory, rules: RulesInForce, now_ms: int) -> Advance:
    """The end of all states that no rule stands for now: deleted, disabled, senseless, or about something else."""
    advance = Advance()
    for host, states in memory.states.items():
        for (rule_id, instance), state in states.items():
            subject = memory.subjects[rule_id]
            check = rules.set.check(host, rule_id, instance)
            if rule_id in rules.unreadable or (check is not None and check.rule.metric == subject.metric):
                continue
            advance.changed.setdefault(host, {})[rule_id, instance] = None
            transition = ended(subject, (host, rule_id, instance), state, max(now_ms, state.last_ms), memory.part)
            if transition is not None:
                advance.transitions.append(transition)
    return advance


def ended(
    subject: Subject, alert: tuple[str, str, str], state: State, at_ms: int, part: Part
) -> AlertTransition | None:
    """That `alert`, of a host, a rule and an instance, is no more at `at_ms`; None if it never fired."""
    change = gone(state, at_ms)
    if change is None:
        return None
    host, rule_id, instance = alert
    return AlertTransition(
        id=0,
        time=change.time_ms / 1000,
        kind="gone",
        host=host,
        rule=rule_id,
        rule_name=subject.rule_name,
        metric=subject.metric,
        instance=instance,
        severity=change.severity,
        value=None,
        unit=unit_of(subject.metric),
        threshold=change.threshold,
        since=change.since_ms / 1000,
        peak=change.peak,
        peak_time=change.peak_ms / 1000 if change.peak_ms else None,
        past=part.past,
    )


def unit_of(metric: str) -> str:
    """Unit of a rule's metric; empty for one that this version does not know."""
    try:
        return measured(metric).unit
    except KeyError:
        return ""


def adopt_rules(memory: Memory, rules: RulesInForce) -> None:
    """Remember what the states are judged by from now on."""
    for rule_id, rule in rules.set.rules.items():
        memory.subjects[rule_id] = Subject(rule.name, rule.metric)


def remember(memory: Memory, changed: dict[str, dict[Key, State | None]]) -> None:
    """Put new states into `memory`."""
    for host, states in changed.items():
        mine = memory.states.setdefault(host, {})
        for key, state in states.items():
            if state is None:
                mine.pop(key, None)
            else:
                mine[key] = state
        if not mine:
            del memory.states[host]


def row_of(subject: Subject, state: State) -> Row:
    """What readers of `alert_states` see."""
    return Row(
        subject.rule_name,
        subject.metric,
        unit_of(subject.metric),
        SEVERITIES[state.shown_level],
        state.value,
        state.threshold,
        (state.since_ms or state.clocks[0]) / 1000,
        state.peak,
        state,
    )
