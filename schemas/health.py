"""How Sonde itself is: what each service says of itself on the bus, and what `GET /health` makes of it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

HEARTBEAT_EVERY_S = 5.0
MISSING_AFTER_S = 15.0
"""A service that was not heard for so long counts as missing."""

SERVICES = ("ingest", "alerts", "retention", "gateway")
Status = Literal["ok", "degraded", "down", "unknown"]
"""`unknown`: it cannot be told, as what would tell it does not answer."""


class Disk(Struct, frozen=True):
    """Where a service keeps its data."""

    what: str
    """Such as `database`."""
    free_bytes: int
    """For an ordinary user."""
    size_bytes: int
    """Used and free together."""


class Delay(Struct, frozen=True):
    """How long something took, in seconds."""

    median: float
    p99: float
    """99 of 100 took no longer."""


class Outward(Struct, frozen=True):
    """How telling the dead man's switch goes."""

    last_success: int | None
    """When it was last told, Unix milliseconds; null: not yet."""
    failing: str
    """Why it is not told now; empty when it is."""


class Work(Struct, frozen=True):
    """How far a service is with its work; what does not concern it is null or empty."""

    lag_s: float | None = None
    """ingest, alerts: age of the oldest message that is not processed; retention: since when all that was due is rolled
    up, at most 30 s unless it is behind; gateway: how late its event loop was at most in the last 10 s. Null: not known
    yet."""
    behind: dict[str, int] = field(default_factory=dict)
    """Stream -> messages in it that are not processed."""
    last_run: int | None = None
    """retention: when it last pruned, Unix milliseconds."""
    viewers: int | None = None
    """gateway: open live streams."""
    disk: Disk | None = None
    told_s: Delay | None = None
    """alerts: seconds from what happened to the answer of whom it was told to, of the last messages. Null: nobody was
    told anything yet."""
    outward: Outward | None = None
    """alerts: the dead man's switch of the setting heartbeat_url. Null: there is none."""


class Heartbeat(Struct, frozen=True):
    """What one instance of a service says of itself, as JSON on `health.<service>` every 5 s."""

    service: str
    """`ingest`, `alerts`, `retention` or `gateway`."""
    instance: str
    """Random name, made when the service started."""
    host: str
    """Name of its machine."""
    pid: int
    """All services of `sonde up` are one process."""
    version: str
    time: int
    """When this was said, Unix milliseconds, as are `started` and `last_success`."""
    started: int
    uptime_s: float
    standby: bool
    """Whether it waits until another instance of the service ends."""
    errors: int
    """Failures of its work since it started."""
    errors_last_minute: int
    last_error: str
    """Of the last failure; empty when there was none."""
    last_success: int | None
    """When it last completed a turn of its work; null: not yet."""
    rss_bytes: int
    """Resident memory of its process."""
    work: Work = field(default_factory=Work)
    ended: bool = False
    """It stops: this is its last heartbeat."""


class Instance(Struct, frozen=True):
    """One instance of a service, as the gateway last heard it."""

    status: Status
    """`down`: it was not heard for 15 s."""
    silent_s: float
    """Since its last heartbeat."""
    heartbeat: Heartbeat


class Component(Struct, frozen=True):
    """One part of Sonde."""

    name: str
    status: Status
    detail: str
    """What was found; unless all is well also what to do."""
    instances: list[Instance] = field(default_factory=list)
    """Of a service."""


class StreamFill(Struct, frozen=True):
    """How full a stream of the bus is."""

    name: str
    messages: int
    bytes: int
    most_bytes: int
    """0: it has no limit of its own."""


class Health(Struct, frozen=True):
    """The state of Sonde, also as an event of the live stream whenever the status of a component changes."""

    status: Status
    """`down` without database or bus; `degraded` when anything else is not well; else `ok`."""
    version: str
    time: int
    """Unix milliseconds."""
    components: list[Component]
    streams: list[StreamFill] = field(default_factory=list)
    """Of the bus; none while it does not answer."""
