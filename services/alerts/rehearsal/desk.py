"""Rehearsals as they are asked for over the bus: one at a time, in a process of its own; a few wait, more are refused.

Everything that is told goes out on a subject of its own, which all gateways hear; nobody is answered directly, so the
service needs no right to write into anybody's inbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections import OrderedDict

import msgspec
from msgspec import Struct
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
TELL_AGAIN_S = 10.0
"""What is not over is told again so often, so that silence means that nobody performs it any more."""
ANSWER_BYTES = 2**20
"""Of one line of the process; it says less than the bus carries."""
MODULE = "services.alerts.rehearsal.process"
STOPPED = "the alerts service was stopped; ask again once it runs"


class _InHand(Struct):
    """The one that is performed."""

    last: Rehearsal
    """What was told of it last."""
    process: asyncio.subprocess.Process | None = None
    cancelled: bool = False
    late: bool = False
    """It was killed as it took too long."""


class Desk:
    """What was asked and is not over."""

    def __init__(
        self, client: Client, settings: ServerSettings, most_s: float = MOST_S, grace_s: float = GRACE_S
    ) -> None:
        self._client = client
        self._settings = settings
        self._most_s, self._grace_s = most_s, grace_s
        self._waiting: OrderedDict[str, RehearsalOrder] = OrderedDict()
        self._asked = asyncio.Event()
        self._in_hand: _InHand | None = None

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
            logger.warning("rehearsal refused", extra={"rehearsal": order.id, "waiting": len(self._waiting)})
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
        elif self._in_hand is not None and self._in_hand.last.id == named:
            self._in_hand.cancelled = True
            if self._in_hand.process is not None:
                _kill(self._in_hand.process)

    async def work(self) -> None:
        """Perform what is asked, for ever; what is in hand ends with this."""
        while True:
            while not self._waiting:
                self._asked.clear()
                await self._asked.wait()
            _, order = self._waiting.popitem(last=False)
            self._in_hand = _InHand(Rehearsal(order.id, "running"))
            await self._perform(order, self._in_hand)
            self._in_hand = None

    async def tell_again(self) -> None:
        """Tell now and then of what is not over, for ever."""
        while True:
            await asyncio.sleep(TELL_AGAIN_S)
            for waiting in list(self._waiting):
                await self._tell(Rehearsal(waiting, "waiting"))
            if self._in_hand is not None:
                await self._tell(self._in_hand.last)

    async def give_up(self) -> None:
        """Tell of what is not over that it never will be."""
        unfinished = [*([self._in_hand.last.id] if self._in_hand is not None else []), *self._waiting]
        for named in unfinished:
            await self._tell(Rehearsal(named, "failed", reason=STOPPED))

    async def _perform(self, order: RehearsalOrder, in_hand: _InHand) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", MODULE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # its threads would take most of the memory allowed
            limit=ANSWER_BYTES,
        )
        in_hand.process = process
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018  # they were asked for
        try:
            async with asyncio.timeout(self._most_s + self._grace_s):
                if not in_hand.cancelled:
                    await self._follow(process.stdin, process.stdout, order, in_hand)
        except TimeoutError:
            in_hand.late = True
        except (ValueError, msgspec.MsgspecError) as error:  # a line that is too long, or none of its own
            logger.error(
                "invalid output of a rehearsal's process", extra={"rehearsal": order.id, "error": str(error)[:300]}
            )
        finally:
            _kill(process)
            process.stdin.close()
            await process.wait()
        if in_hand.last.state not in ("done", "failed"):
            in_hand.last = self._end(order.id, in_hand, process.returncode)
        await self._tell(in_hand.last)
        last = in_hand.last
        extra = {"rehearsal": order.id, "rule": order.rule.id, "state": last.state, "reason": last.reason}
        logger.info("rehearsal ended", extra={**extra, "took_s": round(loop.time() - began_s, 2)})

    async def _follow(
        self, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader, order: RehearsalOrder, in_hand: _InHand
    ) -> None:
        """Hand on what the process says; its last word is told once it has ended."""
        task = {"database_url": self._settings.database_url, "order": order, "most_s": self._most_s}
        await self._tell(in_hand.last)
        with contextlib.suppress(ConnectionError):  # it ended before it had read
            stdin.write(msgspec.json.encode(task) + b"\n")
            await stdin.drain()
        while line := await stdout.readline():
            in_hand.last = msgspec.json.decode(line, type=Rehearsal)
            if in_hand.last.state != "running":
                return
            await self._tell(in_hand.last)

    def _end(self, id: str, in_hand: _InHand, status: int | None) -> Rehearsal:
        """What is to be said of one whose process ended without a last word."""
        if in_hand.cancelled:
            return Rehearsal(id, "cancelled")
        reason = f"its process ended with status {status}; it was killed, or needed more memory than there is"
        if in_hand.late:
            most_s = self._most_s + self._grace_s
            reason = f"it took longer than {most_s:g} s; narrow the rule's hosts, or ask for fewer days"
        return Rehearsal(id, "failed", reason=reason)

    async def _tell(self, rehearsal: Rehearsal) -> None:
        await self._client.publish(rehearsal_told(rehearsal.id), msgspec.json.encode(rehearsal))


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def rehearse(
    client: Client, settings: ServerSettings, stop: asyncio.Event, most_s: float = MOST_S, grace_s: float = GRACE_S
) -> None:
    """Take orders until `stop` is set or the connection is gone; what is in hand then is given up."""
    desk = Desk(client, settings, most_s, grace_s)
    asked = await client.subscribe(REHEARSAL_ASK, queue="alerts", cb=desk.hear_order)
    await client.subscribe(REHEARSAL_CANCEL, cb=desk.hear_cancel)
    await client.flush()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(desk.work()), group.create_task(desk.tell_again())]
        await stop.wait()
        await asked.unsubscribe()
        await desk.give_up()
        for task in tasks:
            task.cancel()
