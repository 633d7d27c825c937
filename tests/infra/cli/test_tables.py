"""Tables and sizes for people."""

from __future__ import annotations

import pytest

from infra.cli.tables import count, size, table


def test_a_heading_with_a_space_aligns_to_the_right() -> None:
    assert table(["A", " B"], [["long", "1"], ["x", "1,000"]]) == "A         B\nlong      1\nx     1,000"


def test_no_line_ends_in_blanks() -> None:
    assert table(["A", "B"], [["x", ""]]) == "A  B\nx"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1.0 KiB"),
        (-56 * 1024, "-56.0 KiB"),
        (3 * 2**30, "3.0 GiB"),
        (9999 * 2**30, "9,999.0 GiB"),
        (10 * 2**40, "10.0 TiB"),
    ],
)
def test_sizes_are_told_in_the_unit_that_suits_them(number: float | None, text: str) -> None:
    assert size(number) == text


def test_unknown_counts_are_a_dash_and_not_zero() -> None:
    assert (count(None), count(0), count(1234.4)) == ("-", "0", "1,234")
