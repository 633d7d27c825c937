"""How far ingest is in its streams."""

from __future__ import annotations

from infra.bus.heartbeat import Pulse
from infra.bus.lag import StreamLag
from schemas.health import Work
from schemas.subjects import METRICS


class Progress:
    """Over all sessions of the service."""

    def __init__(self, pulse: Pulse) -> None:
        self.pulse = pulse
        self.lanes: dict[str, StreamLag] = {}
        """By stream, those that were read."""

    def work(self) -> Work:
        """What the heartbeat says: the lag is that of the present, the past may take its time."""
        lane = self.lanes.get(METRICS.name)
        if lane is None:
            return Work(lag_s=self.pulse.failing_s or None)
        behind = {name: lane.messages for name, lane in self.lanes.items()}
        return Work(lag_s=round(max(lane.seconds, self.pulse.failing_s), 3), behind=behind)
