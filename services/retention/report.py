"""What a run did, as it is returned, kept in `retention_runs` and logged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from infra.storage.engine import Dropped


class Done(Struct, frozen=True):
    """What was done to one table."""

    family: str
    kind: str
    """raw, minute or hour."""
    what: Literal["dropped", "compressed"]
    parts: int
    rows_estimate: int
    bytes: int
    """Freed."""
    seconds: float


class Report(Struct, frozen=True):
    """One run."""

    now: datetime
    """The moment it decided by."""
    raw_before: datetime
    """Raw rows before this are dropped, or wait for their roll-up."""
    raw_days: int
    minute_days: int
    hour_days: int
    rolled_up: dict[str, Any]
    done: list[Done]
    waiting_since: datetime | None = None
    """The oldest mark below `raw_before` that could not be rolled up; nothing from its day on was dropped."""
    guard: str = ""
    """Why raw days had to go early; empty: they had not."""
    transitions: int = 0
    """Alert transitions forgotten."""
    runs: int = 0
    """Reports of runs forgotten."""
    instances: int = 0
    """Instances without any row forgotten."""
    incidents: int = 0
    """Incidents that were over forgotten."""
    notifications: int = 0
    """Records of messages forgotten."""
    silences: int = 0
    """Expired silences forgotten."""
    events: int = 0
    """Events of hosts, such as reboots, forgotten."""


class Run(Struct, frozen=True):
    """What one run did, part by part."""

    report: Report
    dropped: list[Dropped]

    @property
    def raw_days(self) -> int:
        return self.report.raw_days

    @property
    def compressed(self) -> int:
        """Parts made columnar."""
        return sum(each.parts for each in self.report.done if each.what == "compressed")

    @property
    def dropped_bytes(self) -> int:
        return sum(part.bytes for part in self.dropped)

    @property
    def freed_bytes(self) -> int:
        """By dropping and by compressing; a part of very few rows grows by the latter."""
        return sum(each.bytes for each in self.report.done)


def by_table(done: Sequence[Done]) -> list[str]:
    """`cpu raw dropped 1` for each table that something was done to, for the log line."""
    return [f"{each.family} {each.kind} {each.what} {each.parts}" for each in done]
