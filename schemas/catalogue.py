"""The metric catalogue: every family and metric that Sonde knows, declared once.

Table definitions, batch codec, COPY encoder, API metadata, alertable metrics and the dashboard's TypeScript types all
derive from `CATALOGUE`. A value on the bus and in a raw table is an integer count of its metric's `resolution`;
multiplied by `resolution` it is in `unit`. Unknown is null, never 0.

Codes number a family's metrics on the wire. They are never reused and never change their meaning.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Column = Literal["int2", "int4", "int8"]

COLUMN_LIMITS: dict[str, tuple[int, int]] = {
    "int2": (-(2**15), 2**15 - 1),
    "int4": (-(2**31), 2**31 - 1),
    "int8": (-(2**56), 2**56 - 1),
}
"""Range of counts a column takes. int8 stops short of its type's so that sums of differences cannot wrap unnoticed."""


class Metric(Struct, frozen=True):
    """One measured quantity of a family."""

    code: int
    """Number on the wire, unique within the family, never reused."""
    name: str
    """Column name, snake_case."""
    unit: str
    """Unit after multiplying by `resolution`: %, B, B/s, 1/s, s, ms, °C, W, or empty for a plain count."""
    resolution: float
    """Units that one stored count stands for."""
    column: Column
    """PostgreSQL type of the stored count."""
    meaning: str
    """One sentence for people."""


class Family(Struct, frozen=True):
    """Metrics that are read together and stored in one table of the same name."""

    name: str
    meaning: str
    period_s: float
    """Default seconds between two samples."""
    metrics: tuple[Metric, ...]
    instance: str = ""
    """What one row is about besides host and time (mount, disk, interface ...); empty: the host itself."""

    def metric(self, name: str) -> Metric:
        """The metric called `name`; KeyError when the family has none."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(f"{self.name}.{name}")


def percent(code: int, name: str, meaning: str) -> Metric:
    return Metric(code, name, "%", 0.01, "int2", meaning)


def size(code: int, name: str, meaning: str) -> Metric:
    return Metric(code, name, "B", 1, "int8", meaning)


def rate(code: int, name: str, meaning: str, unit: str = "1/s", resolution: float = 1) -> Metric:
    return Metric(code, name, unit, resolution, "int8" if unit == "B/s" else "int4", meaning)


def count(code: int, name: str, meaning: str) -> Metric:
    return Metric(code, name, "", 1, "int8", meaning)


def flag(code: int, name: str, meaning: str) -> Metric:
    return Metric(code, name, "", 1, "int2", meaning)


CPU = Family(
    "cpu",
    "Processor time of the whole host, as a share of all logical cores, and load averages.",
    1,
    (
        percent(1, "total", "Busy time: everything but idle and iowait."),
        percent(2, "user", "Time in user programs, nice excluded."),
        percent(3, "system", "Time in the kernel, interrupts excluded."),
        percent(4, "iowait", "Idle time while a local disk request was outstanding."),
        percent(5, "steal", "Time the hypervisor gave to other guests."),
        percent(6, "nice", "Time in user programs of lowered priority."),
        percent(7, "irq", "Time in hardware interrupts."),
        percent(8, "softirq", "Time in software interrupts."),
        Metric(9, "load1", "", 0.01, "int4", "Runnable and uninterruptible tasks, 1-minute average."),
        Metric(10, "load5", "", 0.01, "int4", "Runnable and uninterruptible tasks, 5-minute average."),
        Metric(11, "load15", "", 0.01, "int4", "Runnable and uninterruptible tasks, 15-minute average."),
        rate(12, "context_switches", "Context switches per second."),
        rate(13, "interrupts", "Hardware interrupts served per second."),
        Metric(14, "frequency", "MHz", 1, "int4", "Current clock, averaged over cores."),
    ),
)

MEMORY = Family(
    "memory",
    "Physical memory and swap.",
    1,
    (
        size(1, "total", "Physical memory the kernel manages."),
        size(2, "available", "Memory that programs can get without swapping."),
        size(3, "used", "total - available."),
        size(4, "free", "Memory used for nothing at all."),
        size(5, "cached", "Page cache and reclaimable slab."),
        size(6, "buffers", "Block device buffers."),
        percent(7, "used_percent", "(total - available) / total."),
        size(8, "swap_total", "Swap space."),
        size(9, "swap_used", "Swap space in use."),
        percent(10, "swap_percent", "swap_used / swap_total; 0 without swap."),
        rate(11, "swap_in", "Bytes read back from swap per second.", "B/s"),
        rate(12, "swap_out", "Bytes written to swap per second.", "B/s"),
    ),
)

FILESYSTEM = Family(
    "filesystem",
    "Space and inodes of each mounted file system.",
    10,
    (
        size(1, "total", "Size of the file system."),
        size(2, "used", "Bytes in use, reserved blocks excluded."),
        size(3, "available", "Bytes an unprivileged program can still write."),
        percent(4, "used_percent", "used / (used + available), as df shows it."),
        count(5, "inodes_total", "Inodes the file system can hold; null where it has no such limit."),
        count(6, "inodes_used", "Inodes in use."),
        percent(7, "inodes_percent", "inodes_used / inodes_total."),
        flag(8, "read_only", "1 when mounted read-only."),
        flag(9, "stuck", "1 when the file system did not answer within the deadline; its other values are null then."),
    ),
    instance="mount",
)

DISK = Family(
    "disk",
    "Traffic of each whole disk.",
    1,
    (
        rate(1, "read", "Bytes read per second.", "B/s"),
        rate(2, "write", "Bytes written per second.", "B/s"),
        rate(3, "reads", "Read requests completed per second.", resolution=0.1),
        rate(4, "writes", "Write requests completed per second.", resolution=0.1),
        percent(5, "busy", "Time with at least one request in flight."),
        Metric(6, "read_wait", "ms", 0.01, "int4", "Mean time of a completed read, queueing included."),
        Metric(7, "write_wait", "ms", 0.01, "int4", "Mean time of a completed write, queueing included."),
    ),
    instance="disk",
)

NETWORK = Family(
    "network",
    "Traffic of each network interface.",
    1,
    (
        rate(1, "received", "Bytes received per second.", "B/s"),
        rate(2, "sent", "Bytes sent per second.", "B/s"),
        rate(3, "errors", "Receive and transmit errors per second."),
        rate(4, "drops", "Packets dropped on receive and transmit per second."),
        rate(5, "packets_received", "Packets received per second."),
        rate(6, "packets_sent", "Packets sent per second."),
    ),
    instance="interface",
)

GPU = Family(
    "gpu",
    "NVIDIA GPUs, read through NVML.",
    1,
    (
        percent(1, "utilisation", "Time with at least one kernel running."),
        size(2, "memory_used", "Device memory in use."),
        size(3, "memory_total", "Device memory."),
        percent(4, "memory_percent", "memory_used / memory_total."),
        Metric(5, "temperature", "°C", 0.1, "int2", "Core temperature."),
        Metric(6, "power", "W", 0.1, "int4", "Board power draw."),
        percent(7, "memory_utilisation", "Time the memory controller was busy."),
        percent(8, "fan", "Fan speed as a share of its maximum."),
        Metric(9, "clock", "MHz", 1, "int4", "Graphics clock."),
        Metric(10, "memory_clock", "MHz", 1, "int4", "Memory clock."),
        Metric(11, "power_limit", "W", 0.1, "int4", "Enforced power limit."),
    ),
    instance="gpu",
)

DIRECTORY = Family(
    "directory",
    "Size of configured directories, the Docker data directory by default, from the agent's own walk.",
    300,
    (
        size(1, "size", "Allocated blocks, hard links counted once, one file system."),
        count(2, "files", "Entries that are not directories."),
        Metric(3, "scan_seconds", "s", 0.01, "int4", "How long the last complete walk took."),
        Metric(4, "scan_age", "s", 1, "int4", "Seconds since the last complete walk ended."),
        count(5, "unreadable", "Entries the agent was not allowed to read."),
    ),
    instance="path",
)

AGENT = Family(
    "agent",
    "The agent's own cost and backlog.",
    10,
    (
        percent(1, "cpu", "Processor time of the agent as a share of one core."),
        size(2, "rss", "Resident memory of the agent's process."),
        Metric(3, "collect", "ms", 0.01, "int4", "Mean time one tick of all collectors took."),
        count(4, "buffered_batches", "Batches on disk that the bus has not acknowledged."),
        size(5, "buffered_bytes", "Bytes of those batches."),
        Metric(6, "oldest_age", "s", 1, "int4", "Age of the oldest of those batches."),
        count(7, "dropped_total", "Batches dropped since the spool was made, because it was full."),
        Metric(8, "publish", "ms", 0.01, "int4", "Round trip of the last acknowledged publish."),
        count(9, "reconnects", "Times the bus connection was re-established since start."),
        count(10, "late_ticks", "Ticks skipped since start because the previous one ran over."),
    ),
)

CATALOGUE: tuple[Family, ...] = (CPU, MEMORY, FILESYSTEM, DISK, NETWORK, GPU, DIRECTORY, AGENT)


def family_named(name: str, catalogue: tuple[Family, ...] = CATALOGUE) -> Family:
    """The family called `name`; KeyError when the catalogue has none."""
    for family in catalogue:
        if family.name == name:
            return family
    raise KeyError(name)


def metric_named(path: str, catalogue: tuple[Family, ...] = CATALOGUE) -> tuple[Family, Metric]:
    """The family and metric of a dotted path such as `cpu.total`; KeyError when there is none."""
    family_name, _, name = path.partition(".")
    family = family_named(family_name, catalogue)
    return family, family.metric(name)
