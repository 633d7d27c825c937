"""Laws of the throttle of logins, whoever tries, from wherever, in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.people.throttle import ADDRESS, NAME, OWNER, LoginThrottle

NAMES = st.sampled_from(["ada", "bob", "nobody"])
ADDRESSES = st.sampled_from([f"192.0.2.{number}" for number in range(4)])
TRIES = st.lists(st.tuples(NAMES, ADDRESSES, st.floats(0, 20)), max_size=200)
"""Who is tried from where, so many seconds after the try before."""


def let_through(throttle: LoginThrottle, tries: list[tuple[str, str, float]]) -> list[tuple[str, str, float]]:
    """The tries that were not made to wait, each wrong, with their time."""
    now_s, passed = 0.0, []
    for name, address, after_s in tries:
        now_s += after_s
        if not throttle.begin(name, address, now_s):
            passed.append((name, address, now_s))
    return passed


@given(TRIES)
def test_a_name_is_tried_no_faster_than_its_bucket_refills(tries: list[tuple[str, str, float]]) -> None:
    passed = let_through(LoginThrottle(), tries)
    for name in {name for name, _, _ in passed}:
        times = [at_s for tried, _, at_s in passed if tried == name]
        for first, begin_s in enumerate(times):
            for last, end_s in enumerate(times[first:], first):
                assert last - first + 1 <= NAME.burst + (end_s - begin_s) / NAME.refill_s + 1e-6


@given(TRIES)
def test_an_address_tries_no_faster_than_its_bucket_refills(tries: list[tuple[str, str, float]]) -> None:
    passed = let_through(LoginThrottle(), tries)
    for address in {address for _, address, _ in passed}:
        times = [at_s for _, tried, at_s in passed if tried == address]
        for first, begin_s in enumerate(times):
            for last, end_s in enumerate(times[first:], first):
                assert last - first + 1 <= ADDRESS.burst + (end_s - begin_s) / ADDRESS.refill_s + 1e-6


@given(TRIES)
def test_no_flood_from_elsewhere_makes_an_owner_wait_where_he_is_known(tries: list[tuple[str, str, float]]) -> None:
    throttle = LoginThrottle()
    throttle.know("ada", "198.51.100.7")
    let_through(throttle, tries)
    now_s = sum(after_s for _, _, after_s in tries)
    assert [throttle.begin("ada", "198.51.100.7", now_s) for _ in range(OWNER.burst)] == [0] * OWNER.burst


@given(TRIES, NAMES, ADDRESSES)
def test_whoever_waits_as_long_as_told_may_try(tries: list[tuple[str, str, float]], name: str, address: str) -> None:
    throttle = LoginThrottle()
    let_through(throttle, tries)
    now_s = sum(after_s for _, _, after_s in tries)
    wait_s = throttle.begin(name, address, now_s)
    assert not wait_s or not throttle.begin(name, address, now_s + wait_s)


@given(st.lists(st.sampled_from(["ada", "bob"]), max_size=100))
def test_logins_that_succeed_use_nothing_up(names: list[str]) -> None:
    throttle = LoginThrottle()
    for name in names:
        assert not throttle.begin(name, "192.0.2.1", 0)
        throttle.succeeded(name, "192.0.2.1")


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=300))
def test_it_remembers_a_bounded_number(tries: list[tuple[int, int]]) -> None:
    throttle = LoginThrottle(most=8)
    for name, address in tries:
        throttle.begin(str(name), str(address), 0)
        throttle.know(str(name), str(address))
    assert len(throttle) <= 4 * 8


def test_tries_that_begin_at_once_count_before_they_end() -> None:
    throttle = LoginThrottle()
    waits = [throttle.begin("ada", "192.0.2.1", 0) for _ in range(1000)]
    assert waits.count(0) == NAME.burst
    assert throttle.refused == 1000 - NAME.burst
