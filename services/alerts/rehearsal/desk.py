"""Rehearsals as they are asked for over the bus: one at a time, in a process of its own; a few wait, more are refused.

Everything that is told goes out on a subject of its own, which all gateways hear; nobody is answered directly, so the
service needs no right to write into anybody's inbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections import OrderedDict

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.settings import ServerSettings
from schemas.rehearsals import (
    REHEARSAL_ASK,
    REHEARSAL_CANCEL,
    Rehearsal,
    RehearsalOrder,
    check_rehearsal,
    rehearsal_told,
)
from schemas.rules import InvalidFields

logger = logging.getLogger(__name__)

MOST_S = 60.0
"""After so long a rehearsal ends with what it has."""
GRACE_S = 15.0
"""After so much longer its process is killed."""
MOST_WAITING = 4
ANSWER_BYTES = 2**20
"""Of one line of the process; a thousand episodes take less than half of it."""
MODULE = "services.alerts.rehearsal.process"


class Desk:
    """What was asked and is not over."""

    def __init__(self, client: Client, settings: ServerSettings, most_s: float = MOST_S) -> None:
        self._client = client
        self._settings = settings
        self._most_s = most_s
        self._waiting: OrderedDict[str, RehearsalOrder] = OrderedDict()
        self._asked = asyncio.Event()
        self._running: tuple[str, asyncio.subprocess.Process] | None = None
        self._cancelled = ""
        self.refused = 0

    async def hear_order(self, message: Msg) -> None:
        """Take an order, or say why not."""
        try:
            order = msgspec.json.decode(message.data, type=RehearsalOrder)
        except msgspec.MsgspecError as error:
            logger.warning("invalid rehearsal order ignored", extra={"error": str(error)[:300]})
            return
        try:
            check_rehearsal(order.rule)
        except InvalidFields as fault:
            await self._tell(Rehearsal(order.id, "failed", reason=str(fault)[:500]))
            return
        if len(self._waiting) >= MOST_WAITING:
            self.refused += 1
            reason = f"{MOST_WAITING} rehearsals are waiting already; try again in a minute"
            await self._tell(Rehearsal(order.id, "failed", reason=reason))
            return
        self._waiting[order.id] = order
        self._asked.set()
        await self._tell(Rehearsal(order.id, "waiting"))

    async def hear_cancel(self, message: Msg) -> None:
        """End the rehearsal that the message names, if it is here."""
        named = message.data.decode(errors="replace")
        if self._waiting.pop(named, None) is not None:
            await self._tell(Rehearsal(named, "cancelled"))
        elif self._running is not None and self._running[0] == named:
            self._cancelled = named
            _kill(self._running[1])

    async def work(self) -> None:
        """Perform what is asked, for ever; what is in hand ends with this."""
        while True:
            while not self._waiting:
                self._asked.clear()
                await self._asked.wait()
            _, order = self._waiting.popitem(last=False)
            await self._perform(order)

    async def _perform(self, order: RehearsalOrder) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", MODULE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # its threads would take most of the memory allowed
            limit=ANSWER_BYTES,
        )
        self._running, self._cancelled = (order.id, process), ""
        last = Rehearsal(order.id, "running")
        try:
            with contextlib.suppress(TimeoutError, ValueError):  # too slow, or a line that is too long
                async with asyncio.timeout(self._most_s + GRACE_S):
                    last = await self._follow(process, order)
        finally:
            self._running = None
            _kill(process)
            assert process.stdin is not None  # noqa: S101  # it was asked for
            process.stdin.close()
            await process.wait()
        if last.state not in ("done", "failed"):
            last = self._end(order.id, process.returncode)
            await self._tell(last)
        extra = {"rehearsal": order.id, "rule": order.rule.id, "state": last.state, "reason": last.reason}
        logger.info("rehearsal ended", extra={**extra, "took_s": round(loop.time() - began_s, 2)})

    async def _follow(self, process: asyncio.subprocess.Process, order: RehearsalOrder) -> Rehearsal:
        """Hand on what the process says; its last word."""
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018  # they were asked for
        task = {"database_url": self._settings.database_url, "order": order, "most_s": self._most_s}
        last = Rehearsal(order.id, "running")
        await self._tell(last)
        with contextlib.suppress(ConnectionError):  # it ended before it had read
            process.stdin.write(msgspec.json.encode(task) + b"\n")
            await process.stdin.drain()
        while line := await process.stdout.readline():
            last = msgspec.json.decode(line, type=Rehearsal)
            await self._tell(last)
        return last

    def _end(self, id: str, status: int | None) -> Rehearsal:
        """What is to be said of one whose process ended without a last word."""
        if self._cancelled == id:
            return Rehearsal(id, "cancelled")
        reason = f"its process ended with status {status}; it was killed, or needed more memory than there is"
        if status == -signal.SIGKILL:
            reason = f"it took longer than {self._most_s + GRACE_S:g} s; narrow the rule's hosts, or ask for fewer days"
        return Rehearsal(id, "failed", reason=reason)

    async def _tell(self, rehearsal: Rehearsal) -> None:
        await self._client.publish(rehearsal_told(rehearsal.id), msgspec.json.encode(rehearsal))


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def rehearse(client: Client, settings: ServerSettings, stop: asyncio.Event, most_s: float = MOST_S) -> None:
    """Take orders until `stop` is set or the connection is gone; what is in hand then is given up."""
    desk = Desk(client, settings, most_s)
    await client.subscribe(REHEARSAL_ASK, queue="alerts", cb=desk.hear_order)
    await client.subscribe(REHEARSAL_CANCEL, cb=desk.hear_cancel)
    await client.flush()
    async with asyncio.TaskGroup() as group:
        working = group.create_task(desk.work())
        await stop.wait()
        working.cancel()
