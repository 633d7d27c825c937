"""A message as facts, before any channel has laid it out, and what came of sending it. Times are Unix seconds."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from schemas.incidents import Facts

Kind = Literal["fire", "escalate", "deescalate", "resolve", "gone", "repeat", "past"]
"""What a message says of one incident; `past`: that it was, as its samples came late."""

Form = Literal["alert", "reminder", "storm", "digest", "past"]
"""What a message is as a whole; `digest`: what was held during quiet hours."""


class Said(Struct):
    """One incident in a message."""

    incident: int
    kind: Kind
    host: str
    """Empty: it is about Sonde itself."""
    label: str
    """What people call the host; its name where they call it nothing."""
    rule: str
    instance: str
    opened: float
    closed: float | None
    facts: Facts
    tags: list[str] = field(default_factory=list)
    acknowledged_by: str = ""
    reference: dict[str, Any] = field(default_factory=dict)
    """How this channel calls the message in which it heard of the incident first; empty: it did not, or names none."""


class Extent(Struct):
    """How far a rule's trouble goes, whoever is told of it."""

    firing: int
    """Hosts on which it is on."""
    hosts: int
    """Hosts that it is about."""


class Notice(Struct):
    """One message to one channel."""

    number: int
    """Of the notification; the same when it is tried again."""
    form: Form
    made: float
    items: list[Said]
    extents: dict[str, Extent] = field(default_factory=dict)
    """By rule."""
    next_reminder: float | None = None
    """When people are reminded of what goes on; null: never."""
    dashboard_url: str = ""
    """For links; empty: none."""
    beside: list[Said] = field(default_factory=list)
    """What stands in the same messages of this channel as `items` do and is no news; its kind says how it stands."""
    simulated: bool = False
    """Whether it is of a demonstration, and says so."""


Verdict = Literal["sent", "again", "refused", "dead"]
"""`again`: worth another try; `refused`: the channel will never take this message; `dead`: nor any other."""


class Outcome(Struct):
    """What came of one attempt."""

    verdict: Verdict
    answer: str
    """For people, without secrets."""
    retry_after_s: float | None = None
    """What the channel asked for."""
    reference: dict[str, Any] = field(default_factory=dict)
    """How it calls the message."""
    perhaps: bool = False
    """`again`: the message may have arrived all the same, as no whole answer came."""
