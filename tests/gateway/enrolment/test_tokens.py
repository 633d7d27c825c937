"""Names that machines get, and what a token says of itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.enrolment import TOKEN_PREFIX, matches, name_fault
from services.gateway.enrolment.tokens import free_name, make_secret, token_hash, token_state, wished_name

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER, BEFORE = NOW + timedelta(hours=1), NOW - timedelta(hours=1)


def test_a_free_name_is_given_as_wished() -> None:
    assert free_name("web-1", set(), "") == "web-1"


def test_a_taken_name_gets_the_first_free_number() -> None:
    assert free_name("web", {"web", "web-2", "web-4"}, "") == "web-3"


def test_a_long_name_is_shortened_for_its_number() -> None:
    assert free_name("x" * 40, {"x" * 40}, "") == "x" * 38 + "-2"


def test_a_number_that_does_not_fit_the_pattern_is_not_given() -> None:
    assert free_name("web-1", {"web-1"}, "web-?") == ""


@given(st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True), st.integers(0, 30))
def test_names_with_a_number_are_valid_and_free(wished: str, others: int) -> None:
    taken: set[str] = set()
    for _ in range(others + 1):
        name = free_name(wished, taken, "")
        assert matches(name, "")
        assert name not in taken
        assert name == wished or not name_fault(name)
        taken.add(name)


@pytest.mark.parametrize(
    ("name", "pattern", "wished"),
    [("web-1", "", "web-1"), ("", "", "host"), ("", "web-*", "host"), ("", "web-7", "web-7"), ("db", "web-*", "db")],
)
def test_a_machine_without_a_wish_gets(name: str, pattern: str, wished: str) -> None:
    assert wished_name(name, pattern) == wished


@pytest.mark.parametrize(
    ("uses", "used", "expires", "withdrawn", "state"),
    [
        (1, 0, LATER, None, "open"),
        (1, 1, LATER, None, "used"),
        (2, 1, LATER, None, "open"),
        (2, 1, BEFORE, None, "expired"),
        (1, 1, BEFORE, None, "used"),
        (1, 1, BEFORE, BEFORE, "withdrawn"),
    ],
)
def test_a_token_is(uses: int, used: int, expires: datetime, withdrawn: datetime | None, state: str) -> None:
    assert token_state(uses, used, expires, withdrawn, NOW) == state


def test_secrets_have_192_random_bits_and_differ() -> None:
    one, two = make_secret(), make_secret()
    assert one != two
    assert len(one) == len(TOKEN_PREFIX) + 32
    assert len(token_hash(one)) == 32
