"""How far judging is in the stream, and how long it takes from a sample to a message."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from infra.bus.heartbeat import Pulse
from infra.bus.lag import StreamLag
from infra.bus.ordered import Position
from schemas.health import Delay, Outward, Work
from schemas.subjects import METRICS

CAUGHT_UP_S = 10.0
BEHIND_S = 30.0
"""What was received so long after the bus stored it is old."""
PATIENCE_S = 120.0
"""Without getting nearer to the end for so long, people are told although what is old is not all judged."""
NEARER = 0.9
"""Of what was left before: that much is nearer."""
DELAYS_KEPT = 500


class Progress:
    """Over all sessions of the service."""

    def __init__(self, pulse: Pulse, clock: Callable[[], float] = time.monotonic) -> None:
        self.pulse = pulse
        self.lane: StreamLag | None = None
        """None until the stream was read."""
        self.delays_s: deque[float] = deque(maxlen=DELAYS_KEPT)
        """From what happened to the answer of whom it was told to, of the last messages."""
        self.outward: Callable[[], Outward | None] = lambda: None
        """How telling the dead man's switch goes."""
        self._clock = clock
        self._behind_since_s: float | None = clock()
        """When it last got nearer to the end; None: it is there."""
        self._least_lag_s = math.inf

    def received(self, lane: StreamLag) -> None:
        """Note before it is judged what has arrived."""
        if self._behind_since_s is None and lane.seconds > BEHIND_S:
            self._behind_since_s = self._clock()
            self._least_lag_s = lane.seconds

    def judged(self, lane: StreamLag, position: Position) -> None:
        """Note that everything up to `position` is judged."""
        lag_s = time.time() - position.time_ns / 1e9
        if lane.messages == 0 or lag_s < CAUGHT_UP_S:
            self._behind_since_s = None
        elif self._behind_since_s is not None and lag_s < NEARER * self._least_lag_s:
            self._behind_since_s, self._least_lag_s = self._clock(), lag_s

    def catching_up_s(self) -> float | None:
        """For how much longer nobody is to be told, as what is old is still judged; None: people are told."""
        if self._behind_since_s is None:
            return None
        left_s = PATIENCE_S - (self._clock() - self._behind_since_s)
        return left_s if left_s > 0 else None

    def work(self) -> Work:
        """What the heartbeat says."""
        if self.lane is None:
            return Work(lag_s=self.pulse.failing_s or None, outward=self.outward())
        lag_s = round(max(self.lane.seconds, self.pulse.failing_s), 3)
        behind = {METRICS.name: self.lane.messages}
        return Work(lag_s=lag_s, behind=behind, told_s=self._told_s(), outward=self.outward())

    def _told_s(self) -> Delay | None:
        """Of the delays; None without any."""
        if not self.delays_s:
            return None
        ordered = sorted(self.delays_s)
        return Delay(round(ordered[len(ordered) // 2], 3), round(ordered[math.ceil(0.99 * len(ordered)) - 1], 3))
