"""Viewers that do not keep up: bounded, resynchronised, cut off, and nobody else's trouble."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import msgspec
import pytest
import uvloop

from schemas.settings import SettingChanged
from schemas.subjects import SETTINGS_CHANGED
from services.gateway.live import response, viewer
from tests.gateway.live.slow import flood, overflow, receive_until, small_socket, stuck, the_stuck_one
from tests.gateway.running import gateway, publishing, ready, watching
from tests.waiting import eventually


async def test_a_stuck_viewer_is_bounded_and_does_not_hold_up_the_others(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "QUEUE_EVENTS", 150)  # more than one flood
    async with gateway(database_url, bus_url, sockets=[small_socket()]) as client, publishing(bus_url) as agent:
        await ready(client)
        async with stuck(client), watching(client) as stream:
            await stream.until("snapshot")

            async def others_have_it_all() -> bool:
                viewers = (await client.get("/viewers")).json()["viewers"]
                return all(one["lag_ms"] == 0 for one in viewers if one["user_agent"] != "stuck")

            async def overflown() -> bool:
                await flood(agent)
                await eventually(others_have_it_all)
                one = await the_stuck_one(client)
                return one["state"] == "draining" and one["dropped"] > 0

            async def read() -> None:
                while True:
                    await stream.next()

            reading = asyncio.create_task(read())
            try:
                await eventually(overflown, 30)
                viewers = (await client.get("/viewers")).json()["viewers"]
            finally:
                reading.cancel()
                await asyncio.wait([reading])
    assert [one["dropped"] for one in viewers if one["user_agent"] != "stuck"] == [0]


async def test_a_slow_viewer_is_told_to_start_anew_from_a_snapshot(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "QUEUE_EVENTS", 50)
    async with gateway(database_url, bus_url, sockets=[small_socket()]) as client, publishing(bus_url) as agent:
        await ready(client)
        async with stuck(client) as plain:
            await overflow(client, agent)
            await receive_until(plain, lambda seen: b"event: snapshot" in seen.partition(b"event: resync")[2])


async def test_a_dead_connection_is_cut_off(database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response, "SEND_TIMEOUT_S", 0.2)
    async with gateway(database_url, bus_url, sockets=[small_socket()]) as client, publishing(bus_url) as agent:
        await ready(client)
        async with stuck(client) as plain:
            await eventually(lambda: the_stuck_one(client))

            async def gone() -> bool:
                await flood(agent)
                return await the_stuck_one(client) is None

            await eventually(gone, 30)
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(40):
                with contextlib.suppress(ConnectionResetError):
                    while await loop.sock_recv(plain, 1 << 20):
                        pass


async def test_the_stop_does_not_wait_for_a_stuck_viewer(database_url: str, bus_url: str) -> None:
    async with (
        contextlib.AsyncExitStack() as peers,
        gateway(database_url, bus_url, sockets=[small_socket()]) as client,
        publishing(bus_url) as agent,
    ):
        await ready(client)
        await peers.enter_async_context(stuck(client))

        async def behind() -> bool:
            await flood(agent)
            one = await the_stuck_one(client)
            return one is not None and one["lag_ms"] > 0

        await eventually(behind)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_viewer_that_reads_nothing_and_says_no_more_leaves_without_being_asked_again_and_again(
    loop: Callable[[], asyncio.AbstractEventLoop], database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlets: list[viewer.Outlet] = []
    asked: list[viewer.Viewer] = []
    opens, catches_up = viewer.Viewer.open, viewer.Viewer.catch_up

    def opened(one: viewer.Viewer, outlet: viewer.Outlet) -> None:
        outlets.append(outlet)
        opens(one, outlet)

    def caught_up(one: viewer.Viewer, resync: Callable[[], None]) -> None:
        asked.append(one)
        catches_up(one, resync)

    monkeypatch.setattr(viewer.Viewer, "open", opened)
    monkeypatch.setattr(viewer.Viewer, "catch_up", caught_up)

    async def run() -> None:
        async with gateway(database_url, bus_url, sockets=[small_socket()]) as client, publishing(bus_url) as agent:
            await ready(client)
            async with stuck(client) as plain:
                await eventually(lambda: the_stuck_one(client))

                async def changes_of_settings() -> None:
                    for number in range(20):
                        await agent.publish(SETTINGS_CHANGED, msgspec.json.encode(SettingChanged("raw_days", number)))
                    await agent.flush()

                async def some_is_unsent() -> bool:
                    await changes_of_settings()
                    return outlets[0].get_write_buffer_size() > 0

                await eventually(some_is_unsent)
                assert not asked, "more is unsent than a connection holds"
                plain.shutdown(socket.SHUT_WR)
                await eventually(outlets[0].is_closing)

                async def left() -> bool:
                    await changes_of_settings()
                    return await the_stuck_one(client) is None

                await eventually(left)
                assert len(asked) <= 1  # none where it is found out before anybody has to ask
                await eventually(lambda: outlets[0].get_write_buffer_size() == 0)  # cut, not held for the peer

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())
