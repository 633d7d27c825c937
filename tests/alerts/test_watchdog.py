"""The dead man's switch: told while alerts are judged and told, and not one moment longer."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from infra.bus.heartbeat import Pulse
from infra.bus.lag import StreamLag
from infra.bus.ordered import Position
from infra.outbound import outbound
from services.alerts.judge.progress import Progress
from services.alerts.watchdog import STALE_S, Watchdog, unhealthy, watch_over
from tests.alerts.fleet import Fleet, fleet, serving
from tests.waiting import eventually


class Switch:
    """A real HTTP server that notes each POST, and answers with the statuses of `script` first."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.script: deque[int] = deque()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length"))
            await reader.readexactly(length)
            assert head.startswith("post /ping ")
            self.times_s.append(time.monotonic())
            status = self.script.popleft() if self.script else 200
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()


@asynccontextmanager
async def switched() -> AsyncIterator[Switch]:
    switch = Switch()
    server = await asyncio.start_server(switch.serve, "127.0.0.1", 0)
    switch.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ping"
    try:
        yield switch
    finally:
        server.close()


def healthy() -> Progress:
    """Of a service that has just judged everything."""
    pulse = Pulse("alerts")
    pulse.succeeded()
    progress = Progress(pulse)
    progress.lane = StreamLag(Position(0, 0), 0)
    progress.judged(progress.lane, Position(0, 0))
    return progress


@asynccontextmanager
async def watching(made: Fleet, progress: Progress) -> AsyncIterator[Watchdog]:
    stop = asyncio.Event()
    async with outbound(private=True) as http, asyncio.TaskGroup() as group:
        watchdog = Watchdog(http, progress, time.monotonic, look_s=0.05, retry_s=0.05)
        group.create_task(watch_over(watchdog, made.settings.database_url, stop))
        try:
            yield watchdog
        finally:
            stop.set()


async def test_a_service_that_judges_and_tells_tells_the_switch(bus_url: str, database_url: str) -> None:
    async with switched() as switch, fleet(bus_url, database_url) as made:
        await made.setting("heartbeat_url", switch.url)
        async with serving(made.settings):
            await eventually(lambda: switch.times_s)


async def test_what_fails_is_tried_again_and_said_until_it_works(bus_url: str, database_url: str) -> None:
    async with switched() as switch, fleet(bus_url, database_url) as made:
        switch.script.extend([500, 404])
        await made.setting("heartbeat_url", switch.url)
        async with watching(made, healthy()) as watchdog:
            await eventually(lambda: "status 500" in watchdog.failing)
            await eventually(lambda: watchdog.last_ms is not None)
            assert watchdog.failing == ""
        assert len(switch.times_s) >= 3


async def test_it_is_not_told_while_judging_fails(
    bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with switched() as switch, fleet(bus_url, database_url) as made:
        progress = healthy()
        progress.pulse.failed("no bus")
        await made.setting("heartbeat_url", switch.url)
        async with watching(made, progress) as watchdog:
            await eventually(lambda: "no bus" in watchdog.failing)
            assert switch.times_s == []
            progress.pulse.succeeded()
            await eventually(lambda: watchdog.last_ms is not None)
    told = [record.message for record in caplog.records if "dead man" in record.message]
    assert told.count("dead man's switch not told, will retry") == 1


async def test_an_address_that_is_set_later_is_told_without_a_restart(bus_url: str, database_url: str) -> None:
    async with switched() as switch, fleet(bus_url, database_url) as made, watching(made, healthy()) as watchdog:
        assert watchdog.outward() is None
        await made.setting("heartbeat_url", switch.url)
        await eventually(lambda: switch.times_s)
        await eventually(lambda: watchdog.outward() is not None)


async def test_what_it_says_of_a_failure_does_not_hold_the_address(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url) as made:
        await made.setting("heartbeat_url", "http://127.0.0.1:1/SECRET")
        async with watching(made, healthy()) as watchdog:
            await eventually(lambda: watchdog.failing)
            assert "SECRET" not in watchdog.failing


def test_without_having_read_the_stream_it_is_not_healthy() -> None:
    assert "not begun" in unhealthy(Progress(Pulse("alerts")), 100.0, 100.0)


def test_while_it_catches_up_it_is_not_healthy() -> None:
    progress = healthy()
    assert progress.lane is not None
    late = Progress(progress.pulse)
    late.lane = progress.lane
    assert "still being judged" in unhealthy(late, 100.0, 100.0)


def test_without_telling_people_it_is_not_healthy() -> None:
    assert "telling people" in unhealthy(healthy(), None, 100.0)
    assert "telling people" in unhealthy(healthy(), 100.0, 100.0 + STALE_S + 1)
    assert unhealthy(healthy(), 100.0, 100.0 + STALE_S - 1) == ""
