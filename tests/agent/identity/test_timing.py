"""When an identity is renewed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.identity.state import Identity
from agent.identity.timing import due_s, wait_s

ISSUED_S = 1_800_000_000


def identity(life_s: int = 30 * 86400, ahead_s: float = 0) -> Identity:
    return Identity(
        host="web-1",
        gateway="https://gateway.example",
        public_key="U",
        jwt="",
        issued=ISSUED_S,
        expires=ISSUED_S + life_s,
        enrolled=ISSUED_S,
        bus=[],
        page="",
        ahead_s=ahead_s,
    )


def test_it_is_due_after_two_thirds_of_its_life() -> None:
    assert due_s(identity(), 0) == ISSUED_S + 20 * 86400


@given(st.integers(1, 10**8), st.floats(0, 1))
def test_it_is_due_within_a_tenth_of_its_life_and_before_its_end(life_s: int, jitter: float) -> None:
    first_s = due_s(identity(life_s), 0)
    assert first_s <= due_s(identity(life_s), jitter) <= first_s + life_s / 10 + 1e-3
    assert due_s(identity(life_s), jitter) < ISSUED_S + life_s


@given(st.floats(-1e9, 1e9))
def test_a_wrong_clock_makes_no_difference(ahead_s: float) -> None:
    """`ahead_s`: how far the gateway's clock is ahead of ours."""
    now_s = ISSUED_S + 86400
    assert abs(wait_s(identity(ahead_s=ahead_s), 0.5, now_s - ahead_s) - wait_s(identity(), 0.5, now_s)) < 1


def test_what_is_overdue_is_not_waited_for() -> None:
    assert wait_s(identity(), 1, ISSUED_S + 29 * 86400) == 0
