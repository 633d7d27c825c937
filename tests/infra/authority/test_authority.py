"""The authority on disk: made once and whole, completed by later versions, and never weaker than what servers know."""

from __future__ import annotations

import stat
import threading
import time
from pathlib import Path

import pytest

from infra.authority.authority import (
    ACCOUNTS,
    RESTORED,
    AuthorityError,
    ensure_authority,
    hand_accounts,
    is_outdated,
    issued_in,
    revocations_in,
    union,
)
from infra.authority.claims import BadToken, decode
from infra.authority.keys import make_key
from infra.authority.roles import ROLES, SERVICES


def test_every_file_is_its_owners_alone(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in authority.directory.rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


def test_every_role_has_a_key_and_every_service_a_user(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    roles = [scope.role for of in ACCOUNTS for scope in authority.scopes(time.time(), of)]
    assert sorted(roles) == sorted(ROLES)
    assert all(authority.credentials_path(role).exists() for role in (*SERVICES, "system"))


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    def content() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in (tmp_path / "authority").rglob("*") if path.is_file()}

    ensure_authority(tmp_path / "authority")
    before = content()
    ensure_authority(tmp_path / "authority")
    assert content() == before


def test_ten_at_once_make_one(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(ensure_authority(tmp_path / "authority").account()))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 10
    assert len(set(made)) == 1


def test_one_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / "authority.new"
    unfinished.mkdir()
    (unfinished / "operator.nk").write_text("half")
    assert ensure_authority(tmp_path / "authority").account()
    assert not unfinished.exists()


def test_a_directory_that_lost_its_facts_is_not_replaced(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    (authority.directory / "authority.json").unlink()
    with pytest.raises(AuthorityError, match=r"authority\.json is missing; restore it from a backup"):
        ensure_authority(tmp_path / "authority")


def test_an_interrupted_restore_is_finished(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    authority.directory.rename(tmp_path / f"authority{RESTORED}")
    assert ensure_authority(tmp_path / "authority").account() == authority.account()


def test_what_a_later_version_adds_is_made(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    (authority.directory / "roles" / "tools.nk").unlink()
    again = ensure_authority(tmp_path / "authority")
    assert not is_outdated(again, again.saved_account("services"), "services")
    user = decode(again.credentials_path("tools").read_text().splitlines()[1])
    assert user["iss"] == again.role_key("tools").public


def test_the_operators_seed_may_be_elsewhere(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    (authority.directory / "operator.nk").unlink()
    assert decode(ensure_authority(tmp_path / "authority").sign_account({}))["sub"] == authority.account()


def test_an_account_is_dated_after_the_one_that_servers_hold(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    first = authority.sign_account({})
    second = authority.sign_account_after(first, {})
    assert issued_in(second) > issued_in(first)


def test_a_server_that_knows_more_revocations_keeps_them(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    ours, theirs = make_key("user").public, make_key("user").public
    resolver = tmp_path / "resolver"
    resolver.mkdir()
    held = resolver / f"{authority.account()}.jwt"
    held.write_text(authority.sign_account({theirs: 1_800_000_000}, int(time.time()) + 1000))
    authority.save_account(authority.sign_account({ours: 1_700_000_000}))
    hand_accounts(authority, resolver)
    expected = {ours: 1_700_000_000, theirs: 1_800_000_000}
    assert revocations_in(held.read_text()) == revocations_in(authority.saved_account()) == expected
    assert issued_in(held.read_text()) > time.time() + 1000


def test_a_server_that_knows_the_account_is_left_alone(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path / "authority")
    resolver = tmp_path / "resolver"
    hand_accounts(authority, resolver)
    before = {path: path.stat().st_mtime_ns for path in resolver.iterdir()}
    hand_accounts(authority, resolver)
    assert len(before) == 2
    assert {path: path.stat().st_mtime_ns for path in resolver.iterdir()} == before


def test_a_union_keeps_the_latest_time() -> None:
    assert union({"a": 1, "b": 5}, {"a": 3}, {"b": 2, "c": 4}) == {"a": 3, "b": 5, "c": 4}


def test_a_changed_claim_is_noticed(tmp_path: Path) -> None:
    token = ensure_authority(tmp_path / "authority").saved_account()
    header, body, signature = token.split(".")
    with pytest.raises(BadToken):
        decode(f"{header}.{body[:-2]}AA.{signature}")
    with pytest.raises(BadToken):
        decode("nonsense")
