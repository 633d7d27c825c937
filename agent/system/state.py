"""What the agent knows about itself: counters and progress, kept up to date where things happen."""

from __future__ import annotations

import asyncio
import time
from typing import Literal

from msgspec import Struct, field

from schemas.messages import TopProcesses


class Usage(Struct):
    """What a walk has found so far."""

    bytes: int = 0
    """Allocated blocks, directories included, each inode once."""
    files: int = 0
    """Names that are not directories."""
    unreadable: int = 0
    """Names that could not be looked at, or directories not into."""


class WalkProgress(Struct):
    """How far the walk through one directory is."""

    state: Literal["waiting", "walking", "failed"] = "waiting"
    usage: Usage = field(default_factory=Usage)
    """Of the walk under way, else of the last one."""
    began_at: float = 0
    """Unix seconds; 0: never."""
    took_s: float | None = None
    """The last complete walk."""
    next_at: float = 0
    error: str = ""
    again: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to begin a walk that is not due yet."""

    def begin(self) -> Usage:
        """A walk begins; returns what it is to add to."""
        self.state, self.began_at, self.usage = "walking", time.time(), Usage()
        return self.usage

    def end(self, usage: Usage, took_s: float) -> None:
        self.state, self.usage, self.took_s, self.error = "waiting", usage, took_s, ""

    def fail(self, error: Exception) -> None:
        self.state, self.error = "failed", f"{type(error).__name__}: {error}"


class AgentState(Struct):
    """Counters since the agent started."""

    sessions: int = 0
    """Bus connections begun."""
    publish_ms: float | None = None
    """Round trip of the last acknowledged publish."""
    stored_at: float = 0
    """When the stream last acknowledged a batch, Unix seconds; 0: it has not yet."""
    reconnects: int = 0
    late_ticks: int = 0
    lost_batches: int = 0
    """Batches that never reached the spool, because it could not keep up."""
    early_batches: int = 0
    """Batches sent before their time, as a value crossed a threshold."""
    told_dropped: int = 0
    """Batches lost, as far as operators were told."""
    config_revision: int = 0
    """Of the pushed settings in force."""
    config_error: str = ""
    """Why the newest pushed settings are not in force."""
    told_config_error: str = ""
    """The one that operators were told last."""
    cloned_at: float = 0
    """When the gateway last said that two agents use this identity, Unix seconds; 0: never."""
    cloned_epochs: list[str] = []
    """Of both."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the facts should be told at once."""
    top: TopProcesses | None = None
    """What used most between the last two walks through the processes."""
    clock_offset_ms: float | None = None
    """How far this clock is ahead, where the kernel knows."""
    failed_units: list[str] = []
    walks: dict[str, WalkProgress] = {}
    """By directory."""
    collect_ms: float = 0
    ticks: int = 0

    def begin_session(self) -> None:
        if self.sessions:
            self.reconnects += 1
        self.sessions += 1

    def count_tick(self, collect_ms: float) -> None:
        self.collect_ms += collect_ms
        self.ticks += 1

    def take_collect_ms(self) -> float | None:
        """Mean time of the ticks since the last call; None without any."""
        mean = self.collect_ms / self.ticks if self.ticks else None
        self.collect_ms, self.ticks = 0, 0
        return mean
