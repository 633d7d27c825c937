"""Marks: what happened to a host at a time, drawn on its charts; and why there is nothing between two times."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

HostEventKind = Literal["reboot", "update", "settings", "refused", "away"]
"""Kept in the table `host_events`: the machine was booted; another version of the agent runs; the agent follows new
settings, or refused some; the agent had no connection to the bus."""

MarkKind = Literal["alert", "reboot", "update", "settings", "refused", "away", "change", "order", "mute", "silence"]
"""An incident; what `HostEventKind` says; somebody changed the agent's settings, gave it an order, muted the host or
silenced its alerts."""

MarkLevel = Literal["info", "warning", "critical"]


class Mark(Struct):
    """GET /hosts/{host}/marks item: something that happened, at a moment or for some time."""

    host: str
    time: int
    """When it began, Unix milliseconds."""
    end: int | None
    """When it ended: `time` for what has no length; null while it goes on."""
    kind: MarkKind
    level: MarkLevel
    title: str
    """In a few words, such as `Rebooted`."""
    detail: str
    """What else is known, such as `kernel 6.1 to 6.8`; often empty."""
    ref: str
    """Number of the incident or of the silence; empty for all others."""


class Marks(Struct):
    """Those that touch the range, the earliest first."""

    marks: list[Mark]
    more: bool
    """Whether there are earlier ones beyond the limit."""


GapKind = Literal[
    "first", "retention", "reboot", "away", "update", "settings", "order", "dropped", "pending", "refused", "archived",
    "silent", "unwatched", "unknown",
]  # fmt: skip
"""Why there is nothing: the host was not there yet; it is older than what is kept; the machine was booted; the agent
had no connection, was updated, was given other settings or an order, lost batches as its spool was full, has still some
to send; rows of it were refused; the host is archived, or has fallen silent; nobody watched; nothing is known that
explains it."""


class GapReason(Struct, frozen=True):
    """One thing that explains a gap, or may."""

    kind: GapKind
    text: str
    """In a sentence without a full stop; times are in the other fields."""
    time: int | None = None
    """When it happened or began, Unix milliseconds."""
    end: int | None = None
    """When it ended."""


class Gap(Struct):
    """A stretch without samples."""

    from_: int = field(name="from")
    """The last sample before it, or where the range begins, Unix milliseconds."""
    to: int
    """The first sample after it, or where the range or the present ends."""
    reasons: list[GapReason]
    """The likeliest first; never empty."""


class Gaps(Struct):
    """GET /hosts/{host}/gaps: where a family has no samples within a range, and why."""

    host: str
    family: str
    from_: int = field(name="from")
    to: int
    step_ms: int
    """Shorter gaps are not found."""
    gaps: list[Gap]
    """The earliest first; of too many the longest."""
    more: bool
    """Whether there are shorter ones."""
