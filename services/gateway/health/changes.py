"""Tells viewers of the live stream when a part of Sonde is not as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from schemas.health import Health, Status
from services.gateway.health.examine import Examination, examine

EVERY_S = 5.0


async def tell_changes(it: Examination, tell: Callable[[Health], None]) -> None:
    """Examine Sonde while somebody watches, and tell what changed since, until cancelled."""
    before: dict[str, Status] | None = None
    while True:
        if it.viewers():
            health = await examine(it)
            now = {part.name: part.status for part in health.components}
            if before not in (None, now):
                tell(health)
            before = now
        await asyncio.sleep(EVERY_S)
