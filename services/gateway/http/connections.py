"""Which connections are taken: so many at most, so many of one address, and none for long before its TLS stands."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Sequence

from infra.addresses import Network, neighbourhood, within

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 4000
MOST_PER_ADDRESS = 256
"""Of an IPv4 address or an IPv6 /64; a trusted proxy's clients share its address, so it has no such limit."""
HANDSHAKE_WITHIN_S = 10.0
BACKLOG = 1024
SPARE_DESCRIPTORS = 300
"""For files, the database and the bus."""
LOG_EVERY_S = 60.0
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_EXHAUSTED_FOR_S = 0.2


class Place:
    """One connection's share of the limits, until it leaves."""

    def __init__(self, connections: Connections, key: str, trusted: bool) -> None:
        self._connections = connections
        self.key = key
        self.trusted = trusted
        self._left = False

    def leave(self) -> None:
        if not self._left:
            self._left = True
            self._connections.left(self)


class Connections:
    """How many there are, handshakes included; those refused are counted."""

    def __init__(
        self, trusted: Sequence[Network] = (), most: int = MOST_CONNECTIONS, most_per_address: int = MOST_PER_ADDRESS
    ) -> None:
        self._trusted = trusted
        self.most = most
        self._most_per_address = most_per_address
        self._by_key: Counter[str] = Counter()
        self.count = 0
        self.refused = 0
        self._untold = 0
        self._told_s = -LOG_EVERY_S

    @property
    def crowded(self) -> bool:
        """Whether half of what there is room for is taken: whoever does nothing then has less time."""
        return self.count > self.most // 2

    def enter(self, address: str, now_s: float) -> Place | None:
        """A place for a connection from `address`; None when it is not taken."""
        key, trusted = neighbourhood(address), within(address, self._trusted)
        if self.count >= self.most or (not trusted and self._by_key[key] >= self._most_per_address):
            self._refuse(address, now_s)
            return None
        self.count += 1
        self._by_key[key] += 1
        return Place(self, key, trusted)

    def left(self, place: Place) -> None:
        self.count -= 1
        self._by_key[place.key] -= 1
        if not self._by_key[place.key]:
            del self._by_key[place.key]

    def _refuse(self, address: str, now_s: float) -> None:
        self.refused += 1
        self._untold += 1
        if now_s - self._told_s >= LOG_EVERY_S:
            self._told_s = now_s
            logger.warning(
                "connections refused, too many",
                extra={"refused": self._untold, "address": address, "open": self.count},
            )
            self._untold = 0


def room(wanted: int = MOST_CONNECTIONS) -> int:
    """For how many connections there are descriptors, at most `wanted`; raises the process's limit if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
    return wanted if soft == resource.RLIM_INFINITY else max(16, min(wanted, soft - SPARE_DESCRIPTORS))


async def take(
    listener: socket.socket,
    tls: ssl.SSLContext | None,
    connections: Connections,
    protocol: Callable[[Place], asyncio.Protocol],
) -> None:
    """Take connections from `listener`, each with a `protocol` of its own; until cancelled."""
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as beginning:
        while True:
            try:
                accepted, peer = await loop.sock_accept(listener)
            except OSError as error:  # descriptors are used up, or whoever came has gone
                await asyncio.sleep(_EXHAUSTED_FOR_S if error.errno in _EXHAUSTED else 0)
                continue
            place = connections.enter(str(peer[0]), loop.time())
            if place is None:
                accepted.close()
            else:
                beginning.create_task(_begin(accepted, tls, place, protocol))


async def _begin(
    accepted: socket.socket,
    tls: ssl.SSLContext | None,
    place: Place,
    protocol: Callable[[Place], asyncio.Protocol],
) -> None:
    """Shake hands; the protocol leaves the place at its end, and we when it never begins."""
    loop = asyncio.get_running_loop()
    within_s = HANDSHAKE_WITHIN_S if tls else None
    try:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.connect_accepted_socket(lambda: protocol(place), accepted, ssl=tls, ssl_handshake_timeout=within_s)
    except OSError:  # no TLS, not in time, or gone: strangers' doing, and not worth a line each
        place.leave()
    except BaseException:
        place.leave()
        raise
