"""Which instances of a family are gone: those that others outlive, and the oldest of too many. Pure."""

from __future__ import annotations

from collections.abc import Mapping

GONE_PERIODS = 3
"""After so many periods without it, an instance or a family that others outlive is gone."""
MOST_INSTANCES = 2_000
"""Of a family on a host, unless its newest sample has more: agents are not to be trusted on how often they sample."""


def ended(times_ms: Mapping[str, int], period_ms: int) -> list[str]:
    """The instances that are gone; `times_ms` has when each was last sampled, Unix milliseconds."""
    newest_ms = max(times_ms.values())
    least_ms = newest_ms - GONE_PERIODS * period_ms
    gone = [instance for instance, time_ms in times_ms.items() if time_ms < least_ms]
    surplus = len(times_ms) - len(gone) - MOST_INSTANCES
    if surplus > 0:
        left = sorted((ms, instance) for instance, ms in times_ms.items() if least_ms <= ms < newest_ms)
        gone += [instance for _, instance in left[:surplus]]
    return gone
