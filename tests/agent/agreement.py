"""For every metric: what it must be, from what the kernel said just before and just after the agent looked.

Counters are exact: the agent read them between two readings of ours, at both ends of the interval, so that the growth
lies between two bounds. What goes up and down lies between the values before and after, give or take the slack stated
here, for other programs do not stop meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from schemas.codec import Sample
from tests.agent import kernel
from tests.agent.kernel import Numbers

MIB = 2**20


class Range(NamedTuple):
    low: float
    high: float

    def times(self, factor: float) -> Range:
        return Range(self.low * factor, self.high * factor)

    def over(self, other: Range) -> Range:
        """Quotients of both."""
        return Range(self.low / other.high, self.high / other.low if other.low > 0 else float("inf"))

    def widened(self, slack: float) -> Range:
        return Range(self.low - slack, self.high + slack)


class Seen(NamedTuple):
    """One sample, and what the kernel said around its two ends."""

    sample: Sample
    counters: tuple[Numbers, Numbers, Numbers, Numbers]
    """Before and after the first reading, before and after the second one."""
    gauges: tuple[Numbers, Numbers]
    """Before and after the second reading."""
    file_systems: tuple[Numbers, Numbers]
    told: dict[str, Range]
    """What the test itself arranged."""

    def grown(self, name: str, instance: str) -> Range:
        """Growth of a counter between the agent's two readings. KeyError when the kernel does not have it."""
        a, b, c, d = (numbers[name, instance] for numbers in self.counters)
        return Range(max(0.0, c - b), d - a)

    def all_time(self, instance: str) -> Range:
        grown = [self.grown(name, instance) for name in kernel.TIMES]
        return Range(sum(low for low, _ in grown), sum(high for _, high in grown))


Expected = Callable[[Seen, str], Range]
"""Sample and instance -> bounds of the value. Raises KeyError where this machine has no such thing."""


def rate(*names: str, unit: float = 1) -> Expected:
    """Growth of counters per second, `unit` for each count."""

    def expected(seen: Seen, instance: str) -> Range:
        grown = [seen.grown(name, instance) for name in names]
        summed = Range(sum(low for low, _ in grown), sum(high for _, high in grown))
        return summed.times(unit).over(seen.grown("time", ""))

    return expected


def time_share(*names: str) -> Expected:
    """Share of the processors' time, to two ticks: iowait may go back by one, and ticks are coarse."""

    def expected(seen: Seen, instance: str) -> Range:
        grown = [seen.grown(name, instance) for name in names]
        whole = seen.all_time(instance)
        summed = Range(sum(low for low, _ in grown) - 2, sum(high for _, high in grown) + 2)
        return summed.times(100).over(whole)

    return expected


def per_request(total: str, requests: str) -> Expected:
    def expected(seen: Seen, instance: str) -> Range:
        # Milliseconds are cut off, once for each reading.
        return seen.grown(total, instance).widened(1).over(seen.grown(requests, instance))

    return expected


def at_most_all(share: Expected) -> Expected:
    return lambda seen, instance: Range(*(min(100.0, bound) for bound in share(seen, instance)))


def now(path: str, slack: float = 0, relative: float = 0) -> Expected:
    """Between what it was before and after, give or take `slack` and a share of itself."""

    def expected(seen: Seen, instance: str) -> Range:
        values = [numbers[path, instance] for numbers in seen.gauges]
        return Range(min(values), max(values)).widened(slack + relative * max(values))

    return expected


def df(name: str, slack: float = 0, cut: float = 0) -> Expected:
    """What df says; `cut`: by how much its number may be larger because it is rounded up."""

    def expected(seen: Seen, instance: str) -> Range:
        values = [numbers[name, instance] for numbers in seen.file_systems]
        return Range(min(values) - slack - cut, max(values) + slack)

    return expected


def arranged(path: str) -> Expected:
    return lambda seen, instance: seen.told[path]


def always(value: float) -> Expected:
    return lambda seen, instance: Range(value, value)


BUSY = tuple(name for name in kernel.TIMES if name not in {"idle", "iowait"})
SECTOR_BYTES = 512
STALL = 1e-4
"""Microseconds per second as a percentage."""

CHECKS: dict[str, Expected] = {
    "cpu.total": time_share(*BUSY),
    **{f"cpu.{name}": time_share(name) for name in kernel.TIMES if name != "idle"},
    **{f"cpu.load{minutes}": now(f"cpu.load{minutes}", slack=0.01) for minutes in (1, 5, 15)},
    "cpu.context_switches": rate("ctxt"),
    "cpu.interrupts": rate("intr"),
    "cpu.frequency": now("cpu.frequency", relative=0.6),  # a clock follows the load, and is held for ten seconds
    "cpu.procs_running": now("cpu.procs_running", slack=20),
    "cpu.procs_blocked": now("process.uninterruptible", slack=20),
    "cpu.forks": rate("processes"),
    "core.total": time_share(*BUSY),
    **{f"memory.{name}": now(f"memory.{name}") for name in ("total", "swap_total", "oom_kills")},
    **{
        f"memory.{name}": now(f"memory.{name}", slack=128 * MIB)
        for name in ("available", "used", "free", "cached", "swap_used", "dirty")
    },
    **{f"memory.{name}": now(f"memory.{name}", slack=16 * MIB) for name in ("buffers", "slab", "shared")},
    "memory.used_percent": now("memory.used_percent", slack=2),
    "memory.swap_percent": now("memory.swap_percent", slack=2),
    "memory.swap_in": rate("pswpin", unit=kernel.PAGE_BYTES),
    "memory.swap_out": rate("pswpout", unit=kernel.PAGE_BYTES),
    "memory.major_faults": rate("pgmajfault"),
    **{
        f"pressure.{name}": at_most_all(rate(name, unit=STALL))
        for name in ("cpu_some", "memory_some", "memory_full", "io_some", "io_full")
    },
    "disk.read": rate("read_sectors", unit=SECTOR_BYTES),
    "disk.write": rate("write_sectors", unit=SECTOR_BYTES),
    "disk.reads": rate("reads"),
    "disk.writes": rate("writes"),
    "disk.busy": at_most_all(rate("busy_ms", unit=0.1)),
    "disk.read_wait": per_request("read_ms", "reads"),
    "disk.write_wait": per_request("write_ms", "writes"),
    "disk.queue": rate("queue_ms", unit=0.001),
    "network.received": rate("rx_bytes"),
    "network.sent": rate("tx_bytes"),
    "network.errors": rate("rx_errors", "tx_errors"),
    "network.drops": rate("rx_dropped", "rx_missed_errors", "tx_dropped"),
    "network.packets_received": rate("rx_packets"),
    "network.packets_sent": rate("tx_packets"),
    "network.speed": now("network.speed"),
    "network.up": now("network.up"),
    "sockets.tcp_established": now("sockets.tcp_established", slack=20),
    "sockets.tcp_time_wait": now("sockets.tcp_time_wait", slack=50),
    "sockets.tcp_retransmits": rate("retransmits"),
    "sockets.conntrack_used": now("sockets.conntrack_used", slack=50),
    "sockets.conntrack_limit": now("sockets.conntrack_limit"),
    "sockets.conntrack_percent": now("sockets.conntrack_percent", slack=1),
    **{
        f"process.{name}": now(f"process.{name}", slack=20)
        for name in ("total", "running", "sleeping", "uninterruptible", "threads")
    },
    "process.stopped": now("process.stopped", slack=2),
    "process.zombie": now("process.zombie", slack=5),
    "filesystem.total": df("total"),
    "filesystem.used": df("used", slack=256 * MIB),
    "filesystem.available": df("available", slack=256 * MIB),
    "filesystem.used_percent": df("used_percent", slack=0.5, cut=1),
    "filesystem.inodes_total": df("inodes_total"),
    "filesystem.inodes_used": df("inodes_used", slack=20_000),
    "filesystem.inodes_percent": df("inodes_percent", slack=0.5, cut=1),
    "filesystem.read_only": df("read_only"),
    "filesystem.stuck": always(0),  # df answered
    **{
        f"agent.{name}": arranged(f"agent.{name}")
        for name in (
            *("cpu", "rss", "collect", "buffered_batches", "buffered_bytes", "oldest_age", "dropped_total"),
            *("publish", "reconnects", "late_ticks", "config_revision"),
        )
    },
}

ELSEWHERE = {
    "gpu": "needs an NVIDIA board; test_gpu.py compares with a library that speaks NVML's symbols",
    "directory": "is a walk of minutes; test_directory.py compares with du",
    "sensors": "most test machines have none; test_sensors.py compares with files as the kernel lays them out",
    "container": "needs an engine; test_container.py compares with a server that speaks its interface",
    "unit": "needs systemd as the first process; test_unit.py compares with stand-ins of its tools",
    "custom": "is what other programs write; test_custom.py compares with that",
    "agent.clock_offset": "is told by the kernel's time service, read with the unit family; see test_unit.py",
}
"""Families and metrics that are not compared here, and why."""


def why_not(path: str) -> str | None:
    """Why a metric is not compared here; None when it is."""
    return ELSEWHERE.get(path) or ELSEWHERE.get(path.partition(".")[0])
