"""Processes that a benchmark starts, and what they cost."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


@asynccontextmanager
async def running(
    command: list[str], settings: dict[str, str], *, talking: bool = False, nice: int = 0, stop_within_s: float = 10
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A process with those settings; its output is dropped, or, if it is `talking`, its pipes are there."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("SONDE_")}
    environment |= {**settings, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE if talking else None
    child = subprocess.Popen(  # noqa: ASYNC220 -- returns at once
        command, env=environment, stdin=pipe, stdout=pipe or subprocess.DEVNULL
    )
    if nice:
        psutil.Process(child.pid).nice(nice)
    try:
        yield child
    finally:
        child.terminate()
        try:
            await asyncio.to_thread(child.wait, stop_within_s)
        except subprocess.TimeoutExpired:
            child.kill()
            await asyncio.to_thread(child.wait)
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()


async def ask(child: subprocess.Popen[bytes], question: str) -> bytes:
    """The line that a talking process answers with."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(question.encode() + b"\n")
    child.stdin.flush()
    line = await asyncio.to_thread(child.stdout.readline)
    if not line:
        raise EOFError(f"process {child.pid} ended instead of answering {question!r}")
    return line


async def listening(port: int) -> None:
    """Wait until something answers on `port`."""
    async with asyncio.timeout(30):
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


def processor_s(pid: int) -> float:
    """Processor time that a process has used, all of its threads."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
