"""Staying connected, and ending when asked, whatever state the bus is in."""

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import nats.errors
import psutil
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.bus.backoff import Backoff
from infra.bus.client import BusClient
from infra.bus.connection import BUS_TRANSIENT, connection, keep_connected
from infra.bus.streams import ensure_streams
from infra.servers.embedded import nats_server
from schemas.subjects import STREAMS
from tests.waiting import eventually


def nobody_there() -> str:
    """Address of a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"nats://127.0.0.1:{probe.getsockname()[1]}"


def stopped(pid: int) -> bool:
    """Whether no thread of a process that was told to stop still runs."""
    threads = (psutil.Process(thread.id).status() for thread in psutil.Process(pid).threads())
    return all(status == psutil.STATUS_STOPPED for status in threads)


async def for_ever(_: Client) -> None:
    await asyncio.Event().wait()


async def test_stopping_while_the_bus_is_away_ends_at_once() -> None:
    stop = asyncio.Event()
    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        group.create_task(keep_connected(nobody_there(), "test", for_ever, stop=stop))
        await asyncio.sleep(0.3)
        stop.set()


async def test_cancelling_while_the_bus_is_away_ends_at_once() -> None:
    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        task = group.create_task(keep_connected(nobody_there(), "test", for_ever))
        await asyncio.sleep(0.3)
        task.cancel()


async def test_cancelling_while_a_fault_is_on_its_way_out_ends_too(bus_url: str) -> None:
    """TaskGroup before Python 3.13 forgets that it was cancelled when it is just ending by an error of its own."""
    began = []

    async def work(_: Client) -> None:
        began.append(True)
        asyncio.get_running_loop().call_soon(connected.cancel)
        raise ConnectionRefusedError

    connected = asyncio.create_task(
        keep_connected(bus_url, "test", work, transient=(OSError,), backoff=Backoff(60, 60))
    )
    await asyncio.wait({connected}, timeout=30)
    assert connected.done()
    assert began == [True]


async def test_cancelling_in_the_moment_of_connecting_leaves_no_connection(
    bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: list[Client] = []

    async def connect_and_be_cancelled(client: Client, *args: Any, **arguments: Any) -> None:
        clients.append(client)
        await Client.connect(client, *args, **arguments)
        connected.cancel()
        for _ in range(len(clients)):  # until the cancelling meets it, just then or too late
            await asyncio.sleep(0)

    monkeypatch.setattr(BusClient, "connect", connect_and_be_cancelled)
    for _ in range(8):
        connected = asyncio.create_task(keep_connected(bus_url, "test", for_ever))
        await asyncio.wait({connected}, timeout=30)
        assert connected.cancelled()
    assert [client.is_closed for client in clients] == [True] * 8


async def test_stopping_when_the_bus_dies_at_that_moment_ends(tmp_path: Path) -> None:
    stop = asyncio.Event()
    at_work = asyncio.Event()

    async def work(client: Client) -> None:
        at_work.set()
        while not stop.is_set():
            await client.jetstream(timeout=1).stream_info("METRICS")
            await asyncio.sleep(0.01)

    async with nats_server(tmp_path) as server, asyncio.timeout(12), asyncio.TaskGroup() as group:
        group.create_task(keep_connected(server.url, "test", work, stop=stop))
        await at_work.wait()
        await server.kill()
        stop.set()


async def test_an_answer_that_comes_after_its_asker_gave_up_ends_no_reading(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server, connection(server.url, "test") as client:
        os.kill(server.process.pid, signal.SIGSTOP)
        await eventually(lambda: stopped(server.process.pid))
        with pytest.raises(nats.errors.TimeoutError):
            await client.flush(0.2)  # type: ignore[arg-type]  # a timeout, so fractions work
        os.kill(server.process.pid, signal.SIGCONT)
        await client.flush(30)
        assert client.is_connected


async def test_work_at_hand_is_finished_after_the_stop(bus_url: str) -> None:
    stop = asyncio.Event()
    at_work = asyncio.Event()
    finished = []

    async def work(client: Client) -> None:
        at_work.set()
        await stop.wait()
        await client.flush()
        finished.append(True)

    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        group.create_task(keep_connected(bus_url, "test", work, stop=stop))
        await at_work.wait()
        stop.set()
    assert finished


async def test_a_transient_fault_starts_the_work_again_and_a_bug_passes_through(bus_url: str) -> None:
    faults: list[Exception] = [BUS_TRANSIENT[0](), TimeoutError(), KeyError("bug")]

    async def work(_: Client) -> None:
        raise faults.pop(0)

    with pytest.raises(KeyError):
        await keep_connected(bus_url, "test", work, backoff=Backoff(0.01, 0.02))
    assert not faults


async def test_streams_can_be_ensured_by_several_at_once(bus_url: str) -> None:
    async def work(client: Client) -> None:
        await asyncio.gather(*(ensure_streams(client) for _ in range(3)))
        names = {info.config.name for info in await client.jetstream().streams_info()}
        assert names >= {stream.name for stream in STREAMS}

    await keep_connected(bus_url, "test", work)


async def test_a_socket_that_breaks_under_the_closing_leaves_no_task(bus_url: str) -> None:
    async def receive(_: Msg) -> None: ...

    class Broken:
        """A transport whose peer went just now."""

        def __init__(self, whole: object) -> None:
            self._whole = whole

        def __getattr__(self, name: str) -> object:
            return getattr(self._whole, name)

        async def drain(self) -> None:
            raise ConnectionResetError("broken")

    async with connection(bus_url, "test") as client:
        await client.subscribe("something", cb=receive)
        await client.flush()
        whole = client._transport
        client._transport = Broken(whole)
        client._pending, client._pending_data_size = [b"PING\r\n"], 6
    tasks = [task for task in asyncio.all_tasks() if "_wait_for_msgs" in repr(task)]
    await asyncio.wait(tasks, timeout=40)
    left = [task for task in tasks if not task.done()]
    assert whole is not None
    whole.close()
    assert not left


async def test_of_several_addresses_one_that_answers_is_enough(bus_url: str) -> None:
    async with connection(f"{nobody_there()},{bus_url}", "test") as client:
        await client.flush()
