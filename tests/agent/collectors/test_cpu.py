"""Processor time of the host and of its cores."""

from __future__ import annotations

import pytest

from agent.collectors.linux import cpu

STAT = b"""cpu  100 20 30 800 40 5 6 7 50 3
cpu0 40 20 20 400 40 5 6 7 50 3
cpu1 60 0 10 400 0 0 0 0 0 0
intr 4000 1 2 3
ctxt 9000
btime 1795221329
processes 500
procs_running 3
procs_blocked 1
"""


def times(**changes: int) -> cpu.Times:
    return cpu.parse_stat(STAT)._replace(**changes)


def test_stat_is_read_as_the_kernel_documents_it() -> None:
    assert cpu.parse_stat(STAT) == cpu.Times(100, 20, 30, 800, 40, 5, 6, 7, 9000, 4000, 500, 3, 1)


def test_a_stat_without_the_lines_of_newer_kernels_costs_only_their_metrics() -> None:
    first_line = STAT.split(b"\n")[0] + b"\n"
    assert cpu.parse_stat(first_line) == cpu.Times(100, 20, 30, 800, 40, 5, 6, 7, None, None, None, None, None)


def test_forks_are_a_rate_and_tasks_a_state() -> None:
    reader = cpu.Cpu(iter([times(forks=500), times(forks=520, user=101)]).__next__, lambda: (0, 0, 0))
    reader.collect(0)
    values = reader.collect(2)[""]
    assert (values["forks"], values["procs_running"], values["procs_blocked"]) == (10, 3, 1)


def test_each_core_has_its_own_share() -> None:
    later = STAT.replace(b"cpu1 60 0 10 400", b"cpu1 90 0 10 410")
    cores = cpu.Cores(iter([cpu.parse_cores(STAT), cpu.parse_cores(later)]).__next__, lambda name: True)
    assert cores.collect(0) == {}
    values = cores.collect(1)
    assert values["0"]["total"] is None, "no time passed on this core"
    assert values["1"]["total"] == pytest.approx(75)


def test_a_core_that_goes_offline_and_returns_has_no_share_at_first() -> None:
    one = {"0": (1.0, 10.0)}
    both = {"0": (2.0, 20.0), "1": (5.0, 10.0)}
    cores = cpu.Cores(iter([both, one, both, both]).__next__, lambda name: True)
    assert [list(cores.collect(second)) for second in range(4)] == [[], ["0"], ["0"], ["0", "1"]]


def test_only_chosen_cores_are_told() -> None:
    cores = cpu.Cores(lambda: cpu.parse_cores(STAT), lambda name: name == "1")
    cores.collect(0)
    assert list(cores.collect(1)) == ["1"]


def test_shares_of_all_time_add_up() -> None:
    later = times(user=150, system=40, idle=830, iowait=50, context_switches=9100, interrupts=4050)
    values = cpu.shares(times(), later, 0.5)
    assert values["total"] == pytest.approx(60)
    assert values["user"] == pytest.approx(50)
    assert values["iowait"] == pytest.approx(10)
    assert values["context_switches"] == 200
    assert values["interrupts"] == 100


def test_a_reset_of_the_processor_counters_gives_null() -> None:
    assert cpu.shares(times(), times(user=1), 1)["total"] is None


def test_iowait_going_back_costs_only_iowait() -> None:
    values = cpu.shares(times(), times(user=110, idle=810, iowait=39), 1)
    assert values["iowait"] is None
    assert values["total"] == pytest.approx(50)


def test_the_first_sample_has_load_but_no_shares() -> None:
    reader = cpu.Cpu(lambda: times(), lambda: (1.0, 2.0, 3.0))
    assert reader.collect(0)[""] == {
        "procs_running": 3,
        "procs_blocked": 1,
        "load1": 1.0,
        "load5": 2.0,
        "load15": 3.0,
        "frequency": None,
    }


def test_the_clock_is_not_asked_every_second() -> None:
    asked = []
    reader = cpu.Cpu(lambda: times(), lambda: (0, 0, 0), lambda: asked.append(1) or 2400.0)  # type: ignore[func-returns-value]
    clocks = [reader.collect(float(second))[""]["frequency"] for second in range(20)]
    assert clocks == [2400.0] * 20
    assert len(asked) == 2


def test_a_clock_that_cannot_be_read_costs_only_itself() -> None:
    def fail() -> float:
        raise OSError("offline")

    values = cpu.Cpu(lambda: times(), lambda: (1, 1, 1), fail).collect(0)[""]
    assert values["frequency"] is None
    assert values["load1"] == 1


def test_a_core_whose_iowait_went_back_is_never_more_than_all_busy() -> None:
    readings = [
        cpu.parse_cores(b"cpu  \ncpu0 100 0 0 500 40 0 0 0\n"),
        cpu.parse_cores(b"cpu  \ncpu0 200 0 0 500 39 0 0 0\n"),
    ]
    cores = cpu.Cores(iter(readings).__next__)
    cores.collect(0)
    assert cores.collect(1)["0"]["total"] == 100
