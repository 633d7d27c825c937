"""From a sample published to its event at a viewer; what viewers cost the gateway, and what a herd of them does.

A gateway, the agents of a fleet at 1 Hz with their batches, and viewers over 20 selections, some of whom read nothing,
each in a process of its own; then as many again who come at once, in another. Beside it, in the same run: a bare
asyncio server that writes frames of the same size to as many connections at the same pace.

Figures are those of this machine at that time: with other work on it, only the processor time means something.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from argparse import Namespace
from contextlib import AsyncExitStack
from pathlib import Path
from subprocess import Popen

import numpy as np

from benchmarks.figures import Figure, figure, parser, show
from benchmarks.live_viewers import HERD_WITHIN_S, HOSTS, SELECTIONS
from benchmarks.processes import ROOT, ask, listening, memory_kib, processor_s, running
from infra.bus.connection import connection as bus_connection
from infra.bus.streams import ensure_streams
from infra.cli import process
from infra.servers.embedded import nats_server, postgres_server
from infra.servers.process import free_port
from infra.storage.database import connection as database_connection
from infra.storage.engine import detect
from infra.storage.migrate import migrate

FIGURES = (
    "live.p50_ms",
    "live.p99_ms",
    "live.cpu_percent",
    "live.pause_ms",
    "live.viewer_kib",
    "live.drift_kib",
    "live.herd_p99_ms",
    "live.herd_s",
    "live.herd_pause_ms",
    "live.events_per_s",
    "live.samples_per_s",
)
"""Names of what it prints."""
TARGET_P99_MS = 100
TARGET_CPU_PERCENT = 60
TARGET_HERD_P99_MS = 250
WARM_UP_S = 75.0
"""By then agents have sent batches, and the gateway remembers as much of each host as it ever does."""
FILLING_S = 90.0
"""By then feeds keep all that they do for those who come back, and so do the queues of those who read nothing."""
HERD_NICE = 10
"""The herd's own work is that of other machines."""

RAW_SERVER = """
import asyncio, sys
import uvloop
async def main(port, size, period_s):
    event, writers = bytes(size), set()
    async def serve(reader, writer):
        writers.add(writer)
        try:
            await reader.read()
        except OSError:
            pass
        writers.discard(writer)
    await asyncio.start_server(serve, "127.0.0.1", port, backlog=1000)
    loop, k = asyncio.get_running_loop(), 0
    start = loop.time()
    while True:
        for writer in list(writers):
            writer.write(event)
        k += 1
        await asyncio.sleep(max(0, start + k * period_s - loop.time()))
uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
"""
RAW_SECONDS = 5.0


def main(argv: list[str]) -> int:
    options = parser(__doc__ or "")
    options.add_argument("--hosts", type=int, default=1000)
    options.add_argument("--viewers", type=int, default=200, help="of whom a tenth read nothing")
    options.add_argument("--seconds", type=float, default=20)
    arguments = options.parse_args(argv)
    with process.runner() as loop:
        show(loop.run(measure(arguments)), arguments.json, FIGURES)
    return 0


async def measure(arguments: Namespace) -> list[Figure]:
    viewers = arguments.viewers
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = await stack.enter_async_context(nats_server(data / "nats"))
        postgres = await stack.enter_async_context(postgres_server(data / "postgres"))
        await prepare(postgres.url, bus.url, viewers)
        port = free_port()
        own = {
            "SONDE_NATS_URL": bus.url,
            "SONDE_DATABASE_URL": postgres.url,
            "SONDE_PORT": str(port),
            "SONDE_DATA": str(data),
            "SONDE_CONNECTIONS_PER_ADDRESS": str(10 * viewers + 100),
        }
        gateway = await stack.enter_async_context(running(script("live_gateway.py"), own, talking=True))
        await listening(port)
        await stack.enter_async_context(running([*script("live_agents.py"), bus.url, str(arguments.hosts)], {}))
        await asyncio.sleep(WARM_UP_S)
        alone_kib = memory_kib(gateway.pid)
        watchers = await stack.enter_async_context(
            running([*script("live_viewers.py"), str(port), "watch", *shares(viewers)], {}, talking=True)
        )
        assert watchers.stdout is not None
        if not json.loads(await asyncio.to_thread(watchers.stdout.readline)):
            raise RuntimeError("some viewers got no whole snapshot")
        await asyncio.sleep(FILLING_S)
        steady = await watch(gateway, watchers, arguments.seconds)
        seen = steady.pop("seen")
        herd = await stampede(gateway, watchers, port, viewers)
        raw = await raw_limit(seen, viewers, arguments.seconds)
    frames_per_s = seen["frames"] / seen["timed"] / arguments.seconds
    return [
        figure("live.p50_ms", seen["delays_ms"][0], "ms"),
        figure("live.p99_ms", seen["delays_ms"][1], "ms", TARGET_P99_MS),
        figure("live.cpu_percent", steady["cpu_percent"], "% of one core", TARGET_CPU_PERCENT, raw),
        figure("live.pause_ms", steady["pause_ms"], "ms"),
        figure("live.viewer_kib", (steady["kib"] - alone_kib) / viewers, "KiB"),
        figure("live.drift_kib", steady["grown_kib"] / viewers, "KiB a viewer in this run", 0),
        figure("live.herd_p99_ms", herd["p99_ms"], "ms", TARGET_HERD_P99_MS),
        figure("live.herd_s", herd["last_s"], f"s until {herd['whole']:.0f} of {viewers} had their snapshot"),
        figure("live.herd_pause_ms", herd["pause_ms"], "ms"),
        figure("live.events_per_s", frames_per_s * viewers, "1/s"),
        figure(
            "live.samples_per_s",
            seen["samples"] / seen["timed"] / arguments.seconds,
            "1/s and viewer",
            limit=sum(min(hosts, arguments.hosts) for hosts in HOSTS) / len(HOSTS),
        ),
    ]


def script(name: str) -> list[str]:
    return [sys.executable, str(ROOT / "benchmarks" / name)]


def shares(viewers: int) -> list[str]:
    """How many read, and how many read nothing."""
    return [str(viewers - viewers // 10), str(viewers // 10)]


async def prepare(database_url: str, bus_url: str, viewers: int) -> None:
    """Tables, streams, and settings that let so many watch from one address without a login."""
    most = {"max_viewers": 3 * viewers, "max_viewers_per_person": 3 * viewers}
    settings = {**most, "max_selections_per_person": SELECTIONS, "anonymous_viewer": True}
    async with database_connection(database_url, "bench") as database:
        await migrate(database, await detect(database))
        for key, value in settings.items():
            await database.execute("INSERT INTO settings (key, value) VALUES ($1, $2)", key, json.dumps(value))
    async with bus_connection(bus_url, "bench") as client:
        await ensure_streams(client)


async def watch(gateway: Popen[bytes], watchers: Popen[bytes], seconds: float) -> dict:  # type: ignore[type-arg]
    """Let time pass: what was seen and what it cost."""
    await ask(gateway, "begin")
    begin_ms, used_s, kib = time.time() * 1000, processor_s(gateway.pid), memory_kib(gateway.pid)
    await asyncio.sleep(seconds)
    used_s, after_kib, end_ms = processor_s(gateway.pid) - used_s, memory_kib(gateway.pid), time.time() * 1000
    return {
        "pause_ms": float(await ask(gateway, "end")),
        "cpu_percent": 100 * used_s / seconds,
        "kib": after_kib,
        "grown_kib": after_kib - kib,
        "seen": json.loads(await ask(watchers, f"{begin_ms} {end_ms}")),
    }


async def stampede(gateway: Popen[bytes], watchers: Popen[bytes], port: int, viewers: int) -> dict[str, float]:
    """Let as many viewers again come at once; what the others see meanwhile."""
    await ask(gateway, "begin")
    begin_ms = time.time() * 1000
    command = [*script("live_viewers.py"), str(port), "herd", str(viewers), "0"]
    async with running(command, {}, talking=True, nice=HERD_NICE) as herd:
        assert herd.stdout is not None
        whole = [each for each in json.loads(await asyncio.to_thread(herd.stdout.readline)) if each is not None]
    pause_ms = float(await ask(gateway, "end"))
    seen = json.loads(await ask(watchers, f"{begin_ms} {time.time() * 1000}"))
    last_s = float(np.max(whole)) if len(whole) == viewers else HERD_WITHIN_S
    return {"p99_ms": seen["delays_ms"][1], "last_s": last_s, "whole": len(whole), "pause_ms": pause_ms}


async def raw_limit(seen: dict, viewers: int, seconds: float) -> float:  # type: ignore[type-arg]
    """Share of a core in percent that bare writes of frames of that size at that pace take."""
    port = free_port()
    period_s = seconds * seen["timed"] / seen["frames"]
    command = [sys.executable, "-c", RAW_SERVER, str(port), str(round(seen["frame_bytes"])), str(period_s)]
    async with running(command, {}) as server, asyncio.TaskGroup() as group:
        await listening(port)
        tasks = [group.create_task(swallow(port)) for _ in range(viewers)]
        await asyncio.sleep(1)
        used_s = processor_s(server.pid)
        await asyncio.sleep(RAW_SECONDS)
        used_s = processor_s(server.pid) - used_s
        for task in tasks:
            task.cancel()
    return 100 * used_s / RAW_SECONDS


async def swallow(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while await reader.read(1 << 18):
            pass
    finally:
        writer.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
