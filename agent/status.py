"""What the agent tells about itself, gathered where it happens."""

from __future__ import annotations

from msgspec import Struct

from schemas.messages import TopProcesses


class Status(Struct):
    """Counters since the agent started."""

    sessions: int = 0
    """Bus connections begun."""
    publish_ms: float | None = None
    """Round trip of the last acknowledged publish."""
    reconnects: int = 0
    late_ticks: int = 0
    lost_batches: int = 0
    """Batches that never reached the spool, because it could not keep up."""
    config_revision: int = 0
    """Of the pushed settings in force."""
    top: TopProcesses | None = None
    """What used most in the last walk through the processes."""
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
