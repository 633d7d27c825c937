"""Orders from the bus: each done once, answered always."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.bus.connection import BUS_TRANSIENT
from schemas import subjects
from schemas.commands import CLOCKS_APART_S, CommandReply, CommandRequest

logger = logging.getLogger(__name__)

REMEMBERED = 100
"""Replies kept for a request that comes again."""
AT_ONCE = 4
MOST_BYTES = 16 * 1024
MOST_REPLY_BYTES = 200_000
"""The bus takes 256 KiB from an agent, and closes the connection over more."""

Verb = Callable[[dict[str, Any]], Awaitable[Any]]
"""Does what its arguments say and returns plain JSON data. Raises CommandFailed."""

_decoder = msgspec.json.Decoder(CommandRequest)
_encoder = msgspec.json.Encoder()


class CommandFailed(Exception):
    """An order cannot be carried out; the text goes to whoever gave it."""


class Orders:
    """The verbs, and what came of the last orders."""

    def __init__(self, verbs: Mapping[str, Verb], wall: Callable[[], float] = time.time) -> None:
        self._verbs = verbs
        self._wall = wall
        self._given: dict[str, tuple[tuple[str, dict[str, Any]], asyncio.Future[CommandReply]]] = {}
        """By id, the oldest first: verb and arguments, and the reply."""
        self._running = 0

    async def reply(self, verb: str, data: bytes) -> CommandReply:
        """Carry out the order in `data`, unless it was carried out before; never raises for what is wrong with it."""
        if len(data) > MOST_BYTES:
            return CommandReply("", False, error=f"request of {len(data)} bytes; at most {MOST_BYTES} are taken")
        try:
            request = _decoder.decode(data)
        except msgspec.DecodeError as error:
            return CommandReply("", False, error=f"request is not understood: {error}")
        order = (verb, request.arguments)
        if request.id in self._given:
            given, done = self._given[request.id]
            if given != order:
                return CommandReply(request.id, False, error="this id was given to another command; take a new one")
            await asyncio.wait([done])
            return CommandReply(request.id, False, error="interrupted") if done.cancelled() else done.result()
        refusal = self._refusal(verb, request)
        if refusal:
            return CommandReply(request.id, False, error=refusal)
        future: asyncio.Future[CommandReply] = asyncio.get_running_loop().create_future()
        self._given[request.id] = order, future
        self._running += 1
        try:
            reply = await self._carry_out(verb, request)
        except BaseException:
            del self._given[request.id]
            future.cancel()
            raise
        finally:
            self._running -= 1
        future.set_result(reply)
        self._forget_old()
        return reply

    def _forget_old(self) -> None:
        """Keep as many replies as are remembered; orders still carried out stay as long as they take."""
        over = len(self._given) - self._running - REMEMBERED
        replied = [id_ for id_, (_, done) in self._given.items() if done.done()]
        for id_ in replied[: max(0, over)]:
            del self._given[id_]

    def _refusal(self, verb: str, request: CommandRequest) -> str:
        """Why the order is not carried out; empty when it is."""
        if verb not in self._verbs:
            return f"{verb[:60]!r} is no command of this agent; it knows {', '.join(self._verbs)}"
        late_s = self._wall() - request.expires
        if late_s > CLOCKS_APART_S:
            return f"request expired {late_s:.0f} s ago by this host's clock; send it again"
        if self._running >= AT_ONCE:
            return f"busy with {self._running} other commands; try again"
        return ""

    async def _carry_out(self, verb: str, request: CommandRequest) -> CommandReply:
        try:
            result = await self._verbs[verb](request.arguments)
        except CommandFailed as error:
            return CommandReply(request.id, False, error=str(error))
        except Exception as error:  # a bug in one command must not cost the agent
            logger.exception("command failed", extra={"verb": verb})
            return CommandReply(request.id, False, error=f"{type(error).__name__}: {error}")
        return CommandReply(request.id, True, result)


def encoded(reply: CommandReply) -> bytes:
    """The reply as it is sent; one that cannot be sent becomes one that says so."""
    try:
        data = _encoder.encode(reply)
    except (TypeError, ValueError) as error:
        logger.error("command reply not encodable", extra={"error": str(error)})
        return _encoder.encode(CommandReply(reply.id, False, error=f"the result cannot be sent: {error}"))
    if len(data) <= MOST_REPLY_BYTES:
        return data
    too_much = f"the result has {len(data)} bytes; at most {MOST_REPLY_BYTES} are sent"
    return _encoder.encode(CommandReply(reply.id, False, error=too_much))


async def answer_commands(client: Client, host: str, orders: Orders) -> None:
    """Take orders as long as the connection lives."""
    async with asyncio.TaskGroup() as group:

        async def on_request(message: Msg) -> None:
            group.create_task(_answer(message, orders))

        await client.subscribe(subjects.command(host, "*"), cb=on_request, pending_msgs_limit=100)
        await asyncio.Event().wait()


async def _answer(message: Msg, orders: Orders) -> None:
    verb = message.subject.rsplit(".", 1)[1]
    began = time.monotonic()
    reply = await orders.reply(verb, message.data)
    ms = round((time.monotonic() - began) * 1000, 1)
    logger.info("command executed", extra={"verb": verb, "ok": reply.ok, "error": reply.error, "ms": ms})
    if message.reply:
        try:
            await message.respond(encoded(reply))
        except BUS_TRANSIENT as error:
            logger.warning("command reply not sent", extra={"verb": verb, "error": str(error)})
