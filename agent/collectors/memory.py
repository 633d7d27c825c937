"""Physical memory and swap of the host."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from agent.procfs import ProcFile, number_after
from agent.rates import per_second, share_percent
from agent.readings import Instances, Values


class Memory(NamedTuple):
    """Bytes; None where the system does not tell."""

    total: int
    available: int
    free: int
    cached: int | None
    buffers: int | None
    swap_total: int
    swap_free: int
    swapped_in: int | None
    """Bytes read back from swap since boot."""
    swapped_out: int | None
    dirty: int | None = None
    slab: int | None = None
    shared: int | None = None
    oom_kills: int | None = None
    """Processes killed since boot."""
    major_faults: int | None = None
    """Since boot."""


def values(before: Memory | None, now: Memory, elapsed_s: float) -> Values:
    """The family's metrics from two readings; without an earlier one the rates are null."""
    swap_used = now.swap_total - now.swap_free
    return {
        "total": now.total,
        "available": now.available,
        "used": now.total - now.available,
        "free": now.free,
        "cached": now.cached,
        "buffers": now.buffers,
        "used_percent": share_percent(now.total - now.available, now.total),
        "swap_total": now.swap_total,
        "swap_used": swap_used,
        "swap_percent": share_percent(swap_used, now.swap_total) if now.swap_total else 0,
        "swap_in": _rate(before and before.swapped_in, now.swapped_in, elapsed_s),
        "swap_out": _rate(before and before.swapped_out, now.swapped_out, elapsed_s),
        "dirty": now.dirty,
        "slab": now.slab,
        "shared": now.shared,
        "oom_kills": now.oom_kills,
        "major_faults": _rate(before and before.major_faults, now.major_faults, elapsed_s),
    }


def _rate(before: int | None, now: int | None, elapsed_s: float) -> float | None:
    return None if before is None or now is None else per_second(before, now, elapsed_s)


def parse(meminfo: bytes, vmstat: bytes, page_bytes: int) -> Memory:
    """Readings of /proc/meminfo and /proc/vmstat; kernels before 4.13 do not count the processes killed."""

    def kib(key: bytes) -> int | None:
        count = number_after(meminfo, key)
        return None if count is None else count * 1024

    def pages(key: bytes) -> int | None:
        count = number_after(vmstat, key)
        return None if count is None else count * page_bytes

    total, free = kib(b"MemTotal:"), kib(b"\nMemFree:")
    if total is None or free is None:
        raise ValueError("meminfo without MemTotal and MemFree")
    buffers, page_cache, reclaimable = kib(b"\nBuffers:"), kib(b"\nCached:"), kib(b"\nSReclaimable:")
    cached = None if page_cache is None else page_cache + (reclaimable or 0)
    available = kib(b"\nMemAvailable:")
    if available is None:  # kernels before 3.14 do not estimate it; this is what tools showed then
        available = free + (cached or 0) + (buffers or 0)
    return Memory(
        total=total,
        available=min(available, total),
        free=free,
        cached=cached,
        buffers=buffers,
        swap_total=kib(b"\nSwapTotal:") or 0,
        swap_free=kib(b"\nSwapFree:") or 0,
        swapped_in=pages(b"\npswpin "),
        swapped_out=pages(b"\npswpout "),
        dirty=kib(b"\nDirty:"),
        slab=kib(b"\nSlab:"),
        shared=kib(b"\nShmem:"),
        oom_kills=number_after(vmstat, b"\noom_kill "),
        major_faults=number_after(vmstat, b"\npgmajfault "),
    )


def linux_reader(proc: str) -> Callable[[], Memory]:
    meminfo, vmstat = ProcFile(f"{proc}/meminfo"), ProcFile(f"{proc}/vmstat")
    page_bytes = os.sysconf("SC_PAGE_SIZE")

    return lambda: parse(meminfo.read(), vmstat.read_records(), page_bytes)


class MemoryUse:
    """Holds the previous reading."""

    def __init__(self, read: Callable[[], Memory]) -> None:
        self._read = read
        self._before: tuple[float, Memory] | None = None

    def collect(self, now_s: float) -> Instances:
        memory = self._read()
        before, self._before = self._before, (now_s, memory)
        return {"": values(before[1], memory, now_s - before[0]) if before else values(None, memory, 0)}
