"""The viewers of `bench_live`, in a process of their own; one line in, one line of JSON out.

    python benchmarks/live_viewers.py PORT watch|herd VIEWERS IDLE

`watch` prints a line once all have their snapshots, and for each line `BEGIN END` (Unix milliseconds) what they saw
between. `herd` lets all come at once and prints how long each took until its snapshot was complete.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast
from urllib.parse import quote

import msgspec
import numpy as np
import uvloop
from msgspec import Struct

from schemas.overview import SUMMARY

METRICS = (",".join(SUMMARY), "cpu", "memory", "network,disk", "cpu.total,memory.used_percent,filesystem.used_percent")
HOSTS = (1000, 500, 250, 100)
SELECTIONS = len(METRICS) * len(HOSTS)
IDLE_S = 30.0
"""After so long somebody who reads nothing comes again: the gateway has cut it off by then."""
HERD_WITHIN_S = 60.0


class Sample(Struct):
    time: int


class Frame(Struct):
    samples: list[Sample]


_decoder = msgspec.json.Decoder(Frame)


def request(number: int, port: int) -> bytes:
    """What viewer `number` asks for: one of the selections, the hosts either all or so many by name."""
    hosts = HOSTS[number // len(METRICS) % len(HOSTS)]
    named = "" if hosts == HOSTS[0] else "&hosts=" + ",".join(f"host-{k}" for k in range(hosts))
    path = f"/api/v1/live?metrics={quote(METRICS[number % len(METRICS)], safe=',')}{named}"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


class Reader(asyncio.Protocol):
    """Takes a stream; a timed one notes how late each sample is."""

    def __init__(self, asked: bytes, timed: bool) -> None:
        self.asked = asked
        self.timed = timed
        self.bytes = 0
        self.refused = ""
        self.whole_s: float | None = None
        """When its snapshot was complete."""
        self.seen: list[tuple[float, int, np.ndarray]] = []
        """Arrival (ms), bytes, delays (ms) of each frame."""
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self.asked)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.whole_s is None:
            self.refused = self.refused or f"connection lost: {exc}"

    def data_received(self, data: bytes) -> None:
        now_ms = time.time() * 1000
        if not self.bytes and not data.startswith(b"HTTP/1.1 200"):
            self.refused = data[:300].decode(errors="replace")
        self.bytes += len(data)
        if self.whole_s is None or self.timed:
            self._read(data, now_ms)

    def _read(self, data: bytes, now_ms: float) -> None:
        *blocks, self._rest = (self._rest + data).split(b"\n\n")
        for block in blocks:
            at = block.find(b"event: ")
            if block.startswith(b"complete", at + 7):
                self.whole_s = time.perf_counter()
            elif self.timed and block.startswith(b"frame\n", at + 7):
                frame = _decoder.decode(block[block.index(b"data: ") + 6 :])
                times = np.array([sample.time for sample in frame.samples])
                self.seen.append((now_ms, len(block), now_ms - times))


async def join(port: int, number: int, timed: bool) -> Reader:
    _, reader = await asyncio.get_running_loop().create_connection(
        lambda: Reader(request(number, port), timed), "127.0.0.1", port
    )
    return reader


async def idle(port: int, number: int) -> None:
    """Ask, and read nothing, again and again."""
    loop = asyncio.get_running_loop()
    while True:
        transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
        transport.pause_reading()
        transport.write(request(number, port))
        await asyncio.sleep(IDLE_S)
        transport.abort()


async def all_whole(readers: list[Reader]) -> bool:
    """Wait for everybody's snapshot; False when some take too long or were refused."""
    deadline = time.perf_counter() + HERD_WITHIN_S
    while time.perf_counter() < deadline:
        if refused := [reader.refused for reader in readers if reader.refused]:
            print(f"refused: {refused[0]}", file=sys.stderr)
            return False
        if all(reader.whole_s for reader in readers):
            return True
        await asyncio.sleep(0.05)
    print(f"{sum(reader.whole_s is None for reader in readers)} have no whole snapshot", file=sys.stderr)
    return False


async def watch(port: int, viewers: int, idlers: int) -> None:
    readers = [await join(port, number, timed=number < SELECTIONS) for number in range(viewers)]
    async with asyncio.TaskGroup() as group:
        resting = [group.create_task(idle(port, number)) for number in range(idlers)]
        print(json.dumps(await all_whole(readers)), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            begin, end = map(float, line.split())
            frames = [frame for reader in readers for frame in reader.seen if begin <= frame[0] < end]
            answer = {
                "delays_ms": np.percentile(np.concatenate([frame[2] for frame in frames]), [50, 99, 100]).tolist(),
                "frames": len(frames),
                "frame_bytes": sum(frame[1] for frame in frames) / len(frames),
                "samples": int(sum(len(frame[2]) for frame in frames)),
                "timed": sum(reader.timed for reader in readers),
            }
            for reader in readers:
                reader.seen = [frame for frame in reader.seen if frame[0] >= end]
            print(json.dumps(answer), flush=True)
        for task in resting:
            task.cancel()


async def herd(port: int, viewers: int) -> None:
    began_s = time.perf_counter()
    readers = await asyncio.gather(*(join(port, number, timed=False) for number in range(viewers)))
    await all_whole(list(readers))
    print(json.dumps([reader.whole_s and reader.whole_s - began_s for reader in readers]), flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    port, what, viewers, idlers = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    uvloop.run(watch(port, viewers, idlers) if what == "watch" else herd(port, viewers))
