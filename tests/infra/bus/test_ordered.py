"""Where reading a stream begins."""

from __future__ import annotations

import time

from nats.aio.client import Client

from infra.bus import connection as bus
from infra.bus.ordered import OrderedPull, Position, StoredMessage, ordered
from tests.waiting import eventually

STREAM = "METRICS"


async def put(client: Client, *texts: str) -> None:
    for text in texts:
        await client.jetstream().publish("metrics.web-1", text.encode())


async def taken(pull: OrderedPull, count: int) -> list[StoredMessage]:
    """The first messages, at least `count`."""
    found: list[StoredMessage] = []

    async def enough() -> bool:
        found.extend(await pull.next(0.2))
        return len(found) >= count

    await eventually(enough)
    return found


async def read(pull: OrderedPull, count: int) -> list[str]:
    """What they say."""
    return [message.data.decode() for message in await taken(pull, count)]


async def grown_old(seconds: float) -> None:
    """Return when what was put before is older than that."""
    began_s = time.monotonic()
    await eventually(lambda: time.monotonic() - began_s > seconds)


async def test_from_the_zero_position_everything_is_read(bus_url: str) -> None:
    async with bus.connection(bus_url, "test") as client:
        await put(client, "a", "b")
        async with ordered(client, STREAM, Position()) as pull:
            assert pull.begins == Position()
            assert await read(pull, 2) == ["a", "b"]


async def test_from_the_zero_position_what_is_too_old_is_not_read(bus_url: str) -> None:
    async with bus.connection(bus_url, "test") as client:
        await put(client, "old", "old")
        await grown_old(2)
        await put(client, "new")
        async with ordered(client, STREAM, Position(), first_s=1.5) as pull:
            await put(client, "newer")
            assert pull.begins.seq == 2
            assert await read(pull, 2) == ["new", "newer"]


async def test_where_all_is_too_old_reading_begins_at_the_end(bus_url: str) -> None:
    async with bus.connection(bus_url, "test") as client:
        await put(client, "old", "old")
        await grown_old(1)
        async with ordered(client, STREAM, Position(), first_s=0.5) as pull:
            assert pull.begins.seq == 2
            await put(client, "new")
            assert await read(pull, 1) == ["new"]


async def test_from_a_position_nothing_is_too_old(bus_url: str) -> None:
    async with bus.connection(bus_url, "test") as client:
        await put(client, "a", "b")
        async with ordered(client, STREAM, Position()) as pull:
            first = (await taken(pull, 2))[0]
        await grown_old(1)
        async with ordered(client, STREAM, first.position, first_s=0.5) as pull:
            assert pull.begins == first.position
            assert (await read(pull, 1))[0] == "b"


async def test_what_came_shortly_before_the_position_is_read_again_where_that_is_asked_for(bus_url: str) -> None:
    async with bus.connection(bus_url, "test") as client:
        await put(client, "old")
        await grown_old(2)
        await put(client, "a", "b", "c")
        async with ordered(client, STREAM, Position()) as pull:
            position = (await taken(pull, 4))[2].position
        async with ordered(client, STREAM, position, earlier_s=1) as pull:
            assert await read(pull, 3) == ["a", "b", "c"]
