"""Which times may be stored, by every clock that is at hand. Pure.

What is refused does not come back, so one clock that is wrong refuses nothing: too old is what is so by the earliest of
ours, the database's and the bus's, too far ahead what is so by the latest. The bus's is when it stored the message:
what was in time then is so still when ingest comes to it late.
"""

from __future__ import annotations

from msgspec import Struct

from infra.clock import to_time

AHEAD_MS = 300_000
"""How far ahead of the clocks a sample may be."""
APART_MS = 300_000
"""How far apart clocks are before it is worth an error."""
_MOVED_MS = 60_000
_DAY_MS = 86_400_000


class Clocks(Struct, frozen=True):
    """Moments of one flush, Unix milliseconds."""

    own_ms: int
    database_ms: int
    """When it was last asked."""
    stored_ms: int
    """When the bus stored the last message."""


class Window(Struct, frozen=True):
    """What may be stored, both ends included, Unix milliseconds."""

    earliest_ms: int
    latest_ms: int

    def serves(self, other: Window) -> bool:
        """Whether rows that were taken by this one are those that `other` takes, but for a minute of the future."""
        return self.earliest_ms == other.earliest_ms and other.latest_ms - self.latest_ms < _MOVED_MS


def window(clocks: Clocks, raw_days: int, horizon_ms: int) -> Window:
    """From the UTC day `raw_days` ago, and not before the horizon, to a little ahead."""
    times = (clocks.own_ms, clocks.database_ms, clocks.stored_ms)
    earliest = min(times)
    midnight = earliest - earliest % _DAY_MS
    return Window(max(midnight - raw_days * _DAY_MS, horizon_ms), max(times) + AHEAD_MS)


def apart(clocks: Clocks) -> str:
    """What is wrong when two clocks that were read together are too far apart; empty when they are not."""
    ahead_ms = clocks.own_ms - clocks.database_ms
    if abs(ahead_ms) > APART_MS:
        return f"ingest's clock says {_told(clocks.own_ms)}, the database's {_told(clocks.database_ms)}"
    if clocks.stored_ms - clocks.own_ms > APART_MS:
        return f"ingest's clock says {_told(clocks.own_ms)}, the bus's said {_told(clocks.stored_ms)} already"
    return ""


def _told(time_ms: int) -> str:
    # Added to 1970, since a clock may be beyond what the C library converts.
    try:
        return to_time(time_ms).isoformat(timespec="seconds")
    except OverflowError:
        return f"{time_ms} ms since 1970"
