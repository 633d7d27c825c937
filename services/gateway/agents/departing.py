"""Hosts that leave, archived or removed, as people ask for it: the table first, then memory, viewers and the bus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from infra.storage.database import Pool
from schemas.settings import HOSTS_KEY
from services.gateway.agents.purge import purge, stream_ends
from services.gateway.agents.removal import Departure, remove_host
from services.gateway.fleet.memory import Fleet
from services.gateway.http.audit import record
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.operations import Call

logger = logging.getLogger(__name__)

AT_ONCE = 50
"""Hosts of one transaction: whoever writes rows waits for it, and begins anew after it."""


@dataclass(frozen=True)
class Departing:
    """What letting hosts go takes."""

    pool: Pool
    bus: Bus
    fleet: Fleet
    announce: Callable[[str, int], Awaitable[None]]
    tell: Callable[[str, bool], None]
    """Spreads to viewers that a host is gone (true) or archived."""
    events: tuple[asyncio.Event, ...]
    """Set when revocations are to be pushed and agents' settings to be published."""

    async def depart(self, call: Call[Any, Any], hosts: Sequence[str], keep_history: bool) -> set[str]:
        """Remove `hosts`, or archive them; returns those that there were."""
        gone: set[str] = set()
        for some in _parts(sorted(set(hosts))):
            ends = await stream_ends(self.bus.client)  # of each part anew: whoever goes last has sent on meanwhile
            departed: dict[str, Departure] = {}
            async with connected(self.pool) as database, database.transaction():
                for host in some:
                    departure = await remove_host(database, host, ends.time_ns, keep_history)
                    if departure is not None:
                        departed[host] = departure
                    if departure is not None and departure.changed:
                        await record(database, call, host, {"state": "active"}, {"state": _state(keep_history)})
            for host, departure in departed.items():
                logger.info("host removed", extra={"host": host, "history": "keep" if keep_history else "remove"})
                self._forget(host, departure)
            for event in self.events:
                event.set()
            if departed:
                await self.announce(HOSTS_KEY, max(departure.generation for departure in departed.values()))
            if not keep_history:
                for host in departed:
                    await purge(self.bus.client, host, ends)
            gone |= departed.keys()
        return gone

    def _forget(self, host: str, departed: Departure) -> None:
        """What other gateways learn from the table, at once."""
        if departed.archived:
            self.fleet.enter(host, departed.host_id, archived=True, last_ms=departed.last_ms)
        else:
            self.fleet.forget(host, departed.host_id)
        self.tell(host, not departed.archived)


def _state(keep_history: bool) -> str:
    return "archived" if keep_history else "removed"


def _parts(hosts: list[str]) -> list[list[str]]:
    return [hosts[start : start + AT_ONCE] for start in range(0, len(hosts), AT_ONCE)]
