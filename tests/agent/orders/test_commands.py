"""Orders: done once, answered always."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError

from agent.orders.commands import (
    AT_ONCE,
    MOST_BYTES,
    MOST_REPLY_BYTES,
    REMEMBERED,
    CommandFailed,
    Orders,
    answer_commands,
    encoded,
)
from infra.bus import connection as bus
from schemas.commands import CLOCKS_APART_S, CommandReply, CommandRequest
from tests.agent.build import ended
from tests.waiting import eventually

NOW_S = 1_800_000_000.0


class Verbs:
    """Verbs that can be watched and held up."""

    def __init__(self) -> None:
        self.done: list[dict[str, Any]] = []
        self.go = asyncio.Event()
        self.orders = Orders({"do": self.do, "fail": self.fail, "break": self.broken, "wait": self.wait}, lambda: NOW_S)

    async def do(self, arguments: dict[str, Any]) -> Any:
        self.done.append(arguments)
        return len(self.done)

    async def fail(self, arguments: dict[str, Any]) -> Any:
        raise CommandFailed("cannot")

    async def broken(self, arguments: dict[str, Any]) -> Any:
        raise RuntimeError("bug")

    async def wait(self, arguments: dict[str, Any]) -> Any:
        self.done.append(arguments)
        await self.go.wait()
        return "waited"


def request(id: str = "1", expires: float = NOW_S + 10, **arguments: Any) -> bytes:
    return msgspec.json.encode(CommandRequest(id, expires, arguments))


async def test_an_order_is_carried_out_with_its_arguments() -> None:
    verbs = Verbs()
    assert await verbs.orders.reply("do", request(path="/x")) == CommandReply("1", True, 1)
    assert verbs.done == [{"path": "/x"}]


async def test_the_same_order_again_gets_the_same_reply_and_nothing_is_done_twice() -> None:
    verbs = Verbs()
    first = await verbs.orders.reply("do", request())
    assert await verbs.orders.reply("do", request()) == first
    assert len(verbs.done) == 1


async def test_an_order_that_comes_again_while_it_is_carried_out_waits_for_the_one_reply() -> None:
    verbs = Verbs()
    both = [asyncio.ensure_future(verbs.orders.reply("wait", request())) for _ in range(2)]
    await asyncio.sleep(0)
    verbs.go.set()
    assert await asyncio.gather(*both) == [CommandReply("1", True, "waited")] * 2
    assert len(verbs.done) == 1


async def test_replies_are_remembered_in_bounds() -> None:
    verbs = Verbs()
    for number in range(REMEMBERED + 1):
        await verbs.orders.reply("do", request(str(number)))
    await verbs.orders.reply("do", request("0"))
    assert len(verbs.done) == REMEMBERED + 2


async def test_an_id_of_another_order_is_refused() -> None:
    verbs = Verbs()
    await verbs.orders.reply("do", request())
    for verb, data in (("fail", request()), ("do", request(path="/x"))):
        reply = await verbs.orders.reply(verb, data)
        assert (reply.ok, reply.error) == (False, "this id was given to another command; take a new one")
    assert len(verbs.done) == 1


async def test_an_order_that_takes_long_is_not_done_twice_however_many_come_after_it() -> None:
    verbs = Verbs()
    first = asyncio.ensure_future(verbs.orders.reply("wait", request("long")))
    await asyncio.sleep(0)
    for number in range(REMEMBERED + 5):
        await verbs.orders.reply("do", request(str(number)))
    again = asyncio.ensure_future(verbs.orders.reply("wait", request("long")))
    await asyncio.sleep(0)
    verbs.go.set()
    assert await first == await again == CommandReply("long", True, "waited")
    assert len(verbs.done) == REMEMBERED + 6


async def test_an_order_that_was_interrupted_can_be_given_again() -> None:
    verbs = Verbs()
    waiting = asyncio.ensure_future(verbs.orders.reply("wait", request()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    verbs.go.set()
    assert (await verbs.orders.reply("wait", request())).result == "waited"


@pytest.mark.parametrize(("result", "complaint"), [("x" * MOST_REPLY_BYTES, "at most"), (object(), "cannot be sent")])
def test_a_result_that_cannot_be_sent_is_answered_with_why(result: object, complaint: str) -> None:
    reply = msgspec.json.decode(encoded(CommandReply("1", True, result)), type=CommandReply)
    assert (reply.id, reply.ok, reply.result) == ("1", False, None)
    assert complaint in reply.error


async def test_an_order_that_expired_is_refused() -> None:
    verbs = Verbs()
    reply = await verbs.orders.reply("do", request(expires=NOW_S - CLOCKS_APART_S - 1))
    assert (reply.ok, verbs.done) == (False, [])
    assert "expired" in reply.error


async def test_clocks_may_be_apart() -> None:
    assert (await Verbs().orders.reply("do", request(expires=NOW_S - CLOCKS_APART_S + 1))).ok


async def test_more_orders_than_can_be_carried_out_at_once_are_told_so() -> None:
    verbs = Verbs()
    waiting = [asyncio.ensure_future(verbs.orders.reply("wait", request(str(n)))) for n in range(AT_ONCE)]
    await asyncio.sleep(0)
    assert "busy" in (await verbs.orders.reply("do", request("more"))).error
    verbs.go.set()
    await asyncio.gather(*waiting)
    assert (await verbs.orders.reply("do", request("more"))).ok


@pytest.mark.parametrize(
    ("verb", "data", "complaint"),
    [
        ("dance", request(), "no command"),
        ("do", b"garbage", "not understood"),
        ("do", b'{"id": "1"}', "expires"),
        ("do", b" " * (MOST_BYTES + 1), "at most"),
        ("fail", request(), "cannot"),
        ("break", request(), "RuntimeError: bug"),
    ],
)
async def test_what_cannot_be_done_is_answered_with_why(verb: str, data: bytes, complaint: str) -> None:
    reply = await Verbs().orders.reply(verb, data)
    assert not reply.ok
    assert complaint in reply.error


async def answer(gateway: Client, verb: str, id: str) -> CommandReply:
    """Of an agent that may be about to subscribe."""
    data = request(id, expires=4_000_000_000)
    while True:
        try:
            reply = await gateway.request(f"command.web-1.{verb}", data, timeout=40)
        except NoRespondersError:
            await asyncio.sleep(0.01)
        else:
            return msgspec.json.decode(reply.data, type=CommandReply)


async def test_orders_are_taken_from_the_bus_side_by_side(bus_url: str) -> None:
    verbs = Verbs()
    verbs.orders = Orders({"do": verbs.do, "wait": verbs.wait})
    async with bus.connection(bus_url, "agent") as client, bus.connection(bus_url, "gateway") as gateway:
        task = asyncio.ensure_future(answer_commands(client, "web-1", verbs.orders))
        slow = asyncio.ensure_future(answer(gateway, "wait", "1"))
        await eventually(lambda: bool(verbs.done))
        assert (await answer(gateway, "do", "2")).ok
        verbs.go.set()
        assert (await slow).result == "waited"
        await ended(task)
