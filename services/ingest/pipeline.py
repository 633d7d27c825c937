"""Two stations in a line: while the database takes one flush, the next is prepared in a thread.

What arrives meanwhile becomes the flush after that, so flushes grow by themselves while ingest is behind, up to what
the pull holds and `consume.FLUSH_VALUES`, and are small and prompt when it is level.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from nats.aio.client import Client

from infra.bus.ordered import StoredMessage
from infra.storage.database import Connection
from infra.storage.engine import Engine, Table
from infra.storage.removed import outdated_hosts, read_again
from schemas.catalogue import Family
from services.ingest.consume import Prepared, park, prepare
from services.ingest.flush import Encoded, Flush, clocks, commit, encode
from services.ingest.known import Known, ensure, find_unknown
from services.ingest.progress import Progress
from services.ingest.turns import LOCK_WAIT_MS, LaneBlocked, Turns
from services.ingest.window import apart

logger = logging.getLogger(__name__)

FIRST_MESSAGES = 400
"""Most messages of a flush while the database has nothing to do: the sooner it gets something, the better."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a session of ingest works with."""

    client: Client
    database: Connection
    engine: Engine
    catalogue: tuple[Family, ...]
    tables: list[Table]
    """For raw rows."""
    clock: Callable[[], datetime]
    turns: Turns
    progress: Progress


class Pipeline:
    """Flushes in order, one being prepared and one being written; whatever fails ends both.

    The next line begins with what the database holds, so `known` may run ahead of it by the flush being written.
    """

    def __init__(self, tools: Tools, known: Known, group: asyncio.TaskGroup) -> None:
        self.known = known
        self._tools = tools
        self._group = group
        self._writing: asyncio.Task[None] | None = None
        self._messages = 0
        """Of the flush being written."""
        self._clocks_told = False

    def turn_done(self, behind: bool) -> None:
        """Note that the service does its work where there is nothing to commit; a flush counts once it is committed."""
        done = self._writing
        if not behind and (done is None or (done.done() and not done.cancelled() and done.exception() is None)):
            self._tools.progress.pulse.succeeded()

    async def written(self) -> None:
        """Wait until nothing is being written; only then is the database connection free for others."""
        if self._writing is not None:
            await self._writing
            self._writing = None

    async def flush(self, stream: str, lane: str, messages: Sequence[StoredMessage]) -> int:
        """Prepare the first of `messages` and begin to write them; how many those are."""
        tools, started = self._tools, time.perf_counter()
        idle = self._writing is None or self._writing.done()
        some = messages[: FIRST_MESSAGES if idle else 2 * self._messages + FIRST_MESSAGES]
        if outdated_hosts(self.known.removed, some):
            await self.written()
            await read_again(tools.database, self.known.removed, some)
        known = self.known
        prepared = await asyncio.to_thread(prepare, stream, lane, some, known.marks, tools.catalogue, known.removed)
        self._remember(prepared)
        await park(tools.client, stream, prepared.parked)
        hosts = {host for host, _, _ in prepared.flush.marks}
        unknown = find_unknown(hosts, prepared.flush.families, self.known)
        if unknown:
            await self.written()
            await ensure(tools.database, unknown, self.known)
        now = tools.clock()
        encoded = await asyncio.to_thread(encode, prepared.flush, self.known, now)
        prepared_ms = (time.perf_counter() - started) * 1000
        await self.written()
        self._messages = prepared.messages
        self._writing = self._group.create_task(self._write(prepared, encoded, now, prepared_ms))
        return prepared.messages

    def _remember(self, prepared: Prepared) -> None:
        """What the flush makes of the marks, and how many messages of removed hosts were dropped."""
        flush, marks = prepared.flush, self.known.marks
        flush.forgotten = marks.raise_to(flush.marks)
        flush.marks = {key: number for key, number in flush.marks.items() if key in marks}
        self.known.removed.count(prepared.of_removed)

    async def _write(self, prepared: Prepared, encoded: Encoded, now: datetime, prepared_ms: float) -> None:
        """Commit a flush, and log it."""
        tools, flush, started = self._tools, prepared.flush, time.perf_counter()
        wait_ms = LOCK_WAIT_MS.get(flush.stream)
        try:
            done = await commit(tools.database, tools.engine, tools.tables, flush, self.known, encoded, now, wait_ms)
        except asyncpg.LockNotAvailableError as error:
            if wait_ms is None:
                raise
            wait_s = round(tools.turns.blocked(flush.stream), 1)
            facts = {"stream": flush.stream, "error": str(error), "wait_s": wait_s}
            logger.warning("table locked by another session, lane paused", extra=facts)
            raise LaneBlocked(flush.stream) from None
        tools.turns.written(flush.stream)
        tools.progress.pulse.succeeded()
        tools.progress.lanes[flush.stream].processed(flush.position)
        self._compare_clocks(flush)
        logger.debug(
            "flush committed",
            extra={
                "stream": flush.stream,
                "messages": prepared.messages,
                "rows": done.rows,
                "refused": sum(done.refused.values()),
                "parked": len(prepared.parked),
                "repeats": prepared.repeats,
                "of_removed": len(prepared.of_removed),
                "position": flush.position.seq,
                "prepared_ms": round(prepared_ms, 1),
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )

    def _compare_clocks(self, flush: Flush) -> None:
        """Say once when they are apart, after a flush for which the database was asked."""
        told = apart(clocks(flush, self.known, self._tools.clock()))
        if told and not self._clocks_told:
            logger.error(
                "clocks differ by more than 5 minutes", extra={"clocks": told, "remedy": "set the wrong clock"}
            )
        self._clocks_told = bool(told)
