"""Alert rules: what REST takes, the database keeps and the alert machine evaluates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.matching import NO_NUL, TEXT, HostPattern, Pattern, Tags
from schemas.virtual import CHANNEL_HELD, HOST_DOWN, MONITORING_BLIND, SERVICE_SILENT

Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=NO_NUL, description=TEXT)]
RuleId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}\Z", description="1 to 40 characters, each a-z, 0-9 or -")]
Owner = Annotated[str, Meta(max_length=60, pattern=NO_NUL, description=TEXT)]
"""Who keeps something in a file, such as `terraform`; empty: people, here."""
Seconds = Annotated[float, Meta(ge=0, le=7 * 86400)]


class Threshold(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a level begins and where it ends again; the gap between the two is the hysteresis."""

    raise_at: float
    clear_at: float


Function = Literal["last", "avg", "min", "max", "p95", "rate", "increase", "time_left"]
SHORTEST_WINDOW_S = 2.0
LONGEST_WINDOW_S = 3600.0
LONGEST_TREND_S = 24 * 3600.0
"""Of `time_left`, which looks at one value a minute."""


class Window(Struct, frozen=True, forbid_unknown_fields=True):
    """What of the last values is held against the thresholds.

    `rate` is the change per second from the first to the last value of the window, `increase` that change as it is;
    where a counter began anew, both count from there. `time_left` is in how many seconds the metric reaches `limit` if
    it goes on as in the window.
    """

    function: Function = "last"
    seconds: Annotated[float, Meta(ge=0, le=LONGEST_TREND_S)] = 0
    limit: float | None = None
    """For `time_left`; null: the most that the metric can be."""


class Also(Struct, frozen=True, forbid_unknown_fields=True):
    """A second condition on another metric of the same family and instance, at the same moment."""

    metric: str
    comparison: Literal["above", "below"]
    value: float


COUNTERS = frozenset(
    {
        "memory.oom_kills",
        "gpu.ecc_corrected",
        "gpu.ecc_uncorrected",
        "agent.dropped_total",
        "agent.reconnects",
        "agent.late_ticks",
        "container.restarts",
    }
)
"""Metrics that only grow, and begin anew with what counts them."""

NoData = Literal["keep", "alert", "ok"]


class Override(Struct, frozen=True, forbid_unknown_fields=True):
    """What of a rule is different for some hosts; null is as in the rule. Of several that fit the first is taken."""

    hosts: Annotated[list[HostPattern], Meta(max_length=200)] = []
    tags: Tags = []
    """Each must be on the host."""
    warning: Threshold | None = None
    critical: Threshold | None = None
    for_s: Seconds | None = None
    recover_for_s: Seconds | None = None
    enabled: bool | None = None


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One alert rule. `metric` is a dotted path of the catalogue, or one of `schemas.virtual`."""

    id: RuleId
    name: Name
    metric: str
    host: str = "*"
    """Host id, in which * stands for any characters and ? for one."""
    instance: Annotated[str, Meta(max_length=512, pattern=NO_NUL, description=TEXT)] = "*"
    """Instance name, likewise. Each instance that fits has an alert of its own."""
    comparison: Literal["above", "below"] = "above"
    warning: Threshold | None = None
    critical: Threshold | None = None
    for_s: Seconds = 0
    """The condition must hold this long, in sample time, before the alert fires."""
    recover_for_s: Seconds = 0
    """The recovery must hold this long before the alert resolves."""
    enabled: bool = True
    runbook_url: Annotated[str, Meta(max_length=500, pattern=NO_NUL, description=TEXT)] = ""
    tags: Tags = []
    """Each must be on the host."""
    without_tags: Tags = []
    """None of them may be."""
    not_instances: Annotated[list[Pattern], Meta(max_length=50)] = []
    """Instances that the rule is not about although `instance` fits them."""
    window: Window = Window()
    also: Also | None = None
    no_data: NoData = "keep"
    """What it means when an instance that was there is sampled no more, or its value is null, while its host sends:
    `keep` leaves the alert as it is until the instance is gone, `alert` fires, `ok` resolves."""
    no_data_s: Annotated[float, Meta(ge=0, le=7 * 86400)] = 300
    """How long that must last."""
    overrides: Annotated[list[Override], Meta(max_length=100)] = []
    owner: Owner = ""


class InvalidField(ValueError):
    """A value that its type allows and its meaning does not; names the field, the value and the remedy."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        super().__init__(f"{field}: {value!r}: {remedy}")
        self.field = field
        self.value = value
        self.remedy = remedy


class InvalidFields(ValueError):
    """All that is wrong with a document: one fault or more."""

    def __init__(self, faults: Sequence[InvalidField]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def default_rules() -> list[Rule]:
    """The rules of a first start: few and quiet."""

    def above(id: str, name: str, metric: str, warning: float, critical: float, back: float, for_s: float) -> Rule:
        return Rule(
            id,
            name,
            metric,
            warning=Threshold(warning, warning - back),
            critical=Threshold(critical, critical - back),
            for_s=for_s,
            recover_for_s=60,
        )

    return [
        above("cpu", "CPU busy", "cpu.total", 75, 90, 10, 300),
        above("memory", "Memory used", "memory.used_percent", 80, 92, 5, 180),
        above("filesystem", "File system full", "filesystem.used_percent", 85, 95, 3, 120),
        above("inodes", "Inodes used up", "filesystem.inodes_percent", 85, 95, 3, 120),
        above("gpu-temperature", "GPU hot", "gpu.temperature", 83, 90, 5, 120),
        Rule("host-down", "Host down", HOST_DOWN, critical=Threshold(60, 60)),
        Rule(
            "samples-lost",
            "Samples lost",
            "agent.dropped_total",
            warning=Threshold(1, 0),
            window=Window("increase", 600),
        ),
        Rule("blind", "Monitoring is blind", MONITORING_BLIND, critical=Threshold(60, 0)),
        Rule("service-silent", "Service of Sonde silent", SERVICE_SILENT, critical=Threshold(60, 30)),
        Rule("channel-held", "Channel held", CHANNEL_HELD, warning=Threshold(1, 0)),
    ]
