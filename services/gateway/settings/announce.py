"""Telling everyone that a setting or the rules changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from schemas.settings import PEOPLE_KEY, SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.gateway.http.bus import Bus

logger = logging.getLogger(__name__)

RULES_KEY = "rules"

Announce = Callable[[str, int], Awaitable[None]]
"""Tells of a key and its new version."""


def announcer(bus: Bus, stale: asyncio.Event, tell_viewers: Callable[[SettingChanged], None]) -> Announce:
    """Announcing sets `stale` and publishes `settings.changed`, by which our own viewers hear of it too.

    Without a bus only our own viewers do. Services that miss it read the table again by themselves, only later.
    """

    async def announce(key: str, version: int) -> None:
        stale.set()
        changed = SettingChanged(key, version)
        if not await bus.publish(SETTINGS_CHANGED, msgspec.json.encode(changed)):
            logger.warning("change not announced, bus unavailable", extra={"key": key, "version": version})
            tell_viewers(changed)

    return announce


def teller(bus: Bus) -> Callable[[], Awaitable[None]]:
    """Tells other gateways that sessions or tokens ended; those that miss it read them again within a second."""

    async def tell() -> None:
        await bus.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged(PEOPLE_KEY, 0)))

    return tell
