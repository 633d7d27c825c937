"""How far retention is."""

from __future__ import annotations

import time

from infra.bus.heartbeat import Pulse
from infra.clock import now_ms
from schemas.health import Disk, Work
from services.retention.guard import Space


class Progress:
    """Over all sessions of the service."""

    def __init__(self, pulse: Pulse) -> None:
        self.pulse = pulse
        self._rolled_up_s: float | None = None
        self._last_run_ms: int | None = None
        self._disk: Disk | None = None

    def rolled_up(self, began_s: float) -> None:
        """All that was due at `began_s`, of the monotonic clock, is rolled up."""
        self._rolled_up_s = began_s
        self.pulse.succeeded()

    def pruned(self) -> None:
        self._last_run_ms = now_ms()

    def seen(self, space: Space) -> None:
        """Note how much space the database has left, where that can be told."""
        if space.free_bytes is not None and space.disk_bytes is not None:
            self._disk = Disk("database", space.free_bytes, space.disk_bytes)

    def work(self) -> Work:
        """What the heartbeat says."""
        lag_s = None if self._rolled_up_s is None else round(time.monotonic() - self._rolled_up_s, 1)
        return Work(lag_s=lag_s, last_run=self._last_run_ms, disk=self._disk)
