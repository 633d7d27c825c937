"""A notice in words: what every channel says of it. Pure; how a channel lays it out is in the channel's own file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from services.alerts.deliver.formats import counted, format_duration
from services.alerts.deliver.grouping import grouped
from services.alerts.deliver.message import Fact, Line, Link, Message, Timed
from services.alerts.deliver.reading import amount, host_name, is_own, measured, one_line, reading, subject, threshold
from services.alerts.deliver.states import COLORS, GRAVEST_FIRST, MARKS, State, is_over, state
from services.alerts.notice import Extent, Notice, Said

MOST_LINES = 20
"""More incidents than these are told by rule."""
MOST_NOTES = 5
AROUND_S = 600.0
"""How much of the chart is shown before an incident began and after it ended."""

_PAST = "From data that arrived late: this was so then, and says nothing about now."


def message_of(notice: Notice) -> Message:
    """What `notice` says."""
    return _of_one(notice, notice.items[0]) if len(notice.items) == 1 else _of_many(notice)


def chart_url(notice: Notice, said: Said) -> str:
    """The dashboard's charts of the host around the incident; its list of alerts where there is no host."""
    if not notice.dashboard_url:
        return ""
    base = notice.dashboard_url.rstrip("/")
    if not said.host:
        return f"{base}/alerts"
    ended = said.facts.changed if is_over(said) else notice.made
    begin_ms, end_ms = round((said.facts.since - AROUND_S) * 1000), round((ended + AROUND_S) * 1000)
    return f"{base}/hosts/{said.host}?from={max(1, begin_ms)}&to={max(2, end_ms)}"


def _of_one(notice: Notice, said: Said) -> Message:
    facts = said.facts
    headline = f"{MARKS[state(said)]} {_of_what(notice)}{_said_of(said, notice.made)}"
    message = Message(notice.number, notice.form, notice.made, headline, "", COLORS[state(said)])
    message.summary = f"{headline}: {_detail(said)}"
    message.facts = _facts(notice, said)
    message.notes = _notes(notice, [said])
    if url := chart_url(notice, said):
        message.links.append(Link("Charts" if said.host else "Alerts", url))
    if facts.rule is not None and facts.rule.runbook_url:
        message.links.append(Link("Runbook", facts.rule.runbook_url))
    return message


def _of_what(notice: Notice) -> str:
    """Whoever gets it sees no dashboard that would say so."""
    return "Demonstration: " if notice.simulated else ""


def _said_of(said: Said, now_s: float) -> str:
    """State, severity and what it is about."""
    what, severity = subject(said), said.facts.severity
    match said.kind:
        case "fire":
            return f"{severity.capitalize()}: {what}"
        case "escalate":
            return f"Escalated to {severity}: {what}"
        case "deescalate":
            return f"Lowered to {severity}: {what}"
        case "resolve":
            return f"Resolved ({said.facts.worst}): {what}"
        case "gone":
            return f"No longer monitored ({said.facts.worst}): {what}"
        case "repeat":
            return f"Still {severity} after {format_duration(max(0.0, now_s - said.facts.since))}: {what}"
        case "past":
            return f"In the past ({said.facts.worst}): {what}"


def _detail(said: Said) -> Timed:
    """What was measured and since when, ending with a moment."""
    facts = said.facts
    match said.kind:
        case "resolve":
            now = "" if is_own(facts.metric) else f", {reading(said)}"
            return Timed(f"after {_lasted(said)}{now}{_peak(said)}, ended", facts.changed)
        case "gone":
            gone = f"{measured(facts)} is no longer measured or no longer watched"
            return Timed(f"{gone}, after {_lasted(said)}, ended", facts.changed)
        case "past":
            return Timed(f"lasted {_lasted(said)}{_peak(said)}, began", facts.since)
        case _:
            against = f", threshold {threshold(facts)}" if facts.value is not None else ""
            return Timed(f"{reading(said)}{against}, since", facts.since)


def _lasted(said: Said) -> str:
    return format_duration(max(0.0, said.facts.changed - said.facts.since))


def _peak(said: Said) -> str:
    peak = said.facts.peak
    return "" if peak is None else f", peak {amount(said.facts, peak)}"


def _facts(notice: Notice, said: Said) -> list[Fact]:
    """At most ten."""
    facts = said.facts
    over = is_over(said)
    found = [Fact("State", Timed(_state_words(said)))]
    if said.host:
        label = host_name(said)
        found.append(Fact("Host", Timed(label if label == said.host else f"{label} ({said.host})")))
    metric = f"{measured(facts)} {one_line(said.instance)}".rstrip()
    found.append(Fact("Metric", Timed(metric)))
    if facts.value is not None:
        found.append(Fact("Last value" if over else "Value", Timed(amount(facts, facts.value))))
    cleared = said.kind in ("deescalate", "resolve")
    if said.kind != "gone":
        found.append(Fact("Cleared" if cleared else "Threshold", Timed(threshold(facts, cleared))))
    found.append(Fact("Since", Timed("", facts.since)))
    if over:
        found += [Fact("Until", Timed("", facts.changed)), Fact("Duration", Timed(_lasted(said)))]
        if facts.peak is not None:
            words = amount(facts, facts.peak) + (" at" if facts.peak_time is not None else "")
            found.append(Fact("Peak", Timed(words, facts.peak_time)))
    else:
        if extent := notice.extents.get(said.rule):
            found.append(Fact("Firing on", Timed(_of_hosts(extent))))
        if notice.next_reminder is not None:
            found.append(Fact("Next reminder", Timed("", notice.next_reminder)))
    if said.tags:
        found.append(Fact("Tags", Timed(", ".join(one_line(tag) for tag in said.tags))))
    return found


def _state_words(said: Said) -> str:
    facts = said.facts
    if said.kind == "past":
        return f"was {facts.worst}, in the past"
    return f"{state(said)}, was {facts.worst}" if is_over(said) else f"{facts.severity}, firing"


def _of_hosts(extent: Extent) -> str:
    return f"{extent.firing:,} of {counted(extent.hosts, 'host')}"


def _of_many(notice: Notice) -> Message:
    states = Counter(state(said) for said in notice.items)
    gravest = next(name for name in GRAVEST_FIRST if states[name])
    headline = f"{MARKS[gravest]} {_of_what(notice)}{_opening(notice)}{_about(notice.items, states)}"
    message = Message(notice.number, notice.form, notice.made, headline, "", COLORS[gravest])
    if len(notice.items) <= MOST_LINES:
        message.lines = [
            Line(MARKS[state(said)], _brief(said), _detail(said), chart_url(notice, said)) for said in notice.items
        ]
    else:
        message.lines, message.more = grouped(notice, MOST_LINES)
    message.notes = _notes(notice, notice.items)
    message.summary = "; ".join([headline, *(str(line) for line in message.lines[:3])])
    if notice.dashboard_url:
        message.links.append(Link("Alerts", f"{notice.dashboard_url.rstrip('/')}/alerts"))
    runbooks = {said.facts.rule.runbook_url: said for said in notice.items if said.facts.rule is not None}
    message.links += [
        Link(f"Runbook of {one_line(said.facts.rule_name, 60)}", url) for url, said in list(runbooks.items())[:5] if url
    ]
    return message


def _brief(said: Said) -> str:
    return (
        _said_of(said, said.facts.since) if said.kind != "repeat" else f"Still {said.facts.severity}: {subject(said)}"
    )


def _opening(notice: Notice) -> str:
    match notice.form:
        case "storm":
            return "Many alerts at once: "
        case "digest":
            return "While notifications were held: "
        case "reminder":
            return "Still firing: "
        case "past":
            return "In the past: "
        case "alert":
            return ""


def _about(items: list[Said], states: Counter[State]) -> str:
    """What and where it is, and how many are in which state."""
    rules = {said.rule for said in items}
    hosts = {said.host: said for said in items if said.host}
    what = one_line(items[0].facts.rule_name) if len(rules) == 1 else counted(len(items), "alert")
    where = " about Sonde itself"
    if len(hosts) == 1 and all(said.host for said in items):
        where = f" on {host_name(next(iter(hosts.values())))}"
    elif hosts:
        where = f" on {counted(len(hosts), 'host')}"
        if not all(said.host for said in items):
            where += " and about Sonde itself"
    found = [f"{states[name]:,} {name}" for name in GRAVEST_FIRST if states[name] and name != "past"]
    return f"{what}{where}" + (f": {', '.join(found)}" if found else "")


def _notes(notice: Notice, items: list[Said]) -> list[Timed]:
    notes = []
    if any(said.kind == "past" for said in items):
        notes.append(Timed(_PAST))
    if len(items) > 1:
        notes += _extents(notice, items)
        if notice.next_reminder is not None:
            notes.append(Timed("Next reminder:", notice.next_reminder))
    elif items[0].kind in ("resolve", "gone") and (extent := notice.extents.get(items[0].rule)) and extent.firing:
        notes.append(Timed(f"Still firing on {_of_hosts(extent)}."))
    seen = sorted({one_line(said.acknowledged_by) for said in items if said.acknowledged_by})
    if seen:
        notes.append(Timed(f"Acknowledged by {', '.join(seen[:3])}."))
    if any(said.facts.flapping for said in items):
        notes.append(Timed("Comes and goes often, so it has to stay away longer before it counts as over."))
    return notes


def _extents(notice: Notice, items: Iterable[Said]) -> list[Timed]:
    names = {said.rule: said.facts.rule_name for said in items if said.rule in notice.extents}
    return [
        Timed(f"{one_line(name)} fires on {_of_hosts(notice.extents[rule])}.")
        for rule, name in list(names.items())[:MOST_NOTES]
    ]
