"""Whom the bus refuses, from the very words of nats-server 2.15.1."""

from pathlib import Path

import pytest

from infra.authority.authority import Authority, ensure_authority
from infra.authority.keys import make_key
from services.gateway.conduct.busevents import Refusal, forced_end, refused_connection, violation
from services.gateway.conduct.buswatch import MOST_BYTES, Tail

KEY = "UAN6CJGEPB2VYFGXYFATNBG5XVV3BHMR7J5TQDKTE6FOXXTT44T4AS2M"
USER = f'"v2.16.0:python3:agent web-1" - "AAO4YCQVYEAI3OVLHZSYFK5FHJN7QALQNQZHCLSJ6UBXJF6PQRZO4HZ4/SONDE/jwt:{KEY}"'
BEGIN = f"[23122] 2026/11/21 23:47:14.238147 [ERR] 127.0.0.1:41216 - cid:26 - {USER} - "


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("publish", 'Publish Violation - Subject "metrics.web-2"'),
        ("publish", 'Publish Violation - Subject "$JS.API.STREAM.LIST"'),
        ("subscribe", 'Subscription Violation - Subject ">", SID 1'),
        ("subscribe", "maximum subscriptions exceeded"),
    ],
)
def test_a_violation_in_the_log_names_its_user(what: str, reason: str) -> None:
    assert violation(BEGIN + reason) == Refusal(KEY, what, reason)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[23122] 2026/11/21 23:47:16.757252 [ERR] 127.0.0.1:39828 - cid:27 - authentication error",
        "[23122] 2026/11/21 23:47:14.182293 [INF] Server is ready",
        BEGIN + "maximum payload exceeded: 300000 vs 262144",
        "x " + BEGIN + 'Publish Violation - Subject "a"',
    ],
)
def test_other_lines_are_passed_over(line: str) -> None:
    assert violation(line) is None


def test_a_client_whose_name_holds_quotes_is_named_all_the_same() -> None:
    line = BEGIN.replace("agent web-1", r"agent \"x\" - cid:1 - \"") + 'Publish Violation - Subject "metrics.web-2"'
    found = violation(line)
    assert found is not None
    assert found.name == KEY


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return ensure_authority(tmp_path_factory.mktemp("busevents") / "authority")


def refused(authority: Authority, token: str | None, now_s: float = 2000) -> Refusal | None:
    client = {"host": "203.0.113.9"} | ({"jwt": token} if token else {})
    return refused_connection({"client": client}, lambda: {authority.role_key("agent").public}, now_s)


def test_a_stranger_counts_by_address(authority: Authority) -> None:
    found = refused(authority, None)
    assert found == Refusal("203.0.113.9", "connect", "no identity")


def test_an_expired_jwt_counts_for_its_owner(authority: Authority) -> None:
    key = make_key("user").public
    found = refused(authority, authority.sign_user("agent", key, "web-1", 1000, 1500))
    assert found is not None
    assert (found.name, found.reason) == (key, "expired JWT, from 203.0.113.9")


def test_a_revoked_jwt_counts_for_its_owner(authority: Authority) -> None:
    key = make_key("user").public
    found = refused(authority, authority.sign_user("agent", key, "web-1", 1000, 9000))
    assert found is not None
    assert found.name == key
    assert found.reason.startswith("revoked")


def test_a_jwt_that_somebody_else_signed_never_counts_for_whom_it_names(authority: Authority, tmp_path: Path) -> None:
    key = make_key("user").public
    forged = ensure_authority(tmp_path / "other").sign_user("agent", key, "web-1", 1000, 9000)
    good = authority.sign_user("agent", key, "web-1", 1000, 9000)
    damaged = good[:-4] + "AAAA"
    for token in (forged, damaged, good[:50], "x.y.z", "ü"):
        found = refused(authority, token)
        assert found is not None
        assert found.name == "203.0.113.9"


@pytest.mark.parametrize("event", [None, 5, [], {}, {"client": 3}, {"client": {}, "reason": None}])
def test_events_that_make_no_sense_tell_nothing(event: object) -> None:
    assert forced_end(event) is None
    found = refused_connection(event, tuple, 0)
    assert found is None or found.name == "unknown address"


def test_being_cut_off_is_told_and_leaving_is_not() -> None:
    client = {"user": KEY, "host": "203.0.113.9"}
    revoked = forced_end({"client": client, "reason": "Credentials Revoked"})
    assert revoked == Refusal(KEY, "disconnected", "Credentials Revoked")
    assert forced_end({"client": client, "reason": "Client Closed"}) is None


def test_a_tail_gives_whole_lines_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Tail(path)
    assert log.lines() == []
    path.write_text("one\ntw")
    assert log.lines() == ["one"]
    with path.open("a") as file:
        file.write("o\nthree\n")
    assert log.lines() == ["two", "three"]
    assert log.lines() == []


def test_a_tail_skips_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\n")
    log = Tail(path)
    log.skip()
    with path.open("a") as file:
        file.write("new\n")
    assert log.lines() == ["new"]


def test_a_tail_follows_a_log_that_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old and long\n")
    log = Tail(path)
    log.skip()
    path.rename(tmp_path / "log.1")
    path.write_text("new\n")
    assert log.lines() == ["new"]
    path.write_text("x\n")  # truncated
    assert log.lines() == ["x"]


def test_a_tail_reads_only_so_much_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Tail(path)
    path.write_bytes(b"early\n" + b"x" * (2 * MOST_BYTES) + b"\nlast\n")
    lines = log.lines()
    assert "early" not in lines
    assert lines[-1] == "last"
