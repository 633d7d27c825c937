"""What was revoked once stays so, whichever of servers, saved account and table was set back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.authority.authority import Authority, ensure_authority, issued_in, revocations_in
from services.gateway.identities.accounts import Known, plan

KEYS = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 50), max_size=5)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return ensure_authority(Path(tmp_path_factory.mktemp("accounts")) / "authority")


def never(_: str) -> bool:
    return False


@given(st.lists(KEYS, max_size=3), KEYS, KEYS)
def test_the_union_of_all_sources_is_wanted_with_the_latest_times(
    authority: Authority, held: list[dict[str, int]], saved: dict[str, int], table: dict[str, int]
) -> None:
    known = Known([authority.sign_account(part) for part in held], authority.sign_account(saved), table)
    found = plan(known, (), never)
    parts = [*held, saved, table]
    assert found.wanted == {key: max(part.get(key, 0) for part in parts) for part in parts for key in part}
    assert {**table, **found.missing} == found.wanted


def test_level_is_when_every_server_has_what_is_wanted(authority: Authority) -> None:
    good, old = authority.sign_account({"a": 1}), authority.sign_account({})
    assert plan(Known([good, good], good, {"a": 1}), (), never).level
    assert not plan(Known([good, old], good, {"a": 1}), (), never).level
    assert not plan(Known([], good, {"a": 1}), (), never).level
    assert not plan(Known([good], good, {"a": 1}), (), lambda _: True).level


def test_a_jwt_that_says_it_all_is_pushed_again_rather_than_signed_anew(authority: Authority) -> None:
    old = authority.sign_account({})
    good = authority.sign_account({"a": 1}, issued_in(old))
    found = plan(Known([old], good, {"a": 1}), (), never)
    assert (found.token, found.level) == (good, False)


def test_a_new_one_is_dated_after_every_other(authority: Authority) -> None:
    future = authority.sign_account({}, 4_000_000_000)
    found = plan(Known([future], authority.sign_account({}), {"a": 1}), (), never)
    assert (found.token, found.after_s) == ("", 4_000_000_001)


def test_what_is_aged_is_dropped(authority: Authority) -> None:
    found = plan(Known([authority.sign_account({"a": 1, "b": 2})], "", {"a": 1, "b": 2}), ["a"], never)
    assert (found.wanted, found.missing, found.level) == ({"b": 2}, {}, False)


def test_the_limit_of_one_push_is_far_away(authority: Authority) -> None:
    many = {f"U{number:055}": 1_800_000_000 for number in range(5000)}
    assert revocations_in(authority.sign_account(many)) == many
