"""What there is to tell, to whom, and what was told so far: the whole input of the planner.

Times are seconds of a clock that only goes on, and equal to Unix seconds unless the machine's clock was set since.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

from schemas.incidents import Acknowledged, Facts
from schemas.matching import Subject
from schemas.routes import Route, Silence
from services.alerts.notice import Form, Kind


class Incident(Struct):
    """An alert that is on, or is over and not told to be. Never changed: what is new of it is another object."""

    id: int
    rule: str
    host: str
    """Empty: it is about Sonde itself."""
    instance: str
    level: int
    """1: warning, 2: critical, 0: it is over."""
    noticed_s: float
    """When its last change was noticed here, however long before that it happened."""
    facts: Facts
    tags: frozenset[str] = frozenset()
    """Of its host, now."""
    past: bool = False
    acknowledged: Acknowledged | None = None

    @property
    def subject(self) -> Subject:
        return Subject(self.host, self.tags, self.rule, self.instance, self.facts.severity)


class Told(Struct, frozen=True):
    """What a channel was told of an incident."""

    level: int
    """0: that it is over, or nothing."""
    at_s: float
    """Last."""
    since_s: float
    """First."""
    times: int = 1
    reference: dict[str, Any] = field(default_factory=dict)
    """How the channel calls the message, to change it and to follow it up."""
    unsure: bool = False
    """Nobody knows whether the message arrived: it is told anew, and so is its end."""


class Channel(Struct):
    """A channel as the planner sees it."""

    id: str
    held: str = ""
    """Why nothing can be sent there until somebody mends it; empty: it can. Now and then it is tried all the same."""
    next_s: float = 0
    """Not before: its pace, what it asked for, or the next try of one that is held."""
    fallback: str = ""
    """The channel that is told while this one is held."""
    failures: int = 0
    """Attempts in a row that failed."""


class Storm(Struct, frozen=True):
    """A route of a channel that has more news than people can read."""

    next_s: float
    """When the next message may tell of it."""
    interval_s: float
    level: int = 2
    """The gravest that it has told. What is graver does not wait for the next message."""


class World(Struct):
    """Everything at one moment."""

    incidents: dict[int, Incident] = {}
    told: dict[int, dict[str, Told]] = {}
    """By incident and channel. An incident's part is never changed, but replaced by another one."""
    routes: list[Route] = []
    """In the order in which they are tried."""
    silences: dict[int, Silence] = {}
    muted_until: dict[str, float] = {}
    """By host, Unix seconds."""
    channels: dict[str, Channel] = {}
    storms: dict[tuple[str, str], Storm] = {}
    """By channel and route."""
    sent_s: dict[tuple[str, str], list[float]] = {}
    """By channel and route: when messages were sent lately."""
    under_way: dict[str, Draft] = {}
    """By channel: what was sent, and has no answer yet."""
    catching_up_s: float | None = None
    """Until when nothing is told, as what is old is still being read; null: nothing is."""
    ahead_s: float = 0
    """How far the clock of all these is ahead of Unix time."""


class Item(Struct):
    """One incident in a message."""

    incident: Incident
    kind: Kind
    told: Told | None


class Draft(Struct):
    """A message to be sent now."""

    channel: str
    route: str
    form: Form
    items: list[Item]
    next_reminder_s: float | None = None
    storm: Storm | UnsetType | None = UNSET
    """What becomes of the storm of its channel and route once it is sent; unset: nothing changes."""


class Hold(Struct, frozen=True):
    """Why somebody is not told yet."""

    reason: Literal["catching up", "silence", "muted", "inhibited", "settling", "hours", "channel", "waiting"]
    text: str
    until_s: float | None = None
    """Null: until something happens."""


class Decision(Struct):
    """Who is to be told of one incident, and what keeps them from it."""

    steps: list[str] = []
    """In words, in the order in which it was decided."""
    hold: Hold | None = None
    """For everybody."""
    destinations: dict[str, Destination] = {}
    """By channel."""
    until_s: float = float("inf")
    """When it may be another one without anything having happened."""


class Destination(Struct):
    """One channel that is to be told."""

    route: Route
    purpose: Literal["route", "escalation", "fallback", "ending"]
    hold: Hold | None = None
    open_since_s: float | None = None
    """Since when the route's hours let messages through; null: it has none."""


class Plan(Struct):
    """What is to be done at a moment."""

    drafts: list[Draft] = []
    """At most one a channel."""
    settled: list[tuple[int, str, str]] = []
    """Incident, channel, and why it need not hear that it is over."""
    over: list[int] = []
    """Incidents that nobody has to hear of any more."""
    decisions: dict[int, Decision] = {}
    """Those that were made anew."""
    wake_s: float | None = None
    """When something changes by itself; null: never."""
