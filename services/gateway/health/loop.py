"""How late the event loop is, and whether the bus is there: looked at four times a second."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from services.gateway.health.heartbeats import Heartbeats
from services.gateway.http.bus import Bus

EVERY_S = 0.25
WINDOW_S = 10.0


class LoopLag:
    """The last ten seconds."""

    def __init__(self) -> None:
        self._late_s: deque[float] = deque(maxlen=round(WINDOW_S / EVERY_S))

    def note(self, late_s: float) -> None:
        self._late_s.append(max(0.0, late_s))

    @property
    def worst_s(self) -> float:
        """How late it was at most."""
        return max(self._late_s, default=0.0)


async def watch(lag: LoopLag, bus: Bus, heartbeats: Heartbeats) -> None:
    """Note both until cancelled."""
    while True:
        asked_s = time.monotonic()
        heartbeats.listening(bus.connected)
        await asyncio.sleep(EVERY_S)
        lag.note(time.monotonic() - asked_s - EVERY_S)
