"""Channels: what is refused, and where secrets may go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.channelchecks import APPRISE_SCHEMES, check_channel
from schemas.channels import (
    Apprise,
    Channel,
    Email,
    Slack,
    SlackBot,
    Target,
    Webhook,
    keeping_secrets,
    secrets_set,
    without_secrets,
)
from schemas.rules import InvalidFields

MAIL = Email("mail.example.org", "sonde@example.org", ["ops@example.org"], user="sonde", password="SECRET")  # noqa: S106
BOT = SlackBot("C0123456789", "xoxb-SECRET")
HOOK = Webhook("https://hook.example/SECRET", "SECRET key")


def channel(target: Target, **changes: Any) -> Channel:
    return Channel("ops", "Ops", target, **changes)


@pytest.mark.parametrize(
    "target",
    [
        MAIL,
        BOT,
        HOOK,
        Webhook("http://192.0.2.7:8080/x"),
        Slack("https://hooks.slack.com/services/T/B/S"),
        Apprise("ntfys://ntfy.sh/x"),
    ],
)
def test_what_can_be_sent_to_passes(target: Target) -> None:
    check_channel(channel(target))


@pytest.mark.parametrize(
    ("target", "field"),
    [
        (Slack(""), "target.url"),
        (Slack("ftp://SECRET"), "target.url"),
        (Webhook("http://host:SECRET/"), "target.url"),
        (replace(BOT, room="no room"), "target.room"),
        (replace(BOT, token=""), "target.token"),
        (replace(BOT, token="SECRET\nX: y"), "target.token"),  # noqa: S106
        (replace(BOT, api_url="slack.com"), "target.api_url"),
        (replace(BOT, api_url="https://ann:SECRET@slack.com/api"), "target.api_url"),
        (replace(BOT, api_url="http://slack.com/api"), "target.api_url"),
        (replace(MAIL, server="not a host"), "target.server"),
        (replace(MAIL, sender="sonde"), "target.sender"),
        (replace(MAIL, sender="Sonde <sonde@example.org>"), "target.sender"),
        (replace(MAIL, recipients=["ops@example.org", "x@y z"]), "target.recipients[1]"),
        (replace(MAIL, password=""), "target.password"),
        (replace(MAIL, user=""), "target.user"),
        (replace(MAIL, security="none"), "target.security"),
        (Apprise("mailto://SECRET"), "target.url"),
    ],
)
def test_what_cannot_be_sent_to_is_refused_by_field_without_its_secrets(target: Target, field: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        check_channel(channel(target))
    assert [fault.field for fault in caught.value.faults] == [field]
    assert "SECRET" not in str(caught.value)


def test_a_channel_is_not_its_own_fallback() -> None:
    with pytest.raises(InvalidFields, match="another channel"):
        check_channel(channel(HOOK, fallback="ops"))


@pytest.mark.parametrize(("target", "names"), [(MAIL, ["password"]), (BOT, ["token"]), (HOOK, ["url", "key"])])
def test_an_answer_has_no_secret_and_says_which_are_set(target: Target, names: list[str]) -> None:
    assert "SECRET" not in str(without_secrets(channel(target)))
    assert secrets_set(channel(target)) == names
    assert secrets_set(without_secrets(channel(target))) == []


@pytest.mark.parametrize("target", [MAIL, BOT, HOOK])
def test_a_change_without_secrets_keeps_them(target: Target) -> None:
    before = channel(target)
    after = replace(without_secrets(before), name="Night")
    assert keeping_secrets(before, after) == replace(before, name="Night")


@pytest.mark.parametrize(
    ("target", "change"),
    [
        (MAIL, {"server": "mine.example"}),
        (MAIL, {"port": 2525}),
        (MAIL, {"security": "none"}),
        (BOT, {"api_url": "https://mine.example"}),
        (Slack("https://hooks.slack.com/SECRET"), {"url": "https://mine.example"}),
    ],
)
def test_a_secret_is_never_kept_for_another_place(target: Target, change: dict[str, Any]) -> None:
    before = channel(target)
    blank = without_secrets(before)
    after = replace(blank, target=replace(blank.target, **change))
    assert keeping_secrets(before, after) == after


def test_a_key_that_only_signs_stays_when_the_address_changes() -> None:
    before = channel(HOOK)
    after = channel(Webhook("https://other.example/", ""))
    assert keeping_secrets(before, after) == channel(Webhook("https://other.example/", HOOK.key))


def test_a_secret_is_never_kept_for_another_kind_of_channel() -> None:
    after = channel(Slack(""))
    assert keeping_secrets(channel(HOOK), after) == after


def test_every_scheme_that_apprise_may_have_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/notifications.md").read_text()
    assert [scheme for scheme in sorted(APPRISE_SCHEMES) if f"`{scheme}`" not in page] == []
