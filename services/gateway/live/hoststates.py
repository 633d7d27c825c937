"""Noticing that hosts went silent: nothing arrives to tell us, so the clock must."""

from __future__ import annotations

import asyncio

from infra.clock import now_ms
from services.gateway.fleet.memory import Fleet
from services.gateway.live.hub import Hub

EVERY_S = 0.5


async def watch_states(fleet: Fleet, hub: Hub) -> None:
    """Spread every host whose state turns, until cancelled."""
    while True:
        for host in fleet.turned(now_ms()):
            hub.host(host)
        await asyncio.sleep(EVERY_S)
