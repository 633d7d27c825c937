"""Traffic of each whole disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agent.collectors.rates import mean, per_second
from agent.collectors.readings import Instances, Values
from agent.system.procfs import ProcFile

_SECTOR_BYTES = 512
"""Unit of /proc/diskstats, whatever the disk's own sectors are."""
_NO_DEVICE_LINK = ("nbd", "rbd", "xvd")
"""Whole disks for which the kernel shows no device behind them."""
_NOT_DISKS = ("sr", "fd", "loop", "ram", "zram", "dm-", "md")


class Traffic(NamedTuple):
    """Counters of one disk since boot."""

    reads: int
    read_bytes: int
    read_ms: int
    writes: int
    write_bytes: int
    write_ms: int
    busy_ms: int | None
    queue_ms: int | None = None
    """Time of all requests in flight together."""


def values(before: Traffic, now: Traffic, elapsed_s: float) -> Values:
    """Rates between two readings; all null when any counter went backwards, for then the disk is another one."""
    if any(a is not None and b is not None and b < a for a, b in zip(before, now, strict=True)):
        return dict.fromkeys(("read", "write", "reads", "writes", "busy", "read_wait", "write_wait", "queue"))
    busy: float | None = None
    queue: float | None = None
    if before.queue_ms is not None and now.queue_ms is not None and elapsed_s > 0:
        queue = (now.queue_ms - before.queue_ms) / (1000 * elapsed_s)
    if before.busy_ms is not None and now.busy_ms is not None and elapsed_s > 0:
        # The kernel counts whole jiffies, so a saturated disk can exceed the interval by one.
        busy = min(100.0, (now.busy_ms - before.busy_ms) / (10 * elapsed_s))
    return {
        "read": per_second(before.read_bytes, now.read_bytes, elapsed_s),
        "write": per_second(before.write_bytes, now.write_bytes, elapsed_s),
        "reads": per_second(before.reads, now.reads, elapsed_s),
        "writes": per_second(before.writes, now.writes, elapsed_s),
        "busy": busy,
        "read_wait": mean(before.read_ms, now.read_ms, before.reads, now.reads),
        "write_wait": mean(before.write_ms, now.write_ms, before.writes, now.writes),
        "queue": queue,
    }


def parse_diskstats(data: bytes, wanted: Callable[[str], bool]) -> dict[str, Traffic]:
    """Counters of /proc/diskstats for the disks that are `wanted`; a line that is not as documented is left out."""
    disks = {}
    for line in data.splitlines():
        words = line.split(None, 14)
        if len(words) < 14:
            continue
        name = words[2].decode("utf-8", "replace")
        if wanted(name):
            try:
                numbers = [int(word) for word in words[3:14]]
            except ValueError:
                continue
            reads, _, read_sectors, read_ms, writes, _, write_sectors, write_ms, _, busy_ms, queue_ms = numbers
            read_bytes, write_bytes = read_sectors * _SECTOR_BYTES, write_sectors * _SECTOR_BYTES
            disks[name] = Traffic(reads, read_bytes, read_ms, writes, write_bytes, write_ms, busy_ms, queue_ms)
    return disks


def is_whole_disk(name: str, sys: str = "/sys") -> bool:
    """True for a disk with hardware (or a hypervisor, or a network) behind it; false for partitions and what is
    layered on other disks, whose traffic would count twice."""
    if name.startswith(_NOT_DISKS) or name.endswith(("boot0", "boot1", "rpmb")):
        return False
    block = Path(sys, "block", name.replace("/", "!"))
    return (block / "device").exists() or (name.startswith(_NO_DEVICE_LINK) and block.exists())


def linux_reader(
    proc: str, sys: str = "/sys", chosen: Callable[[str], bool] = is_whole_disk
) -> Callable[[], dict[str, Traffic]]:
    """Reads the chosen block devices. Partitions cannot be chosen: their traffic is that of their disk."""
    diskstats = ProcFile(f"{proc}/diskstats")
    partition: dict[str, bool] = {}

    def wanted(name: str) -> bool:
        if name not in partition:
            partition[name] = not Path(sys, "block", name.replace("/", "!")).exists()
        return not partition[name] and chosen(name)

    return lambda: parse_diskstats(diskstats.read_records(), wanted)


class Disks:
    """Holds the previous counters of every disk."""

    def __init__(self, read: Callable[[], dict[str, Traffic]]) -> None:
        self._read = read
        self._before_s = 0.0
        self._before: dict[str, Traffic] = {}

    def collect(self, now_s: float) -> Instances:
        """Disks seen for the first time have no rates yet and are left out."""
        disks = self._read()
        before, self._before = self._before, disks
        elapsed_s, self._before_s = now_s - self._before_s, now_s
        return {name: values(before[name], now, elapsed_s) for name, now in disks.items() if name in before}
