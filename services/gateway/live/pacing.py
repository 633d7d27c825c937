"""How often one host may appear in a feed's frames. Pure.

The generic cell rate algorithm: on average once per interval, yet a sample that comes a little early, or after one
that came late, goes out at once. Holding back by the distance to the last one instead would, after a single late
sample, delay all later ones for ever.
"""

from __future__ import annotations

RATE = 0.9
"""Share of the interval that one appearance uses up: below 1, so that a slightly fast sampler builds up no debt."""


def may_go(due_s: float, now_s: float, interval_s: float) -> bool:
    """True when a host whose next appearance is due at `due_s` may appear now; it may be early by one interval."""
    return now_s >= due_s - interval_s


def next_due(due_s: float, now_s: float, interval_s: float) -> float:
    """When the next appearance is due after one at `now_s`."""
    return max(due_s, now_s) + RATE * interval_s


def window_s(interval_s: float) -> float:
    """How long new samples are gathered into one frame: the delay of a sample, and the cost of a frame per viewer."""
    return min(1.0, max(0.05, 0.06 * interval_s))
