"""Keys: what is one, and what a signature by it proves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.authority.keys import BadKey, Key, is_public_user_key, make_key, read_key, verifies


def test_a_signature_fits_its_key_and_data_alone() -> None:
    mine, other = make_key("user"), make_key("user")
    signature = mine.sign(b"data")
    assert verifies(mine.public, signature, b"data")
    assert not verifies(other.public, signature, b"data")
    assert not verifies(mine.public, signature, b"date")
    assert not verifies(mine.public, signature[:-1], b"data")


def test_only_keys_of_users_are_keys_of_users() -> None:
    assert is_public_user_key(make_key("user").public)
    assert not is_public_user_key(make_key("account").public)
    assert not is_public_user_key(make_key("operator").public)


@given(st.text(max_size=60))
def test_no_other_text_is_a_key(text: str) -> None:
    assert not is_public_user_key(text)
    assert not is_public_user_key("U" + text)


def test_a_mistyped_key_is_none() -> None:
    public = make_key("user").public
    assert not is_public_user_key(public[:10] + ("A" if public[10] != "A" else "B") + public[11:])


def test_a_seed_comes_back_from_its_file_and_is_not_shown(tmp_path: Path) -> None:
    key = make_key("account")
    (tmp_path / "key.nk").write_text(key.seed + "\n")
    assert read_key(tmp_path / "key.nk").public == key.public
    assert key.seed not in repr(key)


def test_what_is_wrong_with_a_seed_is_said_without_it(tmp_path: Path) -> None:
    (tmp_path / "key.nk").write_text("SUSECRET")
    with pytest.raises(BadKey, match=r"key\.nk: not a valid seed; restore it") as wrong:
        read_key(tmp_path / "key.nk")
    assert "SECRET" not in str(wrong.value)
    with pytest.raises(BadKey):
        Key("SECRET")
    with pytest.raises(BadKey, match="no such file"):
        read_key(tmp_path / "none.nk")
