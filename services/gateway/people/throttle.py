"""How often somebody may try to log in. Pure; time is an argument.

A try takes from the bucket of the name and from that of the address; a login gives back what it took. Who logged in
from an address before has a bucket of his own there, so a flood of wrong tries from elsewhere does not shut him out.
"""

from __future__ import annotations

import math
from collections import OrderedDict

from msgspec import Struct

MOST_PEERS = 4096
_ROUNDING_S = 1e-6


class Bucket(Struct, frozen=True):
    """So many tries at once, then one each time it has refilled by one."""

    burst: int
    refill_s: float


NAME = Bucket(10, 30.0)
"""Of one name, from all addresses together."""
ADDRESS = Bucket(20, 3.0)
"""Of one address, for all names together."""
OWNER = Bucket(10, 10.0)
"""Of one name from an address where it has logged in."""


class Tries:
    """The buckets of a bounded number of peers: of those beyond, the one heard of longest ago is forgotten."""

    def __init__(self, bucket: Bucket, most: int = MOST_PEERS) -> None:
        self._bucket = bucket
        self._most = most
        self._full_at_s: OrderedDict[str, float] = OrderedDict()
        """When each bucket is full again."""

    def wait_s(self, peer: str, now_s: float) -> int:
        """Whole seconds until `peer` may try; 0: now."""
        ready_s = self._full_at_s.get(peer, -math.inf) - (self._bucket.burst - 1) * self._bucket.refill_s
        return math.ceil(max(0.0, ready_s - now_s - _ROUNDING_S))

    def take(self, peer: str, now_s: float) -> None:
        self._full_at_s[peer] = max(self._full_at_s.pop(peer, -math.inf), now_s) + self._bucket.refill_s
        if len(self._full_at_s) > self._most:
            self._full_at_s.popitem(last=False)

    def give_back(self, peer: str) -> None:
        """Take one `take` back."""
        if peer in self._full_at_s:
            self._full_at_s[peer] -= self._bucket.refill_s

    def __len__(self) -> int:
        return len(self._full_at_s)


class LoginThrottle:
    """Who may try to log in now."""

    def __init__(self, most: int = MOST_PEERS) -> None:
        self._names = Tries(NAME, most)
        self._addresses = Tries(ADDRESS, most)
        self._owners = Tries(OWNER, most)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._most = most
        self.refused = 0
        """Tries that had to wait."""

    def begin(self, name: str, address: str, now_s: float) -> int:
        """Whole seconds to wait before trying; 0: go on. The try counts as failed until `succeeded`."""
        used = self._used(name, address)
        wait_s = max(tries.wait_s(peer, now_s) for tries, peer in used)
        if wait_s:
            self.refused += 1
            return wait_s
        for tries, peer in used:
            tries.take(peer, now_s)
        return 0

    def forgive(self, name: str, address: str) -> None:
        """The try that began was no guess."""
        for tries, peer in self._used(name, address):
            tries.give_back(peer)

    def succeeded(self, name: str, address: str) -> None:
        """It was the person of that name: the address is one of his from now on."""
        self.forgive(name, address)
        self.know(name, address)

    def know(self, name: str, address: str) -> None:
        """Whoever is called `name` has logged in from `address`."""
        pair = _pair(name, address)
        self._known.pop(pair, None)
        self._known[pair] = None
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def _used(self, name: str, address: str) -> list[tuple[Tries, str]]:
        """The buckets that a try takes from."""
        if _pair(name, address) in self._known:
            return [(self._owners, _pair(name, address))]
        return [(self._names, name[:100]), (self._addresses, address)]

    def __len__(self) -> int:
        return len(self._names) + len(self._addresses) + len(self._owners) + len(self._known)


def _pair(name: str, address: str) -> str:
    return f"{address} {name[:100]}"
