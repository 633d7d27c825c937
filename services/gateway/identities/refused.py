"""What was refused to whom, counted: in memory, and every few seconds in the table `refused`.

A name is a host, the public key of another user of the bus, or an address. Whoever is refused chooses none of them
freely but his own address, yet their number is bounded all the same: past it, what is new is counted under `others`.
"""

from __future__ import annotations

import asyncio
import logging
import time

from msgspec import Struct

from infra.bus.patience import Seldom
from infra.storage.database import Connection, Pool
from services.gateway.http.database import NOT_READY, borrowed
from services.gateway.identities import sql_refused as sql

logger = logging.getLogger(__name__)

FLUSH_S = 3.0
MOST_NAMES = 500
"""Different ones between two flushes."""
MOST_ROWS = 2000
KEEP_DAYS = 30
OTHERS = "others"
_LONGEST = 300


class Count(Struct):
    """Of one name and kind since the last flush."""

    times: int
    reason: str


class Refusals:
    """Counts since the last flush, and what was said of them in the log."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Count] = {}
        self._seldom = Seldom()
        self.wake = asyncio.Event()

    def note(self, name: str, what: str, reason: str, times: int = 1) -> None:
        """Count that `name`, or the user of the bus with that public key, was refused `what`."""
        key = (name[:100], what)
        if key not in self._counts and len(self._counts) >= MOST_NAMES:
            key = (OTHERS, what)
        count = self._counts.setdefault(key, Count(0, ""))
        count.times += times
        count.reason = reason[:_LONGEST]
        self.wake.set()
        if self._seldom.due(f"{key[0]} {what}", time.monotonic()):
            logger.warning("refused", extra={"who": key[0], "what": what, "reason": count.reason})

    def take(self) -> dict[tuple[str, str], Count]:
        """Everything since the last time."""
        counts, self._counts = self._counts, {}
        return counts

    def give_back(self, counts: dict[tuple[str, str], Count]) -> None:
        """What could not be stored counts still."""
        for key, count in counts.items():
            held = self._counts.setdefault(key, Count(0, count.reason))
            held.times += count.times


async def keep_refusals(pool: Pool, refusals: Refusals) -> None:
    """Store what is counted, every few seconds, until cancelled."""
    while True:
        await refusals.wake.wait()
        refusals.wake.clear()
        counts = refusals.take()
        try:
            async with borrowed(pool) as database:
                await store(database, counts)
        except NOT_READY as error:
            refusals.give_back(counts)
            refusals.wake.set()
            logger.debug("refusals not stored yet", extra={"error": f"{type(error).__name__}: {error}"[:_LONGEST]})
        await asyncio.sleep(FLUSH_S)


async def store(database: Connection, counts: dict[tuple[str, str], Count]) -> None:
    """Add the counts to the table, by host where a key has one, and drop what is old or too much of it."""
    rows = [(name, what, count.reason, count.times) for (name, what), count in counts.items()]
    columns = [list(column) for column in zip(*rows, strict=True)]
    async with database.transaction():
        if rows:
            await database.execute(sql.ADD, *columns)
            await database.execute(sql.COUNT_IDENTITIES, columns[0], columns[3])
        await database.execute(sql.DROP, KEEP_DAYS, MOST_ROWS)
