"""How far judging is in the stream, and how long it takes from a sample to a message."""

from __future__ import annotations

import math
import time
from collections import deque

from infra.bus.heartbeat import Pulse
from infra.bus.lag import StreamLag
from schemas.health import Delay, Work
from schemas.subjects import METRICS

CAUGHT_UP_S = 10.0
PATIENCE_S = 120.0
"""After so long people are told although what the bus kept is not all judged."""
DELAYS_KEPT = 500


class Progress:
    """Over all sessions of the service."""

    def __init__(self, pulse: Pulse) -> None:
        self.pulse = pulse
        self.lane: StreamLag | None = None
        """None until the stream was read."""
        self.delays_s: deque[float] = deque(maxlen=DELAYS_KEPT)
        """From what happened to the answer of whom it was told to, of the last messages."""
        self._started_s = time.monotonic()
        self._caught_up = False

    def caught_up_to(self, lane: StreamLag) -> None:
        """Note that `lane` is where judging is."""
        if lane.seconds < CAUGHT_UP_S and lane.messages == 0:
            self._caught_up = True

    def catching_up_s(self) -> float | None:
        """For how much longer nobody is to be told, as what is old is still judged; None: people are told."""
        left_s = PATIENCE_S - (time.monotonic() - self._started_s)
        return None if self._caught_up or left_s <= 0 else left_s

    def work(self) -> Work:
        """What the heartbeat says."""
        if self.lane is None:
            return Work(lag_s=self.pulse.failing_s or None)
        lag_s = round(max(self.lane.seconds, self.pulse.failing_s), 3)
        return Work(lag_s=lag_s, behind={METRICS.name: self.lane.messages}, told_s=self._told_s())

    def _told_s(self) -> Delay | None:
        """Of the delays; None without any."""
        if not self.delays_s:
            return None
        ordered = sorted(self.delays_s)
        return Delay(round(ordered[len(ordered) // 2], 3), round(ordered[math.ceil(0.99 * len(ordered)) - 1], 3))
