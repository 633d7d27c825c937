"""Sessions and tokens in memory: bounded, over in time, and told when they end."""

from __future__ import annotations

from schemas.people import Role
from services.gateway.people.credentials import hashed
from services.gateway.people.known import Held, Known, Lives

DAY_MS = 86_400_000


def a_session(number: int = 1, role: Role = "viewer", created_ms: int = 0) -> Held:
    return Held("session", number, 1, "ada", role, created_ms, 365 * DAY_MS, created_ms)


def a_token(expires_ms: int | None) -> Held:
    return Held("token", 1, 1, "ada", "viewer", 0, expires_ms, 0)


def told() -> tuple[Known, list[int]]:
    """A memory, and one entry for each time it told that something ended."""
    ends: list[int] = []
    return Known(lambda: ends.append(1), most=3), ends


def test_a_session_that_is_used_goes_on_until_its_absolute_end() -> None:
    known, _ = told()
    known.put(b"a", a_session(), 0)
    for day in range(1, 30):
        assert known.find(b"a", day * DAY_MS) is not None
    assert known.find(b"a", 30 * DAY_MS) is None


def test_a_session_that_is_not_used_ends() -> None:
    known, _ = told()
    known.put(b"a", a_session(), 0)
    assert known.find(b"a", 7 * DAY_MS) is None


def test_lives_may_be_shortened_while_sessions_are_open() -> None:
    known, ends = told()
    known.put(b"a", a_session(), 0)
    known.lives = Lives(idle_s=60, max_s=3600)
    known.end_expired(61_000)
    assert (len(known), ends) == (0, [1])


def test_an_open_stream_is_use() -> None:
    known, _ = told()
    held = known.put(b"a", a_session(), 0)
    assert held is not None
    known.used(held.person(""), 5 * DAY_MS)
    assert known.find(b"a", 10 * DAY_MS) is not None


def test_a_token_ends_when_it_says_and_one_that_does_not_goes_on() -> None:
    known, _ = told()
    assert known.put(b"a", a_token(1000), 1000) is None
    known.put(b"b", a_token(None), 0)
    assert known.find(b"b", 3650 * DAY_MS) is not None


def test_the_one_used_longest_ago_gives_way() -> None:
    known, ends = told()
    for number in range(1, 5):
        known.put(bytes([number]), a_session(number), number)
        known.find(bytes([1]), number)
    assert [known.find(bytes([number]), 10) is not None for number in range(1, 5)] == [True, False, True, True]
    assert ends == [1]


def test_a_role_that_is_lowered_is_told_and_one_that_is_raised_is_not() -> None:
    known, ends = told()
    held = known.put(b"a", a_session(role="operator"), 0)
    assert held is not None
    person = held.person("")
    known.refresh("session", [1], [a_session(role="admin")])
    assert (known.has(person), ends) == (True, [])
    known.refresh("session", [1], [a_session(role="viewer")])
    assert (known.has(person), ends) == (False, [1])


def test_what_the_database_does_not_have_any_more_is_over() -> None:
    known, ends = told()
    known.put(b"a", a_session(1), 0)
    known.put(b"b", a_session(2), 0)
    known.refresh("session", [1, 2], [a_session(2)])
    assert (known.find(b"a", 0), ends) == (None, [1])


def test_a_secret_cannot_be_had_back_from_what_is_stored() -> None:
    assert len(hashed("secret")) == 32
    assert hashed("secret") != hashed("secret ")
