"""Patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.matching import covers, fits

PATTERNS = st.text("ab*?", min_size=1, max_size=5)


@given(PATTERNS, PATTERNS, st.text("ab", max_size=6))
def test_whatever_fits_a_pattern_fits_what_covers_it(pattern: str, other: str, text: str) -> None:
    if covers(pattern, other) and fits(other, text):
        assert fits(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "other", "covered"),
    [
        ("*", "web-*", True),
        ("web-*", "web-1", True),
        ("web-*", "web-1*", True),
        ("web-?", "web-?", True),
        ("web-?", "web-*", False),
        ("web-1", "web-*", False),
    ],
)
def test_a_pattern_covers_what_is_no_wider(pattern: str, other: str, covered: bool) -> None:
    assert covers(pattern, other) is covered
