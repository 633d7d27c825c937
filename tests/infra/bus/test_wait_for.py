"""A cancelling that meets a reply must win: nobody cancels a task of a group twice."""

import asyncio
import random

import pytest
from nats.aio.client import Client

from infra.bus.backoff import Backoff
from infra.bus.connection import ConnectionLost, keep_connected
from infra.bus.wait_for import wait_for


async def test_a_cancelling_that_meets_the_reply_ends_the_task() -> None:
    reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(asyncio.wait_for(reply, 5))  # as nats-py calls it
    await asyncio.sleep(0)
    reply.set_result("in")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_session_that_breaks_while_it_publishes_begins_anew(bus_url: str) -> None:
    dice = random.Random(1)
    sessions = 0

    async def work(client: Client) -> None:
        nonlocal sessions
        sessions += 1
        if sessions > 50:
            return
        jetstream = client.jetstream()

        async def publish() -> None:
            while True:
                await jetstream.publish("alerts.web-1.busy", b"{}")

        async with asyncio.TaskGroup() as group:
            group.create_task(publish())
            await asyncio.sleep(dice.uniform(0.001, 0.006))
            raise ConnectionLost

    async with asyncio.timeout(30):
        await keep_connected(bus_url, "test", work, backoff=Backoff(0.001, 0.002))


async def test_what_is_waited_for_is_returned_in_time_and_cancelled_after_it() -> None:
    async def later(wait_s: float) -> str:
        await asyncio.sleep(wait_s)
        return "in"

    assert await wait_for(later(0), 5) == "in"
    assert await wait_for(later(0), None) == "in"
    for timeout_s in (0.01, 0, -1):
        task = asyncio.ensure_future(later(60))
        with pytest.raises(TimeoutError):
            await wait_for(task, timeout_s)
        assert task.cancelled()
    there: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    there.set_result("there")
    assert await wait_for(there, 0) == "there"
