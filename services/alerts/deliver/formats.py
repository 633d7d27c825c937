"""Values, durations and moments as people write them. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_LAST_S = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def utc(time_s: float) -> str:
    """A moment, Unix seconds, as text in UTC; the nearest one that a calendar has."""
    return datetime.fromtimestamp(min(max(time_s, 0), _LAST_S), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def format_value(value: float | None, unit: str) -> str:
    """`value` with its catalogue `unit`: 92.5 %, 1.5 GiB, 12 MiB/s, 5 min 30 s, 41.5 °C, 12,345."""
    if value is None or not math.isfinite(value):
        return "no value"
    match unit:
        case "B" | "B/s":
            return _format_bytes(value) + unit[1:]
        case "s":
            return format_duration(value)
        case "1/s" | "1/min":
            return f"{_format_number(value)} {unit[1:]}"
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


def counted(number: int, one: str, many: str = "") -> str:
    """`1 host`, `2 hosts`, `10,000 hosts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


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
