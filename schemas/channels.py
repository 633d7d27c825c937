"""Channels: where people are told. Secrets are write-only: no answer repeats them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import asdict, replace

from schemas.matching import NO_NUL, TEXT
from schemas.routes import ChannelId
from schemas.rules import Name, Owner
from schemas.validation import SECRET

Secret = Annotated[str, Meta(max_length=2000, pattern=NO_NUL, description=TEXT, extra={SECRET: True})]
"""Empty in a change: it stays as it is. Empty in an answer, whatever it is."""
Line = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\Z", description="one line of text")]


class Slack(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="slack"):
    """An incoming webhook of Slack."""

    url: Secret = ""


class SlackBot(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="slack-bot"):
    """A bot of Slack: it changes its messages as incidents go on, and follows them up in threads."""

    room: Line
    """Id of the conversation that it posts to, such as C0123456789."""
    token: Secret = ""
    """With the scope chat:write; begins with xoxb-."""
    api_url: Line = "https://slack.com/api"
    """Of Slack's Web API."""


class Webhook(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="webhook"):
    """JSON to an address of the user's, signed with HMAC-SHA256 where a key is given."""

    url: Secret = ""
    key: Secret = ""


class Email(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="email"):
    """E-mail by SMTP."""

    server: Line
    sender: Line
    recipients: Annotated[list[Line], Meta(min_length=1, max_length=50)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Line = ""
    password: Secret = ""


class Apprise(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="apprise"):
    """Any service that Apprise knows, by its address there, such as ntfy://host/topic."""

    url: Secret = ""


Target = Slack | SlackBot | Webhook | Email | Apprise


class Channel(Struct, frozen=True, forbid_unknown_fields=True):
    """One place where people are told."""

    id: ChannelId
    name: Name
    target: Target
    enabled: bool = True
    """Off: it is as if it were not there."""
    fallback: str = ""
    """Id of the channel that is told while nothing can be sent on this one; empty: none."""
    owner: Owner = ""


class Trial(Struct, forbid_unknown_fields=True):
    """Asks the alert service to send a test message: to the stored channel `id`, or to `draft` as it is given."""

    id: str = ""
    draft: Channel | None = None


class TrialAnswer(Struct):
    """What came of a test message."""

    ok: bool
    """Whether the channel took it."""
    verdict: Literal["sent", "again", "refused", "dead", "unknown"]
    """`again`: it may work later; `refused`: it will never take this message; `dead`: nor any other; `unknown`: there
    is no such channel, or it cannot be read."""
    answer: str
    """What came back, word for word where it has no secrets."""
    ms: int
    """How long it took."""


_SECRETS = ("url", "token", "key", "password")
_SENT = ("url", "token", "password")
"""Those that travel; a key only signs what does."""
_PLACES = ("server", "port", "security", "api_url")
"""Where secrets are sent to, or in which way."""


def without_secrets(channel: Channel) -> Channel:
    """As answers show it."""
    return replace(channel, target=replace(channel.target, **dict.fromkeys(_secrets(channel.target), "")))


def secrets_set(channel: Channel) -> list[str]:
    """Names of the secrets that it has."""
    return [name for name in _secrets(channel.target) if getattr(channel.target, name)]


def keeping_secrets(before: Channel | None, after: Channel) -> Channel:
    """`after` with the secrets of `before` where its own are empty.

    None is kept that would go somewhere else than before: whoever may change a channel could send it to himself.
    """
    if before is None or type(before.target) is not type(after.target):
        return after
    old, new = asdict(before.target), asdict(after.target)
    if any(old[name] != new[name] for name in _PLACES if name in old):
        return after
    elsewhere = bool(new.get("url")) and new["url"] != old["url"]
    kept = {name: old[name] for name in _secrets(after.target) if not new[name] and not (elsewhere and name in _SENT)}
    return replace(after, target=replace(after.target, **kept))


def _secrets(target: Target) -> tuple[str, ...]:
    return tuple(name for name in _SECRETS if name in target.__struct_fields__)
