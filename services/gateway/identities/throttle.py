"""How often one address may fail at what needs no login. Pure; time is an argument.

Each address has a bucket of failures that refills with time. Successes take nothing from it, so a thousand machines
behind one address may enrol at once.
"""

from __future__ import annotations

import math
from collections import OrderedDict

BURST = 20
"""Failures at once."""
REFILL_S = 3.0
"""Until one more is allowed."""
MOST_ADDRESSES = 4096


class Throttle:
    """Failures of a bounded number of addresses: of those beyond, the one heard of longest ago is forgotten."""

    def __init__(self, burst: int = BURST, refill_s: float = REFILL_S, most: int = MOST_ADDRESSES) -> None:
        self._burst = burst
        self._refill_s = refill_s
        self._most = most
        self._empty_at_s: OrderedDict[str, float] = OrderedDict()
        """When each bucket's failures are all forgiven."""

    def wait_s(self, peer: str, now_s: float) -> int:
        """Whole seconds that `peer` has to wait before its next try; 0: none."""
        behind_s = self._empty_at_s.get(peer, 0.0) - now_s - (self._burst - 1) * self._refill_s
        return max(0, math.ceil(behind_s))

    def failed(self, peer: str, now_s: float) -> None:
        """Note a failure of `peer`."""
        self._empty_at_s[peer] = max(self._empty_at_s.pop(peer, 0.0), now_s) + self._refill_s
        if len(self._empty_at_s) > self._most:
            self._empty_at_s.popitem(last=False)
