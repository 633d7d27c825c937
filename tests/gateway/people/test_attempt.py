"""The sealed cookie of somebody who is at the provider."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.people.attempt import LASTS_S, Attempt, seal_key, sealed, unsealed

ATTEMPT = Attempt("state", "nonce", "verifier", "/hosts/ü", "https://sonde.example/back", 1000, "0a")
KEY = seal_key("", "")
TEXT = sealed(ATTEMPT, KEY)


def test_what_was_sealed_comes_back_until_its_time_is_up() -> None:
    assert unsealed(TEXT, KEY, 1000) == unsealed(TEXT, KEY, 1000 + LASTS_S) == ATTEMPT
    assert unsealed(TEXT, KEY, 1001 + LASTS_S) is None
    assert unsealed(TEXT, KEY, 999) is None


def test_a_seal_by_another_key_counts_for_nothing() -> None:
    assert unsealed(TEXT, seal_key("", ""), 1000) is None


def test_gateways_with_the_same_client_secret_know_one_anothers_seals() -> None:
    assert seal_key("secret", "issuer client") == seal_key("secret", "issuer client")
    assert len({seal_key("secret", "a"), seal_key("secret", "b"), seal_key("other", "a")}) == 3


@given(at=st.integers(0, len(TEXT) - 1), other=st.characters())
def test_a_cookie_of_which_anything_was_changed_is_nobodys(at: int, other: str) -> None:
    changed = TEXT[:at] + other + TEXT[at + 1 :]
    assert unsealed(changed, KEY, 1000) in (None, ATTEMPT)


@given(st.text())
def test_a_cookie_that_we_did_not_write_is_nobodys(text: str) -> None:
    assert unsealed(text, KEY, 1000) is None


def test_an_attempt_of_the_longest_path_fits_into_a_cookie() -> None:
    longest = Attempt("s" * 32, "n" * 32, "v" * 64, "/" + "ü" * 499, f"https://{'a' * 250}/back", 2**31, "f" * 64)
    text = sealed(longest, KEY)
    assert unsealed(text, KEY, 2**31) == longest
    assert len(text) < 4000
