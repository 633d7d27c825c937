"""Processes counted by state, and those that use most: one walk through /proc, in a thread.

A walk costs about 10 µs for each process. Where there are so many that walking would take more than `MOST_LOAD` of a
core, it is done less often.
"""

from __future__ import annotations

import heapq
import os
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from agent.collectors.readings import Reading, Values
from agent.collectors.source import InThread
from schemas.messages import ProcessUse, TopProcesses

MOST_LOAD = 0.0005
"""Highest share of one core that walking may take over time."""
TOP = 5

_STATES = {
    b"R": "running",
    b"S": "sleeping",
    b"I": "sleeping",  # an idle kernel thread
    b"D": "uninterruptible",
    b"T": "stopped",
    b"t": "stopped",
    b"Z": "zombie",
    b"X": "zombie",
}


class Process(NamedTuple):
    """One process, as /proc/<pid>/stat has it."""

    pid: int
    name: bytes
    state: bytes
    spent_ticks: int
    """Processor time of all its threads, in the kernel's ticks."""
    threads: int
    started: bytes
    """Tells it from a later process of the same number."""
    resident_pages: int


def parse_stat(pid: int, data: bytes) -> Process:
    """One line of proc(5)'s stat; the name, in parentheses, may hold anything. Raises ValueError or IndexError."""
    closing = data.rindex(b")")
    words = data[closing + 2 :].split(b" ", 22)
    name = data[data.index(b"(") + 1 : closing]
    spent_ticks = int(words[11]) + int(words[12])
    return Process(pid, name, words[0], spent_ticks, int(words[17]), words[19], int(words[21]))


def linux_reader(proc: str) -> Callable[[], list[Process]]:
    """Reads every process; one that ends meanwhile is left out."""

    def read() -> list[Process]:
        found = []
        for name in os.listdir(proc):  # noqa: PTH208  # a Path for each of them would double the cost
            if name.isdigit():
                try:
                    fd = os.open(f"{proc}/{name}/stat", os.O_RDONLY | os.O_CLOEXEC)
                    try:
                        found.append(parse_stat(int(name), os.read(fd, 1024)))
                    finally:
                        os.close(fd)
                except (OSError, ValueError, IndexError):
                    continue
        return found

    return read


def counts(processes: list[Process]) -> Values:
    """The family's metrics."""
    found: Values = dict.fromkeys(("running", "sleeping", "uninterruptible", "stopped", "zombie"), 0)
    for state, count in Counter(process.state for process in processes).items():
        if (name := _STATES.get(state)) is not None:
            found[name] = (found[name] or 0) + count
    found["total"] = len(processes)
    found["threads"] = sum(process.threads for process in processes)
    return found


def top(before: dict[tuple[int, bytes], int], processes: list[Process], elapsed_s: float) -> TopProcesses:
    """The processes that used most processor time since `before` (pid and start -> ticks), and most memory now."""
    per_tick = 100 / os.sysconf("SC_CLK_TCK") / elapsed_s if elapsed_s > 0 else 0
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    # One that was not there before has spent all its time since.
    spent = {
        process.pid: (process.spent_ticks - before.get((process.pid, process.started), 0)) * per_tick
        for process in processes
    }

    def use(process: Process) -> ProcessUse:
        name, cpu = process.name.decode("utf-8", "replace"), round(spent[process.pid], 2)
        return ProcessUse(process.pid, name, cpu, process.resident_pages * page_bytes)

    busiest = heapq.nlargest(TOP, processes, key=lambda process: spent[process.pid])
    largest = heapq.nlargest(TOP, processes, key=lambda process: process.resident_pages)
    return TopProcesses(
        [use(process) for process in busiest if spent[process.pid] > 0],
        [use(process) for process in largest if process.resident_pages > 0],
    )


class Processes:
    """A source (`agent.collectors.source.Source`). Holds the previous walk."""

    def __init__(
        self,
        read: Callable[[], list[Process]],
        tell_top: Callable[[TopProcesses], None] = lambda top: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell_top` is called after every walk but the first, in the thread that walks."""
        self._read = read
        self._tell_top = tell_top
        self._clock = clock
        self._thread = InThread("process", self._walk)
        self._before: dict[tuple[int, bytes], int] = {}
        self._before_s = 0.0
        self._due_s = float("-inf")
        self._last: Reading | None = None

    async def collect(self) -> Reading | None:
        """See `Source`; the last walk's counts while the next one would cost too much."""
        if self._clock() < self._due_s:
            return self._last
        return await self._thread.collect()

    def close(self) -> None:
        self._thread.close()

    def _walk(self) -> Reading:
        now_s, spent_s = self._clock(), time.thread_time()
        processes = self._read()
        if self._before:
            self._tell_top(top(self._before, processes, now_s - self._before_s))
        self._before = {(process.pid, process.started): process.spent_ticks for process in processes}
        self._before_s = now_s
        self._due_s = now_s + (time.thread_time() - spent_s) / MOST_LOAD
        self._last = Reading({"": counts(processes)})
        return self._last
