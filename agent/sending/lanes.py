"""What both lanes work on: the spool, the thread that alone may use it, and what wakes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nats.aio.client import Client

from agent.spool.spool import Spool
from agent.system.state import AgentState
from agent.system.worker import Worker


class Lanes:
    """What both lanes work on: the spool and the thread that alone may use it."""

    def __init__(self, host: str, spool: Spool, disk: Worker, status: AgentState, pace_s: float = 1.0) -> None:
        """`pace_s`: mean rest between backfill messages, so that a fleet coming back leaves room for the present."""
        self.host = host
        self.spool = spool
        self.disk = disk
        self.status = status
        self.pace_s = pace_s
        self.client: Client | None = None
        """The connection in use, if there is one."""
        self.present_due = asyncio.Event()
        """Set when a batch was spooled."""
        self.backfill_due = asyncio.Event()
        """Set when batches were handed to the backfill lane."""
        self.drained = asyncio.Event()
        """Set while the metrics lane has nothing to send."""

    @property
    def online(self) -> bool:
        return self.client is not None and self.client.is_connected

    async def store(self, encode: Callable[[int], bytes], rows: int, time_ms: int) -> None:
        """Put one batch into the spool and wake the metrics lane."""
        await self.disk.run(self.spool.append, encode, rows, time_ms)
        self.drained.clear()
        self.present_due.set()
