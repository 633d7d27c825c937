"""Alerts in words: one headline, one line of text, values and durations as people write them. Pure.

What every channel says is worded here; how it is laid out, in the channel's own file.
"""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.messages import AlertTransition
from schemas.virtual import HOST_DOWN

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def headline(transition: AlertTransition) -> str:
    """State, severity, rule and host in a line."""
    severity = transition.severity
    mark = "🔴" if severity == "critical" else "🟠"
    subject = f"{transition.rule_name} on {transition.host}"
    match transition.kind:
        case "fire":
            return f"{mark} {severity.capitalize()}: {subject}"
        case "escalate":
            return f"{mark} Escalated to {severity}: {subject}"
        case "deescalate":
            return f"{mark} Down to {severity}: {subject}"
        case "resolve":
            return f"🟢 Resolved ({severity}): {subject}"
        case "gone":
            return f"⚪ Gone ({severity}): {subject}"


def summary(transition: AlertTransition) -> str:
    """The whole message as one line of text."""
    value = format_value(transition.value, transition.unit)
    threshold = format_value(transition.threshold, transition.unit)
    since = utc(transition.since)
    line = f"{headline(transition)}, {measured(transition)}"
    match transition.kind:
        case "fire" | "escalate":
            return f"{line} is {value}, threshold {threshold}, since {since}"
        case "deescalate":
            return f"{line} is {value}, back past {threshold}, firing since {since}"
        case "resolve":
            return f"{line} is {value}, back past {threshold}, after {duration(transition)}{_peak(transition)}"
        case "gone":
            return f"{line} is no longer watched or no longer there, after {duration(transition)}"


def measured(transition: AlertTransition) -> str:
    """What was measured, with its instance."""
    metric = "silence" if transition.metric == HOST_DOWN else transition.metric
    return f"{metric} {transition.instance}".rstrip()


def duration(transition: AlertTransition) -> str:
    """How long the alert lasted."""
    return format_duration(max(0.0, transition.time - transition.since))


def _peak(transition: AlertTransition) -> str:
    if transition.peak is None:
        return ""
    at = f" at {utc(transition.peak_time)}" if transition.peak_time is not None else ""
    return f", peak {format_value(transition.peak, transition.unit)}{at}"


def utc(time_s: float) -> str:
    """A moment, Unix seconds, as text in UTC."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def format_value(value: float | None, unit: str) -> str:
    """`value` with its catalogue `unit`: 92.5 %, 1.5 GiB, 12 MiB/s, 5 min 30 s, 41.5 °C, 12,345."""
    if value is None:
        return "no value"
    match unit:
        case "B" | "B/s":
            return _format_bytes(value) + unit[1:]
        case "s":
            return format_duration(value)
        case "1/s":
            return f"{_format_number(value)} /s"
        case "":
            return _format_number(value)
        case _:
            return f"{_format_number(value)} {unit}"


def format_duration(seconds: float) -> str:
    """The two largest units of a duration: 0.5 s, 45 s, 5 min 30 s, 2 h 5 min, 3 d 4 h."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds < 10:
        return f"{_format_number(seconds)} s"
    whole = round(seconds)
    for size, name, smaller, smaller_name in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{whole} s"


def _format_bytes(value: float) -> str:
    step = 0
    while abs(value) >= 1023.95 and step < len(_BINARY) - 1:
        value /= 1024
        step += 1
    return f"{_format_number(value)} {_BINARY[step]}"


def _format_number(value: float) -> str:
    """One decimal where it says something, two below one, none for whole and for large numbers."""
    decimals = 0 if abs(value) >= 1000 else 1 if abs(value) >= 1 else 2
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
