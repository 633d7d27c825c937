"""Announcing to the agents that somebody watches: at once for a first viewer, and every 5 s while there are any."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from infra.clock import now_ms
from schemas.messages import LiveInterest
from schemas.subjects import LIVE_INTEREST
from services.gateway.fleet.memory import Fleet
from services.gateway.http.bus import Bus
from services.gateway.live.hub import Hub

EVERY_S = 5.0
RETRY_S = 0.5
TTL_S = 15.0


async def announce_interest(bus: Bus, hub: Hub, fleet: Fleet) -> None:
    """Publish who is watched, until cancelled."""
    while True:
        hub.joined.clear()
        hosts = hub.interest()
        fleet.watch(hosts, now_ms())
        heard = True
        if hosts:
            heard = await bus.publish(LIVE_INTEREST, msgspec.json.encode(LiveInterest(hosts, TTL_S)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S if heard else RETRY_S):
                await _other_hosts(hub, hosts)


async def _other_hosts(hub: Hub, hosts: list[str]) -> None:
    """Return when a viewer has joined who watches more than `hosts`."""
    while True:
        await hub.joined.wait()
        hub.joined.clear()
        if hub.interest() != hosts:
            return
