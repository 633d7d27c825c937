"""Processes counted by state, and those that use most."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.collectors.linux.process import MOST_LOAD, Process, Processes, counts, linux_reader, parse_stat, top
from schemas.messages import TopProcesses
from tests.agent.build import Clock
from tests.waiting import eventually

STAT = (
    "4242 (a (b) c) S 1 4242 4242 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 7 0 98765 1000000 256 18446744073709551615 "
    "1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0"
)


def process(pid: int = 1, **changes: object) -> Process:
    return Process(pid, b"p%d" % pid, b"S", 0, 1, b"10", 100)._replace(**changes)  # type: ignore[arg-type]


def test_a_name_may_hold_parentheses_and_spaces() -> None:
    assert parse_stat(4242, STAT.encode()) == Process(4242, b"a (b) c", b"S", 200, 7, b"98765", 256)


def test_processes_are_counted_by_state() -> None:
    states = (b"R", b"S", b"I", b"D", b"T", b"t", b"Z")
    found = counts([process(n, state=state, threads=2) for n, state in enumerate(states)])
    assert found == {
        "running": 1,
        "sleeping": 2,
        "uninterruptible": 1,
        "stopped": 2,
        "zombie": 1,
        "total": 7,
        "threads": 14,
    }


def test_the_busiest_and_the_largest_are_told() -> None:
    hertz = os.sysconf("SC_CLK_TCK")
    found = top({(1, b"10"): 0, (2, b"10"): 0}, [process(1, spent_ticks=hertz), process(2, resident_pages=500)], 2)
    assert [(use.pid, use.cpu) for use in found.cpu] == [(1, 50.0)]
    assert [use.pid for use in found.memory] == [2, 1]
    assert found.memory[0].memory == 500 * os.sysconf("SC_PAGE_SIZE")


def test_a_process_that_took_the_number_of_another_is_charged_only_for_itself() -> None:
    hertz = os.sysconf("SC_CLK_TCK")
    found = top({(1, b"10"): 100 * hertz}, [process(1, started=b"99", spent_ticks=hertz)], 10)
    assert [(use.pid, use.cpu) for use in found.cpu] == [(1, 10.0)]


def test_only_the_first_few_are_told_and_never_idle_ones() -> None:
    found = top({}, [process(n, spent_ticks=n, resident_pages=n) for n in range(10)], 10)
    assert [use.pid for use in found.cpu] == [use.pid for use in found.memory] == [9, 8, 7, 6, 5]
    assert top({}, [process(resident_pages=0)], 10).memory == []


def test_a_name_that_is_not_text_is_told_all_the_same() -> None:
    assert top({}, [process(name=b"\xff")], 10).memory[0].name == "\ufffd"


def test_a_process_that_ends_during_the_walk_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "stat").write_text(STAT)
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "stat").write_text("garbage")
    (tmp_path / "self").mkdir()
    assert [found.pid for found in linux_reader(str(tmp_path))()] == [2]


async def test_walks_that_cost_much_are_made_less_often() -> None:
    clock = Clock()
    walks = []

    def read() -> list[Process]:
        walks.append(clock.monotonic())
        sum(range(1_000_000))
        return [process()]

    processes = Processes(read, clock=clock.monotonic)
    first = await processes.collect()
    assert await processes.collect() is first
    assert len(walks) == 1
    clock.pass_time(10 / MOST_LOAD)
    assert await processes.collect() is not first
    processes.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_stopped_and_a_busy_process_of_this_machine_are_seen() -> None:
    tops: list[TopProcesses] = []
    clock = Clock()
    processes = Processes(linux_reader("/proc"), tops.append, clock.monotonic)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    stopped = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        before = await processes.collect()
        os.kill(stopped.pid, 19)

        async def seen() -> bool:
            clock.pass_time(1000)
            reading = await processes.collect()
            assert reading is not None
            assert before is not None
            pids = {use.pid for use in tops[-1].cpu}
            return busy.pid in pids and (reading.instances[""]["stopped"] or 0) >= 1

        await eventually(seen)
    finally:
        busy.kill()
        stopped.kill()
        busy.wait()
        stopped.wait()
        processes.close()
