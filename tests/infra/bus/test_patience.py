"""What is said and how long is waited when the bus is away or refuses us."""

from __future__ import annotations

from pathlib import Path

import nats.errors
import pytest

from infra.bus.credentials import BadCredentials, identity, read_credentials, stamp
from infra.bus.patience import SAY_EVERY_S, Access, Patience, Seldom, is_refusal

CREDENTIALS = """-----BEGIN NATS USER JWT-----
eyJ0eXAiOiJKV1QifQ.e30.c2ln
------END NATS USER JWT------

************************* IMPORTANT *************************
-----BEGIN USER NKEY SEED-----
SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4
------END USER NKEY SEED------
"""


def test_a_text_is_said_once_an_hour() -> None:
    seldom = Seldom()
    assert [second for second in range(0, 3 * int(SAY_EVERY_S), 60) if seldom.due("refused", second)] == [0, 3600, 7200]


def test_texts_do_not_hide_one_another() -> None:
    seldom = Seldom()
    assert seldom.due("refused", 0)
    assert seldom.due("away", 1)
    assert not seldom.due("refused", 2)


def test_what_goes_wrong_after_it_worked_is_news() -> None:
    seldom = Seldom()
    seldom.due("refused", 0)
    seldom.forget()
    assert seldom.due("refused", 1)


def test_however_many_texts_there_are_few_are_remembered() -> None:
    seldom = Seldom()
    for number in range(1000):
        assert seldom.due(f"{number}", 0)
    assert seldom.due("0", 1)
    assert not seldom.due("999", 1)


@pytest.mark.parametrize(
    "text",
    [
        "nats: 'Authorization Violation'",
        "nats: 'User Authentication Expired'",
        "nats: 'User Authentication Revoked'",
        "nats: 'Account Authentication Expired'",
    ],
)
def test_what_only_an_operator_can_end_is_a_refusal(text: str) -> None:
    assert is_refusal(nats.errors.Error(text))


@pytest.mark.parametrize("error", [OSError("refused"), nats.errors.Error("nats: 'Authentication Timeout'")])
def test_what_passes_by_itself_is_no_refusal(error: Exception) -> None:
    assert not is_refusal(error)


async def test_an_error_on_a_working_connection_is_not_waited_for() -> None:
    patience = Patience("test", Access(refused_wait_s=(1000, 1000)))
    await patience.after(nats.errors.Error("nats: 'Permissions Violation for Publish to \"x\"'"), connected=True)


def test_refused_the_agent_waits_a_second_at_first_and_a_quarter_of_an_hour_at_most() -> None:
    assert Access().refused_wait_s == (1, 900)


def test_a_credentials_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "web-1.creds"
    path.write_text(CREDENTIALS)
    jwt, seed = read_credentials(str(path))
    assert jwt == b"eyJ0eXAiOiJKV1QifQ.e30.c2ln"
    assert seed.startswith(b"SUAI")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it has no user JWT"),
        (CREDENTIALS.partition("***")[0], "it has no seed"),
        (CREDENTIALS.replace("SUAIBDPB", "AAAAAAAA"), "its seed is not valid"),
    ],
)
def test_a_credentials_file_that_is_none_is_named_with_what_it_lacks(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "web-1.creds"
    path.write_text(content)
    sign, _ = identity(str(path))
    with pytest.raises(BadCredentials, match=reason) as error:
        sign("nonce")
    assert str(path) in str(error.value)
    assert "SUAI" not in str(error.value)


def test_a_missing_credentials_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BadCredentials, match="No such file or directory; create the file"):
        read_credentials(str(tmp_path / "web-1.creds"))


def test_a_replaced_file_has_another_stamp(tmp_path: Path) -> None:
    path = tmp_path / "web-1.creds"
    missing = stamp(str(path))
    path.write_text("old")
    old = stamp(str(path))
    (tmp_path / "new").write_text("new")
    (tmp_path / "new").replace(path)
    assert len({missing, old, stamp(str(path))}) == 3


async def test_whoever_can_get_other_credentials_is_told_of_a_refusal_and_of_nothing_else() -> None:
    told: list[int] = []
    patience = Patience("test", Access(refused_wait_s=(0.001, 0.001), refused=lambda: told.append(1)))
    await patience.after(nats.errors.Error("nats: 'Authorization Violation'"), connected=False)
    assert told == [1]
    await patience.after(nats.errors.Error("nats: 'Permissions Violation for Publish to \"x\"'"), connected=True)
    await patience.after(OSError("refused"), connected=False)
    assert told == [1]
