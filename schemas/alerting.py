"""What REST takes and answers about incidents, and about who is told of them. Times are Unix seconds."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from schemas.api import FieldError
from schemas.channels import Channel
from schemas.incidents import Acknowledged, Ending, IncidentState, Note, Step
from schemas.matching import NO_NUL, TEXT, Matcher, Tags
from schemas.messages import Severity
from schemas.routes import Route, RouteId
from schemas.rules import Rule
from schemas.subjects import HostId

IncidentId = Annotated[int, Meta(ge=1, le=2**53 - 1)]
SilenceId = IncidentId
Seconds = Annotated[
    float, Meta(ge=946_684_800, le=4_102_444_800, description="Unix seconds, of the years 2000 to 2100")
]
MOST_INCIDENTS = 1000
"""Of one request that changes many."""


class Incident(Struct):
    """An alert from when it first fires until it is over."""

    id: int
    rule: str
    rule_name: str
    host: str
    """Empty: it is about Sonde itself."""
    label: str
    """What people call the host; empty where they call it nothing."""
    instance: str
    metric: str
    unit: str
    state: IncidentState
    severity: Severity
    """Now, or when it ended."""
    worst: Severity
    value: float | None
    threshold: float
    since: float
    """When its condition began."""
    opened: float
    closed: float | None
    changed: float
    """When it last fired, rose, fell or ended."""
    peak: float | None
    peak_time: float | None
    ending: Ending | None
    tags: list[str]
    past: bool
    """It was found in samples that came late."""
    flapping: bool
    acknowledged: Acknowledged | None
    told: list[str]
    """Channels that were told of it."""
    version: int
    """Counts what people did to it."""
    invalid: str = ""
    """Why what is stored of it cannot be read; what is not known is empty then."""


class Incidents(Struct):
    incidents: list[Incident]
    next: str | None = None


class ToldChannel(Struct):
    """What a channel was told last of an incident."""

    channel: str
    level: int
    """1: warning, 2: critical, 0: that it is over."""
    at: float
    since: float
    """When it was told first."""
    times: int


NotificationStatus = Literal["sending", "sent", "failed", "refused", "dead", "unknown"]
"""`failed`: tried anew; `refused`: the channel does not take this message; `dead`: nor any other; `unknown`: nobody saw
the answer."""
MessageForm = Literal["alert", "reminder", "storm", "digest", "past"]


class Notification(Struct):
    """A message to a channel, and what came of it."""

    id: int
    channel: str
    route: str
    form: str
    status: NotificationStatus
    attempts: int
    answer: str
    made: float
    done: float | None
    delay_s: float | None
    """From the newest change that it tells of, as it happened, to the answer."""
    incidents: int
    """How many it tells of."""


class Notifications(Struct):
    notifications: list[Notification]
    next: str | None = None


class IncidentDetail(Struct):
    incident: Incident
    rule: Rule | None
    """As it was when it fired; null where that was not kept."""
    steps: list[Step]
    """What happened, the newest last; the newest 500."""
    told: list[ToldChannel]
    notifications: list[Notification]
    """The newest first, at most 100."""


About = Literal["rule", "selectors", "silence", "route", "delivery", "people"]


class Reason(Struct):
    """One step on the way to being told, or not."""

    about: About
    text: str
    at: float | None = None
    """When that was decided or done; null: it is so now."""
    channel: str = ""
    stops: bool = False
    """It keeps people from being told now."""


class Why(Struct):
    """Why people were told of an incident, or were not."""

    incident: int
    conclusion: str
    """In one sentence."""
    told: list[str]
    """Channels that know how it is now."""
    reasons: list[Reason]
    """In the order in which it is decided: rule, selectors, silence, route, delivery; each part by time."""


class Acknowledging(Struct, forbid_unknown_fields=True):
    """Body of an acknowledgement; all of it is optional."""

    until: Seconds | None = None
    """Null: until it changes for the worse, or ends."""
    note: Annotated[str, Meta(max_length=2000, pattern=NO_NUL, description=TEXT)] = ""


class NewNote(Struct, forbid_unknown_fields=True):
    text: Note


class BulkIncidents(Struct, forbid_unknown_fields=True):
    """One change of many incidents."""

    change: Literal["acknowledge", "unacknowledge", "note"]
    incidents: Annotated[list[IncidentId], Meta(min_length=1, max_length=MOST_INCIDENTS)]
    until: Seconds | None = None
    """For acknowledge."""
    note: Annotated[str, Meta(max_length=2000, pattern=NO_NUL, description=TEXT)] = ""
    """For acknowledge; required for note."""


class IncidentResult(Struct):
    incident: int
    done: bool
    error: str = ""


class IncidentResults(Struct):
    results: list[IncidentResult]
    done: int
    failed: int


SilenceState = Literal["active", "pending", "expired"]


class NewSilence(Struct, forbid_unknown_fields=True):
    """Body of a new silence, or of one that takes the place of another."""

    match: Matcher
    ends: Seconds | None = None
    """Or `for_s`; one of the two is required."""
    for_s: Annotated[float, Meta(ge=60, le=366 * 86400)] | None = None
    """Seconds that it lasts."""
    starts: Seconds | None = None
    """Null: now."""
    reason: Annotated[str, Meta(max_length=500, pattern=NO_NUL, description=TEXT)] = ""


class StoredSilence(Struct):
    id: int
    match: Matcher
    starts: float
    ends: float
    reason: str
    by: str
    state: SilenceState
    version: int
    invalid: str = ""
    """Why what is stored cannot be read; it silences nothing then."""


class Silences(Struct):
    silences: list[StoredSilence]
    next: str | None = None


class SilencePreview(Struct, forbid_unknown_fields=True):
    match: Matcher


class Silenced(Struct):
    """What a matcher fits now."""

    incidents: list[Incident]
    """Those that are open, the newest first, at most 100."""
    incident_count: int
    hosts: list[str]
    """Those whose alerts it may be about, at most 100."""
    host_count: int


class StoredRoute(Struct):
    route: Route
    version: int


class UnreadableItem(Struct):
    """Something stored that this version cannot read, so that it has no effect."""

    id: str
    version: int
    reason: str


class Routes(Struct):
    routes: list[StoredRoute]
    """In the order in which they are tried."""
    unreadable: list[UnreadableItem]


class RouteOrder(Struct, forbid_unknown_fields=True):
    routes: Annotated[list[RouteId], Meta(max_length=1000)]
    """All there are, in the order in which they are to be tried."""


class RouteQuestion(Struct, forbid_unknown_fields=True):
    """An alert that somebody thinks of."""

    rule: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}\Z", description="a rule id")]
    host: HostId | None = None
    """Null: it is about Sonde itself."""
    tags: Tags | None = None
    """Of the host; null: those that it has."""
    instance: Annotated[str, Meta(max_length=512, pattern=NO_NUL, description=TEXT)] = ""
    severity: Severity = "critical"


class RouteStep(Struct):
    route: str
    fits: bool
    why: str
    """Why it does not fit; of one that fits, what follows."""


class RouteCheck(Struct):
    """Which routes take an alert."""

    steps: list[RouteStep]
    """Routes in the order in which they are tried, as far as they are."""
    taken: list[str]
    channels: list[str]
    """Who is told, unless hours, silences or acknowledgements keep them from it."""


class ChannelState(Struct):
    """How a channel does."""

    held_since: float | None
    """Since when nothing is sent there until somebody mends it; null: it is not held."""
    held_reason: str
    failures: int
    """Attempts in a row that failed."""
    next_try: float | None
    """Not before; null: at once."""
    last_status: NotificationStatus | None
    last_answer: str
    last_sent: float | None


class StoredChannel(Struct):
    """A channel; its secrets are empty in answers."""

    channel: Channel
    version: int
    secrets: list[str]
    """Names of the secrets that are set."""
    state: ChannelState


class Channels(Struct):
    channels: list[StoredChannel]
    unreadable: list[UnreadableItem]


class RuleCheck(Struct):
    """Whether a rule makes sense."""

    ok: bool
    errors: list[FieldError] = field(default_factory=list)
