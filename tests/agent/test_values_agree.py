"""What the agent reads is what top, free, df, du and the kernel say at the same moment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from agent import sources
from agent.collectors import portable
from agent.collectors.gpu import Gpus
from agent.sampler import Sampler
from agent.sources import Roots
from agent.status import Status
from agent.ticker import Tick
from schemas.catalogue import metric_named
from schemas.codec import Sample
from tests.agent.build import default_plans

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="compares with Linux tools")

WINDOW_S = 0.5
"""Rates need a stretch of time; both sides look at its two ends."""
MEMORY_SLACK_BYTES = 300 * 2**20
"""Other programs of a busy machine take and give memory between two looks."""


def run(*command: str) -> list[list[str]]:
    out = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"})
    return [line.split() for line in out.stdout.splitlines()]


def kernel_counters() -> dict[str, float]:
    """Read in a way of its own: field positions from proc(5) and sysfs, not the agent's parsers."""
    cpu = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    found = {"all": float(sum(cpu[:8])), "idle": float(cpu[3] + cpu[4]), "user": float(cpu[0])}
    for device in Path("/sys/block").iterdir():
        if (device / "device").exists():
            words = (device / "stat").read_text().split()
            found[f"{device.name} written"] = int(words[6]) * 512.0
            found[f"{device.name} read"] = int(words[2]) * 512.0
    for interface in Path("/sys/class/net").iterdir():
        statistics = interface / "statistics"
        if statistics.is_dir():
            found[f"{interface.name} received"] = float((statistics / "rx_bytes").read_text())
            found[f"{interface.name} sent"] = float((statistics / "tx_bytes").read_text())
    return found


def real(sample: Sample, path: str, instance: str = "") -> float:
    """A value of the sample in its unit."""
    family, metric = metric_named(path)
    count = sample.families[family.name][instance][metric.name]
    assert count is not None, path
    return count * metric.resolution


async def one_tick() -> tuple[Sample, dict[str, float], dict[str, float]]:
    """A sample over `WINDOW_S` of work, and the kernel's own counters at both ends."""
    sampler = Sampler(
        sources.fast_collectors(Roots(), sources.new_choices()),
        Gpus(0.1, lambda: None, lambda: False),
        default_plans(),
        Status(),
    )
    began = time.monotonic()
    sampler.prime()
    before = kernel_counters()
    work_until = began + WINDOW_S
    while time.monotonic() < work_until:
        sum(range(1000))
    after = kernel_counters()
    sampler.post("filesystem", await sources.filesystems(Roots()).collect())
    sample = await sampler.sample(Tick(round(time.time() * 1000), time.monotonic(), 0))
    assert sample is not None
    return sample, before, after


async def test_one_tick_agrees_with_the_kernel_and_with_free_and_df() -> None:
    sample, before, after = await one_tick()
    free = run("free", "-b")
    blocks = run("df", "-B1", "--output=target,size,used,avail,pcent")[1:]
    inodes = run("df", "--output=target,itotal,iused,ipcent")[1:]

    whole = after["all"] - before["all"]
    busy = 100 * (whole - (after["idle"] - before["idle"])) / whole
    assert real(sample, "cpu.total") == pytest.approx(busy, abs=10)
    assert real(sample, "cpu.user") == pytest.approx(100 * (after["user"] - before["user"]) / whole, abs=10)
    assert real(sample, "cpu.load1") == pytest.approx(os.getloadavg()[0], abs=0.5)

    total, _, idle = (int(word) for word in free[1][1:4])
    available = int(free[1][6])
    assert real(sample, "memory.total") == total
    assert real(sample, "memory.free") == pytest.approx(idle, abs=MEMORY_SLACK_BYTES)
    assert real(sample, "memory.available") == pytest.approx(available, abs=MEMORY_SLACK_BYTES)
    assert real(sample, "memory.used_percent") == pytest.approx(100 * (total - available) / total, abs=2)
    assert real(sample, "memory.swap_total") == int(free[2][1])

    for path, size, used, room, percent in blocks:
        if path in sample.families["filesystem"]:
            assert real(sample, "filesystem.total", path) == int(size)
            assert real(sample, "filesystem.used", path) == pytest.approx(int(used), abs=MEMORY_SLACK_BYTES)
            assert real(sample, "filesystem.available", path) == pytest.approx(int(room), abs=MEMORY_SLACK_BYTES)
            assert 0 <= int(percent[:-1]) - real(sample, "filesystem.used_percent", path) <= 1.5, "df rounds up"
    for path, count, used, percent in inodes:
        if path in sample.families["filesystem"] and count != "0":
            assert real(sample, "filesystem.inodes_total", path) == int(count)
            assert real(sample, "filesystem.inodes_used", path) == pytest.approx(int(used), abs=20_000)
            assert 0 <= int(percent[:-1]) - real(sample, "filesystem.inodes_percent", path) <= 1.5
    assert "/" in sample.families["filesystem"]


async def test_traffic_agrees_with_the_counters_of_sysfs() -> None:
    """The window of the sample ends a little later, so bursts make a difference that quiet traffic does not."""
    sample, before, after = await one_tick()
    for kind, metrics in (("disk", ("read", "write")), ("network", ("received", "sent"))):
        words = {"read": "read", "write": "written", "received": "received", "sent": "sent"}
        for instance in sample.families.get(kind, {}):
            for metric in metrics:
                grown = after[f"{instance} {words[metric]}"] - before[f"{instance} {words[metric]}"]
                seen = real(sample, f"{kind}.{metric}", instance) * WINDOW_S
                assert seen == pytest.approx(grown, rel=0.5, abs=20e6), (instance, metric)


def test_own_readers_agree_with_psutil() -> None:
    """The collectors' Linux readers against psutil's, of which they are a cheaper copy."""
    from agent.collectors import cpu, disk, memory, network

    own, other = cpu.linux_reader("/proc")(), portable.cpu_times()
    hertz = os.sysconf("SC_CLK_TCK")
    assert own.user / hertz == pytest.approx(other.user, abs=2)
    assert own.idle / hertz == pytest.approx(other.idle, abs=2)
    assert own.context_switches == pytest.approx(other.context_switches, abs=100_000)
    mine, theirs = memory.linux_reader("/proc")(), portable.memory_now()
    assert (mine.total, mine.swap_total) == (theirs.total, theirs.swap_total)
    assert mine.available == pytest.approx(theirs.available, abs=MEMORY_SLACK_BYTES)
    assert mine.cached == pytest.approx(theirs.cached, abs=MEMORY_SLACK_BYTES)
    disks, all_disks = disk.linux_reader("/proc")(), portable.disks()()
    for name, traffic in disks.items():
        assert traffic.read_bytes == pytest.approx(all_disks[name].read_bytes, abs=200e6)
        assert traffic.busy_ms == pytest.approx(all_disks[name].busy_ms, abs=2000)
    interfaces, all_interfaces = network.linux_reader("/proc/net")(), portable.interfaces()()
    assert set(interfaces) == set(all_interfaces)
    for name, flow in interfaces.items():
        assert flow.received == pytest.approx(all_interfaces[name].received, abs=50e6)


def test_every_disk_with_a_mounted_file_system_is_seen() -> None:
    from agent.collectors import disk

    mounted = {mount.device.removeprefix("/dev/") for mount in portable.mounts() if mount.device.startswith("/dev/")}
    disks = disk.linux_reader("/proc")()
    plain = [name for name in mounted if (Path("/sys/block") / name / "device").exists()]
    assert set(plain) <= set(disks)


async def test_the_own_row_is_about_this_process() -> None:
    from agent.spool import Backlog

    own = sources.own_collector(Status(), Backlog)
    own(time.monotonic())
    began, spent = time.monotonic(), time.process_time()
    while time.process_time() - spent < 0.2:
        pass
    values = own(time.monotonic())[""]
    share = 100 * (time.process_time() - spent) / (time.monotonic() - began)
    assert values["cpu"] == pytest.approx(share, rel=0.3)
    assert values["rss"] == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
