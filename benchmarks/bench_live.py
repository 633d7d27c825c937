"""From a sample published to its event at a viewer; processor time and memory that viewers cost the gateway.

Agents that send every sample of a fleet at 1 Hz, a gateway in a process of its own, viewers with the selection of the
fleet page. Beside it, in the same run: a bare asyncio server that writes the same bytes to as many connections at the
same pace.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import numpy as np
import psutil

from benchmarks.figures import Figure, figure, parser, show
from infra.bus.connection import connection as bus_connection
from infra.bus.streams import ensure_streams
from infra.cli import process
from infra.servers.embedded import nats_server, postgres_server
from infra.servers.process import free_port
from infra.storage.database import connection as database_connection
from infra.storage.engine import detect
from infra.storage.migrate import migrate
from schemas.catalogue import CATALOGUE
from schemas.codec import Sample, build_batch, encode_batch
from schemas.overview import SUMMARY

FIGURES = (
    "live.p50_ms",
    "live.p99_ms",
    "live.cpu_percent",
    "live.viewer_kib",
    "live.events_per_s",
    "live.samples_per_s",
)
"""Names of what it prints."""
ROOT = Path(__file__).parents[1]
METRICS = ",".join(SUMMARY)
TARGET_P99_MS = 100
TARGET_CPU_PERCENT = 50
WARM_UP_S = 5.0
TIMED_VIEWERS = 3
"""Viewers that read what they get; the others only take it."""
INSTANCES = {"filesystem": ("/", "/home"), "disk": ("sda",), "network": ("eth0", "eth1")}
FAMILIES = ("cpu", "memory", "filesystem", "disk", "network")

RAW_SERVER = """
import asyncio, sys
import uvloop
async def main(port, path, period_s):
    events = open(path, "rb").read().split(b"\\0")
    writers = set()
    async def serve(reader, writer):
        writers.add(writer)
        await reader.read()
        writers.discard(writer)
    await asyncio.start_server(serve, "127.0.0.1", port, backlog=1000)
    loop, k = asyncio.get_running_loop(), 0
    start = loop.time()
    while True:
        event = events[k % len(events)]
        for writer in list(writers):
            writer.write(event)
        k += 1
        await asyncio.sleep(max(0, start + k * period_s - loop.time()))
uvloop.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
"""


class Viewer:
    """One connection; a timed one keeps its frames and how late each sample was."""

    def __init__(self, timed: bool) -> None:
        self.timed = timed
        self.bytes = 0
        self.frames: list[bytes] = []
        self.delays_ms: list[float] = []
        self.task: asyncio.Task[None] | None = None

    async def watch(self, port: int, request: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=64 * 2**20)
        try:
            writer.write(request)
            if self.timed:
                await reader.readuntil(b"\r\n\r\n")
            rest = b""
            while self.timed:
                size = int(await reader.readline(), 16)
                *blocks, rest = (rest + (await reader.readexactly(size + 2))[:-2]).split(b"\n\n")
                self.bytes += size
                for block in blocks:
                    if b"event: frame\n" in block:
                        self._note(block + b"\n\n")
            while data := await reader.read(1 << 18):
                self.bytes += len(data)
        finally:
            writer.close()

    def _note(self, block: bytes) -> None:
        now_ms = time.time() * 1000
        self.frames.append(block)
        frame = json.loads(block[block.index(b"data: ") + 6 :])
        self.delays_ms += [now_ms - sample["time"] for sample in frame["samples"]]

    def forget(self) -> None:
        self.bytes = 0
        self.frames.clear()
        self.delays_ms.clear()


def main(argv: list[str]) -> int:
    options = parser(__doc__ or "")
    options.add_argument("--hosts", type=int, default=1000)
    options.add_argument("--viewers", type=int, default=200)
    options.add_argument("--seconds", type=float, default=20)
    arguments = options.parse_args(argv)
    with process.runner() as loop:
        show(loop.run(measure(arguments.hosts, arguments.viewers, arguments.seconds)), arguments.json, FIGURES)
    return 0


async def measure(hosts: int, viewers: int, seconds: float) -> list[Figure]:
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = await stack.enter_async_context(nats_server(data / "nats"))
        postgres = await stack.enter_async_context(postgres_server(data / "postgres"))
        async with database_connection(postgres.url, "bench") as database:
            await migrate(database, await detect(database))
            await database.execute("INSERT INTO settings (key, value) VALUES ('max_viewers', $1)", str(2 * viewers))
        async with bus_connection(bus.url, "bench") as client:
            await ensure_streams(client)
        port = free_port()
        own = {"SONDE_NATS_URL": bus.url, "SONDE_DATABASE_URL": postgres.url, "SONDE_PORT": str(port)}
        gateway = await stack.enter_async_context(
            running([sys.executable, "-c", "from infra.cli.main import main; main(['gateway'])"], own)
        )
        await listening(port)
        fleet = [sys.executable, __file__, "--fleet", bus.url, str(hosts)]
        await stack.enter_async_context(running(fleet, {}))
        request = f"GET /api/v1/live?metrics={quote(METRICS)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        await asyncio.sleep(WARM_UP_S)
        alone_kib = memory_kib(gateway.pid)
        watched, gateway_cpu, kept_kib = await watch(gateway.pid, port, request, viewers, seconds)
        raw_cpu = await raw_limit(data, watched[0].frames, viewers, seconds)
    delays = np.array([delay for viewer in watched for delay in viewer.delays_ms])
    frames = len(watched[0].frames) * viewers / seconds
    return [
        figure("live.p50_ms", float(np.percentile(delays, 50)), "ms"),
        figure("live.p99_ms", float(np.percentile(delays, 99)), "ms", TARGET_P99_MS),
        figure("live.cpu_percent", gateway_cpu, "% of one core", TARGET_CPU_PERCENT, raw_cpu),
        figure("live.viewer_kib", (kept_kib - alone_kib) / viewers, "KiB"),
        figure("live.events_per_s", frames, "1/s"),
        figure("live.samples_per_s", len(delays) / TIMED_VIEWERS / seconds, "1/s"),
    ]


async def watch(
    pid: int, port: int, request: bytes, viewers: int, seconds: float, timed: int = TIMED_VIEWERS
) -> tuple[list[Viewer], float, float]:
    """Let viewers watch the server `pid`; the timed ones, its share of a core in percent, its memory in KiB."""
    watchers = [Viewer(timed=k < timed) for k in range(viewers)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(watcher.watch(port, request)) for watcher in watchers]
        await asyncio.sleep(WARM_UP_S)
        for watcher in watchers:
            watcher.forget()
        server = psutil.Process(pid)
        before = server.cpu_times()
        await asyncio.sleep(seconds)
        after = server.cpu_times()
        kib = memory_kib(pid)
        for task in tasks:
            task.cancel()
    used_s = after.user + after.system - before.user - before.system
    return watchers[:timed], 100 * used_s / seconds, kib


async def raw_limit(data: Path, frames: list[bytes], viewers: int, seconds: float) -> float:
    """Share of a core in percent that bare writes of the same frames at the same pace take."""
    (data / "frames").write_bytes(b"\0".join(frames))
    port = free_port()
    command = [sys.executable, "-c", RAW_SERVER, str(port), str(data / "frames"), str(seconds / len(frames))]
    async with running(command, {}) as server:
        await listening(port)
        _, cpu_percent, _ = await watch(server.pid, port, b"", viewers, seconds, timed=0)
    return cpu_percent


@asynccontextmanager
async def running(command: list[str], settings: dict[str, str]) -> AsyncIterator[subprocess.Popen[bytes]]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("SONDE_")}
    environment |= {**settings, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 -- returns at once
    try:
        yield child
    finally:
        child.terminate()
        await asyncio.to_thread(child.wait, 10)


async def listening(port: int) -> None:
    """Wait until something answers on `port`."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def memory_kib(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 1024


async def publish_fleet(url: str, hosts: int) -> None:
    """Every host's sample once a second on live.<host>, evenly spread over the second, until killed."""
    dice = random.Random(7)
    batches = [build_batch(f"host-{k}", "bench", "live", 1, [one_sample(dice, 0)]) for k in range(hosts)]
    async with bus_connection(url, "bench agents") as client:
        started = time.perf_counter()
        sent = 0
        while True:
            batch = batches[sent % hosts]
            batch.seq += 1
            batch.times = [time.time_ns() // 1_000_000]
            await client.publish(f"live.{batch.host}", encode_batch(batch))
            sent += 1
            ahead_s = sent / hosts - (time.perf_counter() - started)
            if ahead_s > 0:
                await client.flush()
                await asyncio.sleep(ahead_s)


def one_sample(dice: random.Random, time_ms: int) -> Sample:
    """All that an ordinary host measures at once."""
    return Sample(
        time_ms,
        {
            family.name: {
                instance: {metric.name: dice.randrange(10_000) for metric in family.metrics}
                for instance in INSTANCES.get(family.name, ("",))
            }
            for family in CATALOGUE
            if family.name in FAMILIES
        },
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fleet"]:
        asyncio.run(publish_fleet(sys.argv[2], int(sys.argv[3])))
    sys.exit(main(sys.argv[1:]))
