"""What the gateway answers: REST bodies and live events under /api/v1, as JSON.

Values are in their metric's unit (already multiplied by its resolution), times are Unix milliseconds unless a field
says otherwise. The dashboard's TypeScript types are generated from these.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from schemas.agentconfig import AgentConfig
from schemas.messages import AlertState, AlertTransition, HostFacts, ProcessUse, Severity
from schemas.rules import Rule

HostState = Literal["up", "late", "offline", "archived"]
"""Archived: kept for its history; neither expected to send nor judged."""
Resolution = Literal["raw", "minute", "hour"]
"""What an answer was read from: samples, or roll-ups of a minute or an hour."""
Ranking = Literal["avg", "max", "p95"]
Values = dict[str, dict[str, dict[str, float | None]]]
"""Family -> instance (empty for the host itself) -> metric -> value; null is unknown."""


class AlertCounts(Struct):
    warning: int = 0
    critical: int = 0


Muted = int | Literal["forever"] | None
"""Until when nobody is notified of a host's alerts; null: people are."""
UpdateState = Literal["current", "other", "unknown"]
"""Whether an agent has the version of the gateway."""


class Host(Struct):
    """GET /hosts item, GET /hosts/{id}, and the live event `host`."""

    id: str
    state: HostState
    last_sample: int | None
    facts: HostFacts
    alerts: AlertCounts
    latest: Values
    labels: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    """Family -> instance -> label -> value."""
    label: str = ""
    """What people call it; empty: its id."""
    tags: list[str] = field(default_factory=list)
    """Given by people, or by the token it enrolled with."""
    proposed_tags: list[str] = field(default_factory=list)
    """Of those that its agent proposes, the ones that it does not have."""
    muted_until: Muted = None
    version: int = 0
    """Of what people say of it, for If-Match; 0: the host is not in the table yet."""
    update: UpdateState = "unknown"


class Refusal(Struct):
    """Rows of a host that were not stored, such as those too old to have a place."""

    family: str
    reason: str
    rows: int
    last: int
    """When the newest of them came, Unix milliseconds."""


class HostDetail(Host):
    """GET /hosts/{id}."""

    refusals: list[Refusal] = field(default_factory=list)
    note: str = ""
    """What people wrote down about it."""


class Hosts(Struct):
    hosts: list[Host]
    next: str | None = None
    """Cursor of the next page; null on the last."""
    matched: int = 0
    """How many hosts fit the filter, on all pages."""


class SeriesColumn(Struct):
    """One metric of one instance, one entry per time of its answer; null is a gap."""

    metric: str
    instance: str
    unit: str
    avg: list[float | None]
    min: list[float | None]
    max: list[float | None]


class SeriesAnswer(Struct):
    """GET /hosts/{id}/series: `times` are the starts of steps of `step_ms`.

    [`from`, `to`) is the range answered, which roll-ups widen to whole minutes or hours.
    """

    host: str
    from_: int = field(name="from")
    to: int
    resolution: Resolution
    step_ms: int
    times: list[int]
    series: list[SeriesColumn]


class StoredFamilies(Struct):
    """GET /hosts/{id}/families: the metric families of which rows are stored within [`from`, `to`).

    Roll-ups widen the range to whole hours.
    """

    host: str
    from_: int = field(name="from")
    to: int
    families: list[str]


class FleetColumn(Struct):
    """A metric of one instance of one host, as SeriesColumn."""

    host: str
    instance: str
    rank: float | None
    """The value it is ranked by; null when no ranking was asked for."""
    avg: list[float | None]
    min: list[float | None]
    max: list[float | None]


class FleetSeriesAnswer(Struct):
    """GET /series: one metric of many hosts, with `top` in descending order of what they are ranked by."""

    metric: str
    unit: str
    from_: int = field(name="from")
    to: int
    resolution: Resolution
    step_ms: int
    by: Ranking | None
    considered: int
    """How many instances were ranked or shown."""
    times: list[int]
    series: list[FleetColumn]


class Stat(Struct):
    """Statistics of one metric of one instance over a range, all exact but perhaps the percentiles."""

    metric: str
    instance: str
    unit: str
    count: int
    min: float | None
    avg: float | None
    max: float | None
    max_time: int | None
    """When the greatest value first occurred."""
    max_time_resolution: Resolution | None
    """Of what `max_time` is the begin: where raw samples are gone, of a minute or an hour."""
    p50: float | None
    p95: float | None
    p99: float | None
    exact: bool
    """Whether the percentiles are exact; within 1 % of the exact ones otherwise."""
    last: float | None
    """The newest value; null also where raw samples are gone."""


class StatsAnswer(Struct):
    """GET /hosts/{id}/stats over [`from`, `to`), which is widened to whole hours where raw samples are gone."""

    host: str
    from_: int = field(name="from")
    to: int
    resolution: Resolution
    """`hour` when hour rows stand for the whole hours of the range; the rest is from raw samples."""
    stats: list[Stat]


class StoredRule(Struct):
    rule: Rule
    version: int


class UnreadableRule(Struct):
    """A stored rule that is not judged: this version does not understand it, or it makes no sense here."""

    id: str
    version: int
    reason: str


class Rules(Struct):
    rules: list[StoredRule]
    unreadable: list[UnreadableRule] = []
    not_judged: list[UnreadableRule] = []
    """Of `rules` those that are on and cannot be judged, such as one whose metric this version does not have."""


class ActiveAlert(Struct):
    rule: str
    rule_name: str
    host: str
    instance: str
    metric: str
    state: AlertState
    severity: Severity
    value: float | None
    unit: str
    threshold: float
    since: float
    """Unix seconds, as in AlertTransition."""
    incident: int = 0
    """Number of the incident that it is; 0 while it is pending."""
    acknowledged: bool = False
    """Somebody has seen it as it is now."""
    acknowledged_until: float | None = None
    """Unix seconds; null: until it changes for the worse, or ends."""


class Delivery(Struct):
    """The last message by which a channel was told of something."""

    channel: str
    status: str
    """As `NotificationStatus`."""
    attempts: int
    answer: str


class PastAlert(AlertTransition):
    """A transition and what became of the messages that told of it."""

    deliveries: list[Delivery] = field(default_factory=list)
    """One for each channel."""


class Alerts(Struct):
    active: list[ActiveAlert]
    history: list[PastAlert]
    """Every change once, the latest first."""
    next: str | None = None
    """Cursor of the following page of the history; null on the last, as in every list."""


class Setting(Struct):
    key: str
    value: Any
    """Null when secret."""
    default: Any
    version: int
    description: str
    secret: bool
    set: bool
    invalid: str = ""
    """Why what is stored cannot be used, with the remedy; `value` is then the one in force, if it is no secret."""


class Settings(Struct):
    settings: list[Setting]


class FieldError(Struct):
    field: str
    value: Any
    reason: str


class Problem(Struct):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[FieldError] = field(default_factory=list)


class Snapshot(Struct):
    """Live event: where some hosts stand, and the last 60 s; `complete` follows the last of several.

    `history` is host -> `times` (list of ms) and metric path -> instance -> values at those times.
    """

    time: int
    hosts: list[Host]
    history: dict[str, dict[str, Any]]


class Complete(Struct):
    """Live event: all hosts have come. Those that nothing has named since the stream or `resync` began are gone."""

    time: int


class Watching(Struct):
    """Live event: how many watch, a little after somebody came or went."""

    viewers: int


class LiveSample(Struct):
    host: str
    time: int
    families: Values


class Frame(Struct):
    """Live event: every sample since the last frame, oldest first."""

    time: int
    samples: list[LiveSample]


class Processes(Struct):
    """Live event: the processes of a host in detail that use most, about every 10 s while somebody looks at it."""

    host: str
    time: int
    """When they were counted, Unix milliseconds."""
    cpu: list[ProcessUse]
    """Those with most processor time since the time before, the most first."""
    memory: list[ProcessUse]


class Gone(Struct):
    """Live event: a host was removed."""

    host: str


class Removal(Struct):
    """GET /removals item: a host that was removed and whose rows are being deleted; it is gone when they are."""

    name: str
    """What the host was called; another one may be called so by now."""
    asked: int
    """When its removal was asked for, Unix milliseconds."""
    parts: int
    """Partitions or chunks to look through; 0 until it is begun."""
    done: int
    """Of those."""
    rows: int
    """Rows deleted so far."""


class Removals(Struct):
    removals: list[Removal]
    """Oldest first."""
    next: str | None = None


class AgentConfigAnswer(Struct):
    """Settings of one agent, or of all."""

    config: AgentConfig
    """As they were given."""
    version: int
    """For If-Match; 0: nothing was ever given."""
    effective: AgentConfig
    """With the fleet's settings where the host has none of its own; its revision is what agents go by."""
    in_force: int | None
    """Revision that the agent says it follows; null for the fleet."""
    error: str
    """Why the agent does not follow them; empty when it does, or has not said."""
