"""nats-server as a child: ports, directories, ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bus import connection as bus
from infra.bus.streams import ensure_streams
from infra.servers.embedded import EmbeddedServerError, PortTakenError, nats_server
from schemas.subjects import CONFIG_STREAM, STREAMS
from tests.waiting import eventually


async def test_a_restart_finds_the_same_port_and_the_messages(data_dir: Path) -> None:
    async with nats_server(data_dir) as first, bus.connection(first.url, "test") as client:
        await ensure_streams(client)
        await client.jetstream().publish("events.web-1", b"kept")
    async with nats_server(data_dir) as second, bus.connection(second.url, "test") as client:
        assert (await client.jetstream().get_msg("EVENTS", 1)).data == b"kept"
    assert second.url == first.url


async def test_the_server_takes_every_stream_at_its_full_size(data_dir: Path) -> None:
    async with nats_server(data_dir) as server, bus.connection(server.url, "test") as client:
        await ensure_streams(client)
        names = {info.config.name for info in await client.jetstream().streams_info()}
    assert names == {stream.name for stream in STREAMS} | {CONFIG_STREAM}


async def test_a_taken_port_is_named(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"nats-server: port {port} is in use"):
            async with nats_server(data_dir, port):
                pass


async def test_a_remembered_port_that_is_taken_gives_way_to_another(data_dir: Path) -> None:
    data_dir.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (data_dir / "port").write_text(f"{port}\n")
        async with nats_server(data_dir) as server:
            assert server.port != port


async def test_a_second_server_on_the_same_directory_is_refused(data_dir: Path) -> None:
    async with nats_server(data_dir):
        with pytest.raises(
            EmbeddedServerError, match=rf"in use by another sonde \(process {os.getpid()}\).*SONDE_DATA"
        ):
            async with nats_server(data_dir):
                pass


async def test_a_configuration_that_the_server_refuses_shows_its_words(data_dir: Path) -> None:
    with pytest.raises(
        EmbeddedServerError, match=r"did not start: nats-server ended with status 1; last log line: .*host"
    ):
        async with nats_server(data_dir, host="no such host"):
            pass


async def test_exited_says_why_and_what_the_log_says_last(data_dir: Path) -> None:
    async with nats_server(data_dir) as server:
        os.kill(server.process.pid, signal.SIGKILL)
        async with asyncio.timeout(40):
            reason = await server.exited()
    assert reason.startswith("nats-server was killed by SIGKILL; last log line: ")
    assert "Server is ready" in reason
    assert "\n" not in reason


async def test_a_killed_server_restarts_on_its_port_with_its_messages(data_dir: Path) -> None:
    async with nats_server(data_dir) as server, bus.connection(server.url, "test") as client:
        await ensure_streams(client)
        await client.jetstream().publish("events.web-1", b"acknowledged")
        await server.kill()
        await server.restart()
        await eventually(lambda: client.is_connected)
        assert (await client.jetstream().get_msg("EVENTS", 1)).data == b"acknowledged"


async def test_stopping_does_not_wait_for_clients_to_leave(data_dir: Path) -> None:
    async with nats_server(data_dir) as server, bus.connection(server.url, "test"):
        await server.stop()
        assert server.process.returncode == 0


async def test_ctrl_c_on_the_terminal_does_not_reach_the_server(data_dir: Path) -> None:
    async with nats_server(data_dir) as server:
        assert os.getsid(server.process.pid) == server.process.pid


async def test_logs_do_not_grow_with_every_start(data_dir: Path) -> None:
    async with nats_server(data_dir) as server:
        for _ in range(3):
            await server.restart()
    assert sorted(path.name for path in data_dir.glob("*.log*")) == ["nats.log", "nats.log.1"]


BOTH = """
import asyncio, sys
from infra.servers.embedded import nats_server, postgres_server

async def main(directory):
    async with nats_server(directory + "/nats") as nats, postgres_server(directory + "/postgres") as postgres:
        print(nats.process.pid, postgres.process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
async def test_no_server_outlives_a_killed_parent(data_dir: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", BOTH, str(data_dir)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in (await asyncio.to_thread(parent.stdout.readline)).split()]
        assert len(pids) == 2
        assert all(running(pid) for pid in pids)
        parent.kill()
        await eventually(lambda: not any(running(pid) for pid in pids))
    async with nats_server(data_dir / "nats"):
        pass


def running(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_stop_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        server.process.send_signal(signal.SIGSTOP)  # it does not end on its own before it is waited for
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await server.stop()
        assert server.process.returncode is not None
