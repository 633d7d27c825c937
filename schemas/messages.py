"""Messages on the bus.

Positional (`array_like`) structs travel as MessagePack and only ever grow at their end; the others travel as JSON for
people, and their new fields have defaults. Types never change.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

Lane = Literal["metrics", "backfill", "live"]

CONTENT_TYPE = "Content-Type"
SCHEMA_VERSION = "Sonde-Schema"
MESSAGE_ID = "Nats-Msg-Id"
BATCH_TYPE = "application/vnd.sonde.batch+msgpack"
BATCH_VERSION = "1"
ALERT_VERSION = "2"
"""Of `AlertTransition`; 2 has incidents, alerts without a host, and those of samples that came late."""
JSON_TYPE = "application/json"


class Series(Struct, array_like=True):
    """The samples of one instance in a block."""

    instance: str
    """Instance name (mount, disk, interface ...); empty for a family without instances."""
    labels: dict[str, str]
    rows: list[int] | None
    """Indices into the batch's `times`, ascending; None means every time."""
    columns: list[int | bytes | None]
    """One column per code of the block, see `schemas.columns`."""


class Block(Struct, array_like=True):
    """One family's part of a batch."""

    family: str
    codes: list[int]
    """Catalogue codes of the metrics, in the order of every series' columns."""
    series: list[Series]
    period_ms: int = 0
    """Milliseconds between two samples of this family where settings made it another than the catalogue's; else 0."""


class Batch(Struct, array_like=True):
    """What an agent publishes: all samples of a stretch of time, columnar."""

    host: str
    epoch: str
    """Nonce made with the agent's spool; a new one starts a new numbering."""
    lane: Lane
    seq: int
    """Ascends with every message of this lane and epoch; a repeat has the same number and the same content."""
    times: list[int]
    """Sample times: Unix milliseconds, then differences."""
    families: list[Block]


class HostFacts(Struct, frozen=True):
    """What a host is; sent when the agent starts and when something of it changes."""

    hostname: str = ""
    os: str = ""
    kernel: str = ""
    architecture: str = ""
    cpu_model: str = ""
    cores: int = 0
    memory: int = 0
    """Bytes."""
    boot_id: str = ""
    boot_time: float = 0
    """Unix seconds."""
    addresses: list[str] = field(default_factory=list)
    gpus: list[str] = field(default_factory=list)
    virtualisation: str = ""
    agent_version: str = ""
    sample_interval_s: float = 1
    batch_interval_s: float = 10
    tags: list[str] = field(default_factory=list)
    config_revision: int = 0
    """Revision of the pushed settings in force; 0: none were pushed."""
    config_error: str = ""
    """Why the newest pushed settings are not in force; empty when they are."""
    time_zone: str = ""
    """IANA name of the zone that its clocks are set to; empty: not known."""


class ProcessUse(Struct, frozen=True):
    """What one process uses."""

    pid: int
    name: str
    cpu: float
    """Percent of one core."""
    memory: int
    """Resident bytes."""


class TopProcesses(Struct, frozen=True):
    """The processes that use most; sent every 10 s while somebody looks at the host."""

    cpu: list[ProcessUse]
    memory: list[ProcessUse]


class HostEvent(Struct):
    """Something that happened to a host, as JSON on `events.<host>`."""

    host: str
    time: float
    """Unix seconds."""
    kind: str
    """`facts`, `dropped`, `processes` or `config` of agents; `left` or `joined` of the gateway, which the bus told that
    the agent's last connection ended, or that there is one again. Later versions may have more, to be passed over."""
    facts: HostFacts | UnsetType = UNSET
    dropped: int | UnsetType = UNSET
    """Batches lost so far because the spool was full."""
    processes: TopProcesses | UnsetType = UNSET
    config_error: str | UnsetType = UNSET
    """Why pushed settings were refused; the ones before stay in force."""


class LiveInterest(Struct):
    """A viewer is there: agents named here publish every sample on `live.<host>` until `ttl_s` has passed."""

    hosts: list[str]
    """Host ids, and `*` for all. Those named are looked at closely: they tell of their processes too."""
    ttl_s: float = 15


AlertState = Literal["ok", "pending", "firing", "recovering", "nodata", "suspended"]
Severity = Literal["warning", "critical"]
TransitionKind = Literal["fire", "escalate", "deescalate", "resolve", "gone"]


class AlertTransition(Struct):
    """One change of an alert, as JSON on `alerts.<host>.<rule>`; `alerts._.<rule>` where it has no host."""

    id: int
    """Number of the transition, ascending."""
    time: float
    """Sample time at which the condition had held long enough, Unix seconds."""
    kind: TransitionKind
    host: str
    """Empty: it is about Sonde itself."""
    rule: str
    rule_name: str
    metric: str
    instance: str
    severity: Severity
    """Severity after the change; on resolve, the one that ends."""
    value: float | None
    unit: str
    threshold: float
    since: float
    """Sample time at which the alert first fired; on fire, when the condition began."""
    peak: float | None = None
    """Worst value while it fired."""
    peak_time: float | None = None
    """Sample time of that value, Unix seconds."""
    incident: int = 0
    """Number of the incident that this is part of, the same from fire to its end; 0 where an earlier version fired."""
    past: bool = False
    """Found in samples that came late: it was so then, and says nothing of now."""
    flapping: bool = False
    """It came and went so often that it takes longer to be over."""
    tags: list[str] = field(default_factory=list)
    """Of the host, as people gave them."""
