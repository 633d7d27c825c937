"""A message in words, before any channel has laid it out: what all channels say alike. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from services.alerts.deliver.formats import utc
from services.alerts.notice import Form


class Timed(Struct, frozen=True):
    """Words, and the moment that they end with; a channel may show it in each reader's own zone."""

    words: str
    at: float | None = None

    def __str__(self) -> str:
        return self.words if self.at is None else f"{self.words} {utc(self.at)}".lstrip()


class Fact(Struct, frozen=True):
    """One name and its value."""

    name: str
    value: Timed


class Line(Struct, frozen=True):
    """One incident of several, or many of one rule."""

    mark: str
    subject: str
    detail: Timed
    url: str = ""
    """Of the chart; empty: none."""

    def __str__(self) -> str:
        return f"{self.mark} {self.subject}: {self.detail}"


class Link(Struct, frozen=True):
    """Where to look next."""

    label: str
    url: str


class Message(Struct):
    """Everything that is said. Of `facts` and `lines` one is empty."""

    number: int
    """Of the notification; 0: a test."""
    form: Form | None
    """None: a test."""
    made: float
    headline: str
    """State, severity and what it is about, in a line."""
    summary: str
    """The whole message in a line."""
    color: str
    """Of the gravest of what it says, such as #d62828."""
    facts: list[Fact] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    more: str = ""
    """How many there are besides `lines`; empty: none."""
    notes: list[Timed] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


def plain(message: Message) -> str:
    """The message as lines of text, without its headline."""
    return "\n".join(_plain(message))


def _plain(message: Message) -> Iterator[str]:
    if not message.facts and not message.lines:
        yield message.summary
    for fact in message.facts:
        yield f"{fact.name}: {fact.value}"
    for line in message.lines:
        yield str(line)
    if message.more:
        yield message.more
    if message.notes:
        yield ""
        for note in message.notes:
            yield str(note)
    if message.links:
        yield ""
        for link in message.links:
            yield f"{link.label}: {link.url}"
