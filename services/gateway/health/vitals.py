"""What the gateway keeps of Sonde's health: who was heard, its own pulse, what was asked of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field

from infra.bus.heartbeat import Pulse
from schemas.health import Disk, Work
from services.gateway.health.heartbeats import Heartbeats
from services.gateway.health.loop import LoopLag


@dataclass(frozen=True)
class Vitals:
    data: str = ""
    """Its data directory; empty: none that matters."""
    pulse: Pulse = field(default_factory=lambda: Pulse("gateway"))
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    lag: LoopLag = field(default_factory=LoopLag)

    def work(self, viewers: int) -> Work:
        """What the gateway's heartbeat says."""
        return Work(lag_s=round(self.lag.worst_s, 4), viewers=viewers, disk=self.disk())

    def disk(self) -> Disk | None:
        """Of the data directory, where there is one."""
        if not self.data:
            return None
        try:
            usage = shutil.disk_usage(self.data)
        except OSError:
            return None
        return Disk("data directory", usage.free, usage.used + usage.free)
