"""Parsing and rates of the collectors that read at every tick."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.collectors import cpu, disk, memory, network
from agent.procfs import ProcFile, number_after
from agent.sources import Roots, fast_collectors, new_choices
from schemas.catalogue import family_named

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
MEMINFO = b"""MemTotal:        1000 kB
MemFree:          300 kB
MemAvailable:     600 kB
Buffers:           10 kB
Cached:           200 kB
SwapCached:         0 kB
SwapTotal:        500 kB
SwapFree:         400 kB
Dirty:              4 kB
Shmem:             30 kB
Slab:              80 kB
SReclaimable:      50 kB
"""
VMSTAT = b"pgpgin 1\npswpin 10\npswpout 20\npgfault 3\npgmajfault 7\noom_kill 2\n"
DISKSTATS = b"""   7       0 loop0 9 9 9 9 9 9 9 9 9 9 9
 254       0 vda 100 5 2000 300 50 6 4000 500 0 700 800 1 2 3 4 5 6
 254       1 vda1 1 1 1 1 1 1 1 1 0 1 1
"""
NET_DEV = b"""Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
  eth0:1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0
veth12: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0
br-ab: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0
docker0: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0
"""


def times(**changes: float) -> cpu.Times:
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


def test_memory_is_what_free_shows() -> None:
    now = memory.parse(MEMINFO, VMSTAT, 4096)
    values = memory.values(None, now, 0)
    assert values["used"] == 400 * 1024
    assert values["used_percent"] == pytest.approx(40)
    assert values["cached"] == 250 * 1024
    assert values["swap_used"] == 100 * 1024
    assert values["swap_percent"] == pytest.approx(20)
    assert values["swap_in"] is None


def test_kernel_memory_and_kills_are_told() -> None:
    before = memory.parse(MEMINFO, VMSTAT, 4096)
    values = memory.values(before, memory.parse(MEMINFO, VMSTAT.replace(b"pgmajfault 7", b"pgmajfault 17"), 4096), 2)
    assert (values["dirty"], values["slab"], values["shared"]) == (4096, 80 * 1024, 30 * 1024)
    assert (values["oom_kills"], values["major_faults"]) == (2, 5)


def test_a_kernel_that_does_not_count_kills_costs_only_that_metric() -> None:
    now = memory.parse(MEMINFO, VMSTAT.replace(b"oom_kill 2\n", b""), 4096)
    assert now.oom_kills is None
    assert now.major_faults == 7


def test_swap_traffic_counts_pages() -> None:
    before = memory.parse(MEMINFO, VMSTAT, 4096)
    now = memory.parse(MEMINFO, VMSTAT.replace(b"pswpin 10", b"pswpin 12"), 4096)
    values = memory.values(before, now, 2)
    assert values["swap_in"] == 4096
    assert values["swap_out"] == 0


def test_without_swap_nothing_is_swapped() -> None:
    info = MEMINFO.replace(b"500 kB", b"0 kB").replace(b"400 kB", b"0 kB")
    now = memory.parse(info, VMSTAT, 4096)
    values = memory.values(now, now, 1)
    assert (values["swap_percent"], values["swap_in"], values["swap_out"]) == (0, 0, 0)


def test_an_old_kernel_without_an_estimate_of_available_memory_gets_one() -> None:
    info = MEMINFO.replace(b"MemAvailable:     600 kB\n", b"")
    assert memory.parse(info, VMSTAT, 4096).available == (300 + 10 + 250) * 1024


def test_only_whole_disks_are_read() -> None:
    assert list(disk.parse_diskstats(DISKSTATS, {"vda": True}.get)) == ["vda"]  # type: ignore[arg-type]


def test_disk_rates_waits_and_busy_time() -> None:
    before = disk.Traffic(100, 1000, 300, 50, 4000, 500, 700, 800)
    now = disk.Traffic(110, 3000, 400, 50, 4000, 500, 950, 1800)
    assert disk.values(before, now, 0.5) == {
        "read": 4000,
        "write": 0,
        "reads": 20,
        "writes": 0,
        "busy": 50,
        "read_wait": 10,
        "write_wait": None,
        "queue": 2,
    }


def test_a_disk_whose_counters_went_back_gives_nulls() -> None:
    before = disk.Traffic(100, 1000, 300, 50, 4000, 500, 700)
    assert set(disk.values(before, before._replace(reads=99), 1).values()) == {None}


def test_a_saturated_disk_is_at_most_all_busy() -> None:
    before = disk.Traffic(0, 0, 0, 0, 0, 0, 0)
    assert disk.values(before, before._replace(busy_ms=1004), 1)["busy"] == 100


def test_partitions_and_layers_are_no_whole_disks(tmp_path: Path) -> None:
    for name in ("sda", "dm-0", "md0", "loop0", "sr0", "zram0"):
        (tmp_path / "block" / name / "device").mkdir(parents=True)
    names = ("sda", "sda1", "dm-0", "md0", "loop0", "sr0", "zram0")
    assert [name for name in names if disk.is_whole_disk(name, str(tmp_path))] == ["sda"]


def test_interfaces_of_containers_and_loopback_are_skipped() -> None:
    assert network.parse_net_dev(NET_DEV, network.wanted) == {"eth0": network.Traffic(1000, 10, 2000, 20, 4, 6)}


def test_a_wrapped_interface_counter_costs_only_its_own_metric() -> None:
    before = network.Traffic(2**32 - 1, 10, 100, 10, 0, 0)
    values = network.values(before, network.Traffic(5, 20, 300, 20, 0, 0), 2)
    assert values["received"] is None
    assert values["sent"] == 100


def test_a_link_tells_its_speed_and_state(tmp_path: Path) -> None:
    for name, carrier, speed in (("eth0", "1", "1000"), ("eth1", "0", "-1"), ("virtual", "1", "-1")):
        directory = tmp_path / "class" / "net" / name
        directory.mkdir(parents=True)
        (directory / "carrier").write_text(carrier + "\n")
        (directory / "speed").write_text(speed + "\n")
    (tmp_path / "class" / "net" / "down").mkdir()
    read = network.linux_link(str(tmp_path))
    assert read("eth0") == {"speed": 1000, "up": 1}
    assert read("eth1") == {"speed": None, "up": 0}
    assert read("virtual") == {"speed": None, "up": 1}
    assert read("down") == {"speed": None, "up": 0}
    assert read("gone") == {"speed": None, "up": None}


def test_links_are_not_asked_every_second() -> None:
    asked = []
    interfaces = network.Interfaces(
        lambda: network.parse_net_dev(NET_DEV, network.wanted),
        lambda name: asked.append(name) or {"up": 1},  # type: ignore[func-returns-value]
    )
    for second in range(20):
        interfaces.collect(float(second))
    assert asked == ["eth0", "eth0"]


def test_an_interface_seen_for_the_first_time_waits_for_its_second_reading() -> None:
    interfaces = network.Interfaces(lambda: network.parse_net_dev(NET_DEV, network.wanted))
    assert interfaces.collect(1.0) == {}
    assert list(interfaces.collect(2.0)) == ["eth0"]


def test_this_machine_gives_every_metric_of_the_catalogue() -> None:
    for family, collect in fast_collectors(Roots(), new_choices()).items():
        collect(1.0)
        for values in collect(2.0).values():
            assert set(values) == {metric.name for metric in family_named(family).metrics}


def test_a_number_is_found_after_its_key() -> None:
    assert number_after(STAT, b"\nctxt ") == 9000
    assert number_after(STAT, b"\nabsent ") is None


def test_files_longer_than_one_read_are_read_to_their_end(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" * 150_000)
    assert len(ProcFile(str(path)).read()) == 150_000
    assert len(ProcFile(str(path)).read_records()) == 150_000
