"""Every value of one tick is what an independent reading of the same machine at the same moment says."""

from __future__ import annotations

import asyncio
import mmap
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import psutil
import pytest

from agent.collectors.gpu.gpu import Gpus
from agent.sampling import sources
from agent.sampling.sampler import Sampler
from agent.sampling.sources import Roots
from agent.sampling.ticker import Tick
from agent.spool.spool import Limits, open_spool
from agent.system.state import AgentState
from schemas.agentconfig import AgentConfig, FamilyConfig
from schemas.catalogue import CATALOGUE, metric_named
from tests.agent import kernel
from tests.agent.agreement import CHECKS, Range, Seen, why_not
from tests.agent.build import default_plans, samples, spool_samples

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="compares with the Linux kernel and its tools")

METRICS = [f"{family.name}.{metric.name}" for family in CATALOGUE for metric in family.metrics]
FREQUENT = {name: FamilyConfig(enabled=True, interval_s=1) for name in ("core", "sockets", "agent")}
"""So that they have rates too."""


@contextmanager
def activity() -> Iterator[None]:
    """Something to see in every family: connections, a stopped process, a zombie."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=50))
        for _ in range(25):
            stack.enter_context(socket.create_connection(server.getsockname()))
            stack.enter_context(server.accept()[0])
        stopped = subprocess.Popen(["sleep", "60"])
        zombie = subprocess.Popen(["true"])
        stopped.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        try:
            yield
        finally:
            stopped.kill()
            stopped.wait()
            zombie.wait()


def work(directory: Path, seconds: float) -> None:
    """Use processor, disk, network and process table for a while, and then nothing for as long."""
    until = time.monotonic() + seconds / 2
    file = directory / "file"
    with file.open("wb") as out:
        out.write(os.urandom(4 * 2**20))
        out.flush()
        os.fsync(out.fileno())
        os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with file.open("rb") as held, mmap.mmap(held.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        sum(mapped[at] for at in range(0, len(mapped), 2**16))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        two.bind(("127.0.0.1", 0))
        for _ in range(200):
            one.sendto(b"x" * 1000, two.getsockname())
    for _ in range(3):
        subprocess.run(["true"], check=True)
    while time.monotonic() < until:
        sum(range(1000))
    time.sleep(seconds / 2)


LOOKS = 3
"""Of the machine at most: others at work on it may close thousands of connections between two readings."""


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Seen]:
    """What was seen in the first look, and in later ones where they are asked for."""

    @cache
    def look(number: int) -> Seen:
        directory = tmp_path_factory.mktemp(f"agree-{number}-")
        with activity():
            return asyncio.run(one_tick(directory))

    return look


@pytest.fixture
def seen(looks: Callable[[int], Seen]) -> Seen:
    return looks(0)


async def one_tick(directory: Path) -> Seen:
    """A sample over half a second of work, and what the kernel said around both of its ends."""
    spool = open_spool(directory / "spool", Limits())
    began_s = time.time() - 100
    spool_samples(spool, samples(25, round(began_s * 1000)))
    status = AgentState(publish_ms=3.25, reconnects=2, late_ticks=4, lost_batches=5, config_revision=7)
    choices = sources.new_choices()
    choices["network"].use(("*",), ())  # the loopback too, where there is traffic
    collectors = sources.fast_collectors(Roots(), choices)
    collectors["agent"] = sources.own_collector(status, lambda: spool.backlog)
    sampler = Sampler(
        collectors, Gpus(0.1, lambda: None, lambda: False), default_plans(AgentConfig(families=FREQUENT)), status
    )
    before, spent_before_s = kernel.counters(), sum(os.times()[:2])
    sampler.prime()
    after, spent_after_s = kernel.counters(), sum(os.times()[:2])
    for thread in threading.enumerate():
        if thread.name == "links":
            thread.join(10)
    status.count_tick(1.5)
    status.count_tick(2.5)
    work(directory, 0.5)
    makers = sources.slow_sources(Roots(), choices, status)
    slow = {name: makers[name]() for name in ("filesystem", "process")}
    gauges, file_systems = [kernel.gauges()], [kernel.file_systems()]
    for name, source in slow.items():
        reading = await source.collect()
        assert reading is not None
        sampler.post(name, reading)
    second, spent_second_s = kernel.counters(), sum(os.times()[:2])
    resident = psutil.Process().memory_info().rss
    sample = await sampler.sample(Tick(round(time.time() * 1000), time.monotonic(), 0))
    last, spent_last_s = kernel.counters(), sum(os.times()[:2])
    assert sample is not None
    for source in slow.values():
        source.close()
    gauges.append(kernel.gauges())
    file_systems.append(kernel.file_systems())
    elapsed = Range(second["time", ""] - after["time", ""], last["time", ""] - before["time", ""])
    spent = Range(spent_second_s - spent_after_s, spent_last_s - spent_before_s).widened(0.02)  # two ticks
    stored = sum(file.stat().st_size for file in (directory / "spool").glob("*.spool"))
    told = {
        "agent.cpu": spent.times(100).over(elapsed),
        "agent.rss": Range(resident, resident).widened(16 * 2**20),
        "agent.collect": Range(2, 2),
        "agent.buffered_batches": Range(3, 3),
        "agent.buffered_bytes": Range(0.5 * stored, stored),  # without frames and what fills up the file
        "agent.oldest_age": Range(75, time.time() - began_s),
        "agent.dropped_total": Range(5, 5),
        "agent.publish": Range(3.25, 3.25),
        "agent.reconnects": Range(2, 2),
        "agent.late_ticks": Range(4, 4),
        "agent.config_revision": Range(7, 7),
    }
    spool.close()
    return Seen(sample, (before, after, second, last), (gauges[0], gauges[1]), (file_systems[0], file_systems[1]), told)


def lasting(mounts: Iterable[str]) -> list[str]:
    """Those that no test beside this one has mounted, for a moment, below its temporary directory."""
    return [path for path in mounts if f"{os.sep}pytest-of-" not in path]


@pytest.mark.parametrize("path", [path for path in METRICS if path in CHECKS])
def test_a_value_agrees_with_an_independent_reading(looks: Callable[[int], Seen], path: str) -> None:
    for look in range(LOOKS):
        compared, apart = compare(looks(look), path)
        if not apart:
            break
    assert not apart
    if not compared:
        pytest.skip("this machine has nothing of the kind")


def compare(seen: Seen, path: str) -> tuple[int, list[str]]:
    """How many instances have a value of the metric `path`, and which of them are not within their bounds."""
    family, metric = metric_named(path)
    sampled = seen.sample.families.get(family.name, {})
    compared, apart = 0, []
    for instance in lasting(sampled) if family.name == "filesystem" else kernel.instances(family.name):
        count = sampled.get(instance, {}).get(metric.name)
        try:
            low, high = CHECKS[path](seen, instance)
        except KeyError:  # this machine has nothing of the kind
            if count is not None:
                apart.append(f"{instance}: {count}, and the kernel has none")
            continue
        if count is None and high == float("inf"):
            continue  # a mean of what may not have happened
        rounding = 0.501 * metric.resolution
        if count is None or not low - rounding <= count * metric.resolution <= high + rounding:
            apart.append(f"{instance}: {count} of {metric.resolution:g}, not between {low} and {high}")
        compared += 1
    return compared, apart


def test_every_metric_of_the_catalogue_is_compared_or_says_why_not() -> None:
    """A new metric needs an entry in `CHECKS`, or a reason in `ELSEWHERE`."""
    assert {path for path in METRICS if path not in CHECKS and why_not(path) is None} == set()
    assert {path for path in CHECKS if path not in METRICS or why_not(path) is not None} == set()


def test_no_instance_is_left_out_and_none_invented(seen: Seen) -> None:
    for family in ("core", "disk", "network"):
        assert set(seen.sample.families.get(family, {})) == set(kernel.instances(family))
    assert set(lasting(seen.sample.families["filesystem"])) <= {path for _, path in seen.file_systems[0]}


def test_the_activity_of_the_test_is_seen(seen: Seen) -> None:
    """Bounds hold for zeros too; these were not zero."""
    families = seen.sample.families
    assert min(families["network"]["lo"][name] or 0 for name in ("received", "sent", "packets_sent")) > 0
    assert min(families["process"][""][name] or 0 for name in ("stopped", "zombie", "total", "threads")) > 0
    assert min(families["cpu"][""][name] or 0 for name in ("total", "user", "forks", "context_switches")) > 0
    assert (families["sockets"][""]["tcp_established"] or 0) >= 50


@pytest.mark.skipif(shutil.which("ip") is None, reason="compares with ip")
def test_counters_of_interfaces_are_those_of_ip() -> None:
    """To what passes between the two readings."""
    from agent.collectors.linux import network

    for name, flow in network.linux_reader("/proc/net", lambda name: True)().items():
        lines = kernel.run("ip", "-s", "link", "show", "dev", name)
        at = [index for index, words in enumerate(lines) if words[0] in {"RX:", "TX:"}]
        received, sent = ([int(word) for word in lines[index + 1]] for index in at)
        assert flow.received == pytest.approx(received[0], abs=5e6)
        assert flow.sent == pytest.approx(sent[0], abs=5e6)
        assert flow.packets_received == pytest.approx(received[1], abs=20_000)
        assert flow.packets_sent == pytest.approx(sent[1], abs=20_000)
        assert flow.errors == received[2] + sent[2]


@pytest.mark.skipif(shutil.which("vmstat") is None, reason="compares with vmstat")
def test_counters_of_the_host_are_those_of_vmstat() -> None:
    """To what happens between the two readings."""
    from agent.collectors.linux import cpu, memory
    from agent.system.procfs import SharedFile

    told = {" ".join(words[1:]): int(words[0]) for words in kernel.run("vmstat", "-s")}
    times, paging = cpu.linux_reader(SharedFile("/proc/stat"))(), memory.linux_paging("/proc")()
    names = {"user": "non-nice user", "nice": "nice user", "system": "system", "idle": "idle", "iowait": "IO-wait"}
    for name, words in {**names, "irq": "IRQ", "softirq": "softirq", "steal": "stolen"}.items():
        assert getattr(times, name) == pytest.approx(told[f"{words} cpu ticks"], abs=100), name
    assert times.context_switches == pytest.approx(told["CPU context switches"], abs=50_000)
    assert times.interrupts == pytest.approx(told["interrupts"], abs=50_000)
    assert times.forks == pytest.approx(told["forks"], abs=100)
    assert paging.swapped_in == told["pages swapped in"] * kernel.PAGE_BYTES
    assert paging.swapped_out == told["pages swapped out"] * kernel.PAGE_BYTES


@pytest.mark.skipif(shutil.which("uptime") is None, reason="compares with uptime")
def test_the_load_is_that_of_uptime(seen: Seen) -> None:
    from agent.collectors.linux import cpu

    before = cpu.linux_load("/proc")()
    shown = tuple(float(word.strip(",")) for word in kernel.run("uptime")[0][-3:])
    assert shown in {before, cpu.linux_load("/proc")()}


def test_own_readers_agree_with_psutil() -> None:
    """The collectors' Linux readers against psutil's, of which they are a cheaper copy."""
    from agent.collectors import portable
    from agent.collectors.linux import disk, memory, network

    mine, theirs = memory.linux_reader("/proc")(), portable.memory_now()
    assert (mine.total, mine.swap_total) == (theirs.total, theirs.swap_total)
    assert mine.available == pytest.approx(theirs.available, abs=128 * 2**20)
    disks, all_disks = disk.linux_reader("/proc")(), portable.disks()()
    for name, traffic in disks.items():
        assert traffic.read_bytes == pytest.approx(all_disks[name].read_bytes, abs=200e6)
        assert traffic.busy_ms == pytest.approx(all_disks[name].busy_ms, abs=2000)
    interfaces, all_interfaces = network.linux_reader("/proc/net")(), portable.interfaces()()
    assert set(interfaces) == set(all_interfaces)
    for name, flow in interfaces.items():
        assert flow.received == pytest.approx(all_interfaces[name].received, abs=50e6)
