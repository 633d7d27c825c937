"""What was measured of an incident, against what, in words. Pure."""

from __future__ import annotations

from schemas.catalogue import metric_named
from schemas.incidents import Facts
from schemas.rules import Rule
from schemas.virtual import (
    CHANNEL_HELD,
    HOST_CLOCK,
    HOST_DOWN,
    HOST_UPTIME,
    INGEST_REFUSED,
    MONITORING_BLIND,
    MONITORING_CLOCK,
    SERVICE_LAG,
    SERVICE_SILENT,
)
from services.alerts.deliver.formats import format_duration, format_value
from services.alerts.notice import Said

NAME_CHARACTERS = 200

_OWN = {
    HOST_DOWN: "nothing heard for {value}",
    HOST_UPTIME: "booted {value} ago",
    HOST_CLOCK: "its clock is ahead by {value}",
    MONITORING_BLIND: "Sonde cannot tell which hosts are silent, for {value}",
    MONITORING_CLOCK: "the clock of the bus is behind those of most hosts by {value}",
    SERVICE_SILENT: "service {instance} not heard for {value}",
    SERVICE_LAG: "service {instance} is behind by {value}",
    INGEST_REFUSED: "messages that could not be stored: {value}",
    CHANNEL_HELD: "nothing could be sent on channel {instance} for {value}",
}

_OVER = {
    "avg": "average of {metric} over {window}",
    "min": "minimum of {metric} over {window}",
    "max": "maximum of {metric} over {window}",
    "p95": "95th percentile of {metric} over {window}",
    "rate": "change of {metric} per second over {window}",
    "increase": "increase of {metric} within {window}",
}


def one_line(text: str, most: int = NAME_CHARACTERS) -> str:
    """`text` in one line without control characters, at most `most` characters of it."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def subject(said: Said) -> str:
    """What it is about: the rule, the instance and the host, as people call them."""
    name = one_line(said.facts.rule_name)
    if said.instance:
        name = f"{name} ({one_line(said.instance)})"
    return f"{name} on {host_name(said)}" if said.host else name


def host_name(said: Said) -> str:
    """What people call the host; empty where there is none."""
    return one_line(said.label) or said.host


def is_own(metric: str) -> bool:
    """Whether Sonde has words of its own for `metric`: a value that grows while it goes on, and says nothing after."""
    return metric in _OWN


def measured(facts: Facts) -> str:
    """The metric, with the window that was looked at."""
    window = facts.rule.window if facts.rule is not None else None
    if window is None or window.function == "last":
        return facts.metric
    length = format_duration(window.seconds)
    if window.function == "time_left":
        target = "its maximum" if window.limit is None else format_value(window.limit, "")
        return f"time until {facts.metric} reaches {target}, by the trend of {length}"
    return _OVER[window.function].format(metric=facts.metric, window=length)


def amount(facts: Facts, value: float | None) -> str:
    """`value` as what the rule looks at has it: of a rate per second, of a time left as a duration."""
    function = facts.rule.window.function if facts.rule is not None else "last"
    if function == "time_left":
        return format_value(value, "s")
    text = format_value(value, facts.unit)
    return text + "/s" if function == "rate" and value is not None else text


def reading(said: Said, past: bool = False) -> str:
    """What the value is, or was: "cpu.total is 97.2 %"."""
    facts = said.facts
    if facts.value is None:
        return f"{measured(facts)} {'had' if past else 'has'} no data"
    value = amount(facts, facts.value)
    words = _OWN.get(facts.metric)
    if words is not None:
        return words.format(value=value, instance=one_line(said.instance))
    return f"{measured(facts)} {'was' if past else 'is'} {value}"


def threshold(facts: Facts, cleared: bool = False) -> str:
    """What the value is held against: "above 90 % for 5 min"; `cleared`: where it counts as over."""
    text = amount(facts, facts.threshold)
    rule = facts.rule
    if rule is None:
        return text
    above = rule.comparison == "above"
    if cleared:
        return f"{'below' if above else 'above'} {text}{_held(rule.recover_for_s)}"
    return f"{rule.comparison} {text}{_held(rule.for_s)}{_also(rule)}"


def _held(for_s: float) -> str:
    return f" for {format_duration(for_s)}" if for_s else ""


def _also(rule: Rule) -> str:
    also = rule.also
    return f", and {also.metric} {also.comparison} {format_value(also.value, _unit(also.metric))}" if also else ""


def _unit(path: str) -> str:
    """Of a metric of the catalogue; none when it is not there any more."""
    try:
        return metric_named(path)[1].unit
    except KeyError:
        return ""
