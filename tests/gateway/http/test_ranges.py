"""Range arguments."""

from __future__ import annotations

import pytest

from schemas.rules import InvalidField
from services.gateway.http.ranges import parse_range, parse_time

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("now", NOW_MS),
        ("-6h", NOW_MS - 6 * 3_600_000),
        ("-90m", NOW_MS - 90 * 60_000),
        ("-0.5s", NOW_MS - 500),
        ("now-2d", NOW_MS - 2 * 86_400_000),
        ("-1w", NOW_MS - 7 * 86_400_000),
        ("1763683200123", 1_763_683_200_123),
        ("2026-11-21T00:00:00Z", 1_795_219_200_000),
        ("2026-11-21T02:00:00+02:00", 1_795_219_200_000),
        ("2026-11-21T02:00:00 02:00", 1_795_219_200_000),
        ("2026-11-21T00:00:00.250-00:00", 1_795_219_200_250),
    ],
)
def test_a_time_may_be_written_in_every_documented_way(text: str, time_ms: int) -> None:
    assert parse_time("from", text, NOW_MS) == time_ms


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "-6", "-6y", "6h", "--6h", "-1e3s", "2026-11-21T00:00:00", "2026-13-01T00:00:00Z"),
        *("1763683200", "-999999999w", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"),
        *("9" * 400, "-" + "9" * 400 + "s", "٣"),
    ],
)
def test_anything_else_is_refused_with_the_field_and_a_remedy(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_time("to", text, NOW_MS)
    assert refused.value.field == "to"
    assert refused.value.remedy


@pytest.mark.parametrize(("first", "last"), [("now", "now"), ("now", "-1h")])
def test_a_range_that_does_not_advance_is_refused(first: str, last: str) -> None:
    with pytest.raises(InvalidField):
        parse_range(first, last, NOW_MS)
