"""How far judging is in the stream."""

from __future__ import annotations

from infra.bus.heartbeat import Pulse
from infra.bus.lag import StreamLag
from schemas.health import Work
from schemas.subjects import METRICS


class Progress:
    """Over all sessions of the service."""

    def __init__(self, pulse: Pulse) -> None:
        self.pulse = pulse
        self.lane: StreamLag | None = None
        """None until the stream was read."""

    def work(self) -> Work:
        """What the heartbeat says."""
        if self.lane is None:
            return Work(lag_s=self.pulse.failing_s or None)
        lag_s = round(max(self.lane.seconds, self.pulse.failing_s), 3)
        return Work(lag_s=lag_s, behind={METRICS.name: self.lane.messages})
