"""Keys as NATS writes them, held against NATS' own package."""

from __future__ import annotations

import nkeys as theirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bus import nkeys

SECRETS = st.binary(min_size=32, max_size=32)
KINDS = st.sampled_from([nkeys.OPERATOR, nkeys.ACCOUNT, nkeys.USER])


@given(KINDS, SECRETS)
def test_seeds_and_public_keys_are_those_of_nats(kind: int, secret: bytes) -> None:
    seed = nkeys.encode_seed(kind, secret)
    assert seed == theirs.encode_seed(secret, kind).decode()
    assert nkeys.KeyPair(seed).public_key == theirs.from_seed(bytearray(seed.encode())).public_key.decode()


@given(KINDS, SECRETS, st.binary(max_size=200))
def test_nats_verifies_our_signatures_and_we_theirs(kind: int, secret: bytes, data: bytes) -> None:
    pair = nkeys.KeyPair(nkeys.encode_seed(kind, secret))
    other = theirs.from_seed(bytearray(nkeys.encode_seed(kind, secret).encode()))
    assert other.verify(data, pair.sign(data))
    assert nkeys.verifies(pair.public_key, other.sign(data), data)


@given(SECRETS, st.binary(max_size=20), st.binary(max_size=80))
def test_no_other_signature_is_verified(secret: bytes, data: bytes, signature: bytes) -> None:
    pair = nkeys.KeyPair(nkeys.encode_seed(nkeys.USER, secret))
    assert not nkeys.verifies(pair.public_key, signature, data)
    assert not nkeys.verifies(pair.public_key, pair.sign(data), data + b"x")
    assert not nkeys.verifies("", pair.sign(data), data)


def test_the_first_letter_says_what_a_key_is_of() -> None:
    kinds = (nkeys.OPERATOR, nkeys.ACCOUNT, nkeys.USER)
    assert [nkeys.encode_public(kind, bytes(32))[0] for kind in kinds] == ["O", "A", "U"]


@given(SECRETS, st.integers(0, 56), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_one_wrong_letter_is_noticed(secret: bytes, place: int, letter: str) -> None:
    seed = nkeys.encode_seed(nkeys.USER, secret)
    wrong = seed[:place] + letter + seed[place + 1 :]
    if wrong == seed:
        return
    with pytest.raises(nkeys.NotASeed) as told:
        nkeys.KeyPair(wrong)
    assert wrong not in str(told.value)


@given(st.one_of(st.text(max_size=80), st.binary(max_size=80)))
def test_whatever_else_is_no_seed(text: str | bytes) -> None:
    with pytest.raises(nkeys.NotASeed):
        nkeys.KeyPair(text)


@pytest.mark.parametrize("text", ["", "U", "U" * 56, "Ü" * 56, "=" * 8])
def test_whatever_else_is_no_public_key(text: str) -> None:
    assert nkeys.decode_public(text) is None
