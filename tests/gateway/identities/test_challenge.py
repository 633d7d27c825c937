"""A challenge is good for a minute, at every gateway with the same authority, and nobody else can make one."""

import pytest

from schemas.enrolment import CHALLENGE_S
from services.gateway.identities.challenge import challenge_secret, is_good, make_challenge

SECRET = challenge_secret("seed")


def test_a_fresh_challenge_is_good() -> None:
    assert is_good(SECRET, make_challenge(SECRET, 1000.9), 1001)


def test_an_old_challenge_is_not() -> None:
    assert not is_good(SECRET, make_challenge(SECRET, 1000), 1001 + CHALLENGE_S)


def test_a_challenge_of_a_gateway_whose_clock_is_a_little_ahead_is_good() -> None:
    assert is_good(SECRET, make_challenge(SECRET, 1002), 1000)
    assert not is_good(SECRET, make_challenge(SECRET, 1060), 1000)


def test_no_two_are_equal() -> None:
    assert make_challenge(SECRET, 1000) != make_challenge(SECRET, 1000)


@pytest.mark.parametrize(
    "challenge",
    ["", ".", "..", "x.y.z", "1000.abc.", "é.é.é", "1000", "9" * 300, make_challenge(challenge_secret("other"), 1000)],
    ids=["empty", "dot", "dots", "letters", "cut off", "not ascii", "time alone", "long", "of another gateway"],
)
def test_what_is_not_ours_is_not_good(challenge: str) -> None:
    assert not is_good(SECRET, challenge, 1000)


def test_a_changed_time_is_noticed() -> None:
    challenge = make_challenge(SECRET, 1000)
    assert not is_good(SECRET, challenge.replace("1000", "1100", 1), 1100)
