"""Channels: where people are told. Secrets are write-only: no answer repeats them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

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
