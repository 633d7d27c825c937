"""The runtime settings in force in this process."""

from __future__ import annotations

import asyncio

from schemas.settings import RuntimeSettings, StoredSettings


class Runtime:
    """The runtime settings in force here."""

    def __init__(self) -> None:
        self.stored = StoredSettings()
        self.stale = asyncio.Event()
        """Set when the tables have news."""
        self.configs_changed = asyncio.Event()
        """Set when agents' settings are to be published."""
        self.revoked = asyncio.Event()
        """Set when revocations are to be pushed to the servers of the bus."""

    @property
    def settings(self) -> RuntimeSettings:
        return self.stored.settings
