"""Waiting times between tries: doubling, bounded, with full jitter."""

from __future__ import annotations

import random


class Backoff:
    """Successive waits of a retry loop; `reset` after a success."""

    def __init__(self, first_s: float = 0.5, most_s: float = 30.0, rng: random.Random | None = None) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._rng = rng or random.Random()
        self._next_s = first_s

    def reset(self) -> None:
        self._next_s = self._first_s

    def next_s(self) -> float:
        """The next wait: uniform between half of the current bound and the bound, which then doubles."""
        bound = self._next_s
        self._next_s = min(bound * 2, self._most_s)
        return self._rng.uniform(bound / 2, bound)
