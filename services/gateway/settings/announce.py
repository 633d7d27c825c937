"""Telling everyone that a setting or the rules changed."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.gateway.live.hub import Hub
from services.gateway.live.intake import Bus

logger = logging.getLogger(__name__)

RULES_KEY = "rules"


async def announce_change(bus: Bus, hub: Hub, stale: asyncio.Event, key: str, version: int) -> None:
    """Publish `settings.changed`, by which we hear of it ourselves; without a bus only our own viewers do.

    Services that miss it read the table again by themselves, only later.
    """
    stale.set()
    changed = SettingChanged(key, version)
    if not await bus.publish(SETTINGS_CHANGED, msgspec.json.encode(changed)):
        logger.warning("change not announced, bus unavailable", extra={"key": key, "version": version})
        hub.setting(changed)
