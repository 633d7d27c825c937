"""`/rehearsals`: what a rule would have done with what is stored. The alerts service performs them, over the bus."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

from schemas.catalogue import Family
from schemas.rehearsals import (
    REHEARSAL_ASK,
    REHEARSAL_CANCEL,
    NewRehearsal,
    Rehearsal,
    RehearsalId,
    RehearsalOrder,
    check_rehearsal,
    rehearsal_told,
)
from schemas.rules import InvalidField, InvalidFields
from services.gateway.http.bus import Bus
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import ProblemError, unavailable

MOST_KEPT = 100
"""Rehearsals that can be asked about; beyond, the oldest are forgotten."""
ANSWER_WITHIN_S = 5.0
OVER = ("done", "failed", "cancelled")
SILENT_S = 35.0
"""Who performs one tells of it every ten seconds; of what nothing was heard for so long nothing will be."""
SILENT = "nothing more was heard of it: the alerts service was restarted, or the bus was away; ask again"


class RehearsalQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How it may be asked about one."""

    wait_s: Annotated[float, Meta(ge=0, le=30)] = 0
    """The answer waits for its end, for so long at most."""


class Rehearsals:
    """What the bus says of rehearsals, whichever gateway they were asked of."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._held: OrderedDict[str, Rehearsal] = OrderedDict()
        self._heard_s: dict[str, float] = {}
        self._now_s = now_s
        self._news = asyncio.Event()

    async def follow(self, client: Client, bus: Bus) -> None:
        """Listen as long as the connection lives."""

        async def hear(message: Msg) -> None:
            try:
                self.take(msgspec.json.decode(message.data, type=Rehearsal))
            except msgspec.DecodeError as error:
                bus.note_unreadable(message.subject, str(error))

        await client.subscribe(rehearsal_told("*"), cb=hear)

    def take(self, rehearsal: Rehearsal) -> None:
        """Note how one goes; what is over stays over."""
        before = self._held.get(rehearsal.id)
        if before is not None and before.state in OVER:
            return
        self._held[rehearsal.id] = rehearsal
        self._heard_s[rehearsal.id] = self._now_s()
        while len(self._held) > MOST_KEPT:
            forgotten, _ = self._held.popitem(last=False)
            del self._heard_s[forgotten]
        self._news.set()
        self._news = asyncio.Event()

    def get(self, id: str) -> Rehearsal | None:
        held = self._held.get(id)
        if held is not None and held.state not in OVER and self._now_s() - self._heard_s[id] > SILENT_S:
            self.take(Rehearsal(id, "failed", held.progress, SILENT))
        return self._held.get(id)

    async def until_over(self, id: str, within_s: float) -> Rehearsal | None:
        """How it goes once it is over, or after so long; None: nothing was heard of it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while (held := self.get(id)) is None or held.state not in OVER:
                    await self._news.wait()
        return self.get(id)

    async def until_heard(self, id: str, within_s: float) -> Rehearsal | None:
        """The first that is heard of it; None when that is nothing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while id not in self._held:
                    await self._news.wait()
        return self._held.get(id)


def rehearsal_operations(bus: Bus, rehearsals: Rehearsals, catalogue: tuple[Family, ...]) -> list[Operation]:
    async def begin(call: Call[Nothing, NewRehearsal]) -> Reply:
        asked = call.body
        try:
            rule = check_rehearsal(asked.rule, catalogue)
        except InvalidFields as fault:
            raise InvalidFields([_within_rule(one) for one in fault.faults]) from None
        order = RehearsalOrder(secrets.token_hex(8), rule, asked.days)
        told = await _order(bus, rehearsals, order)
        if told is None:
            detail = "no alerts service answered over the bus; see GET /api/v1/health whether it runs, then retry"
            raise unavailable(detail, "/problems/alerts-away")
        return Reply(told, headers={"Location": f"/api/v1/rehearsals/{order.id}"})

    async def show(call: Call[RehearsalQuery, None]) -> Rehearsal:
        held = rehearsals.get(call.path["rehearsal"])
        if held is not None and call.query.wait_s:
            held = await rehearsals.until_over(held.id, call.query.wait_s)
        if held is None:
            raise _unknown(call.path["rehearsal"])
        return held

    async def cancel(call: Call[Nothing, None]) -> None:
        held = rehearsals.get(call.path["rehearsal"])
        if held is None:
            raise _unknown(call.path["rehearsal"])
        if held.state not in OVER:
            await bus.publish(REHEARSAL_CANCEL, held.id.encode())
            await rehearsals.until_over(held.id, ANSWER_WITHIN_S)

    path_types: dict[str, Any] = {"rehearsal": RehearsalId}
    return [
        Operation(
            "POST",
            "/rehearsals",
            begin,
            tag="alerting",
            summary="Play a rule over stored history: when would it have fired, how long, on whom",
            role="operator",
            answers={202: Rehearsal},
            body=NewRehearsal,
            refuses=(503,),
            audited=False,
            description=(
                "The rule need not exist; nothing is stored and nobody is told. It takes seconds: ask "
                "`GET /rehearsals/{rehearsal}?wait_s=20` for what came of it. One is performed at a time, four wait. "
                "Raw samples decide where there are any; where only minutes are left, one value a minute does, and the "
                "answer says so."
            ),
        ),
        Operation(
            "GET",
            "/rehearsals/{rehearsal}",
            show,
            tag="alerting",
            summary="How a rehearsal goes, or what came of it",
            role="viewer",
            answers={200: Rehearsal},
            query=RehearsalQuery,
            path_types=path_types,
        ),
        Operation(
            "DELETE",
            "/rehearsals/{rehearsal}",
            cancel,
            tag="alerting",
            summary="Call a rehearsal off",
            role="operator",
            answers={204: None},
            path_types=path_types,
            audited=False,
        ),
    ]


async def _order(bus: Bus, rehearsals: Rehearsals, order: RehearsalOrder) -> Rehearsal | None:
    """The first that is heard of an order; None when nobody takes it."""
    if bus.client is None or not bus.connected:
        return None
    # Nobody answers the request itself; the server says at once when nobody has heard it.
    asking = asyncio.ensure_future(
        bus.client.request(REHEARSAL_ASK, msgspec.json.encode(order), timeout=ANSWER_WITHIN_S)
    )
    hearing = asyncio.ensure_future(rehearsals.until_heard(order.id, ANSWER_WITHIN_S))
    try:
        await asyncio.wait({asking, hearing}, return_when=asyncio.FIRST_COMPLETED)
        return hearing.result() if hearing.done() else None
    finally:
        for task in (asking, hearing):
            task.cancel()
        await asyncio.gather(asking, hearing, return_exceptions=True)


def _unknown(id: str) -> ProblemError:
    detail = f"rehearsal {id!r} is not known, or was forgotten: the last {MOST_KEPT} are kept; order it again"
    return ProblemError(404, detail, type="/problems/unknown-rehearsal")


def _within_rule(fault: InvalidField) -> InvalidField:
    field = fault.field if fault.field.startswith("rule.") else f"rule.{fault.field}"
    return InvalidField(field, fault.value, fault.remedy)
