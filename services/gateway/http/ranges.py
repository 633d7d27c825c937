"""Range arguments: RFC 3339, Unix milliseconds, `now`, or relative such as `-6h`, to Unix milliseconds. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from schemas.codec import EARLIEST_MS, LATEST_MS
from schemas.rules import InvalidField

Time = Annotated[
    str,
    Meta(description="an RFC 3339 time with offset, Unix milliseconds, now, or relative such as -6h (s, m, h, d, w)"),
]

_RELATIVE = re.compile(r"(?:now)?-(\d{1,9}(?:\.\d{1,3})?)(s|m|h|d|w)\Z")
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_REMEDY = "must be an RFC 3339 time with offset, Unix milliseconds, now, or a relative time such as -6h (s, m, h, d, w)"


def parse_time(field: str, text: str, now_ms: int) -> int:
    """The time that `text` names, Unix milliseconds within the years 2000 to 2100. Raises InvalidField."""
    time_ms = _parse(text, now_ms)
    if time_ms is None:
        raise InvalidField(field, text[:100], _REMEDY)
    if not EARLIEST_MS <= time_ms <= LATEST_MS:
        raise InvalidField(
            field, text[:100], "must be in the years 2000 to 2100; a plain number means Unix milliseconds"
        )
    return time_ms


def parse_range(from_text: str, to_text: str, now_ms: int) -> tuple[int, int]:
    """The half-open range [from, to) in Unix milliseconds. Raises InvalidField."""
    from_ms = parse_time("from", from_text, now_ms)
    to_ms = parse_time("to", to_text, now_ms)
    if from_ms >= to_ms:
        raise InvalidField("from", from_text[:100], "must be earlier than to")
    return from_ms, to_ms


def _parse(text: str, now_ms: int) -> int | None:
    if text == "now":
        return now_ms
    if text.isascii() and text.isdigit() and len(text) <= 16:
        return int(text)
    relative = _RELATIVE.match(text)
    if relative:
        return now_ms - round(float(relative[1]) * _UNIT_MS[relative[2]])
    # A plus sign that was not escaped in a URL arrives as a space.
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=\d\d:\d\d\Z)", "+", text))
        return round(moment.timestamp() * 1000) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
