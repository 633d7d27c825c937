"""Marks: what happened to a host at a time, drawn on its charts; and why there is nothing between two times."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

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
