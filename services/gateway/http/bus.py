"""The connection to the bus, as routes and tasks use it: there or not."""

from __future__ import annotations

import logging

import nats.errors
from nats.aio.client import Client

logger = logging.getLogger(__name__)


class Bus:
    """The present connection, if any, and how many messages came in."""

    def __init__(self) -> None:
        self.client: Client | None = None
        self.messages = 0
        self.unreadable = 0

    @property
    def connected(self) -> bool:
        return self.client is not None and self.client.is_connected

    async def publish(self, subject: str, data: bytes) -> bool:
        """Publish if there is a connection; False when there is none, or it does not take it."""
        if self.client is None or not self.connected:
            return False
        try:
            await self.client.publish(subject, data)
        except nats.errors.Error as error:
            logger.warning("publishing failed", extra={"subject": subject, "error": str(error)})
            return False
        return True

    def note_unreadable(self, subject: str, reason: str) -> None:
        """Count a message that is ignored; log the 1st, 2nd, 4th, 8th ..."""
        self.unreadable += 1
        if self.unreadable & (self.unreadable - 1) == 0:
            facts = {"subject": subject, "reason": reason[:300], "unreadable": self.unreadable}
            logger.warning("invalid message ignored", extra=facts)
