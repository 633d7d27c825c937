"""Physical memory and swap of the host."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from agent.collectors.rates import per_second, share_percent
from agent.collectors.readings import Instances, Values
from agent.system.procfs import ProcFile, number_after

PAGING_EVERY_S = 5.0
"""Paging is read this often and its rates are held in between: the kernel sums every counter it has over all cores for
each look at vmstat, which costs more than all the rest of memory."""


class Memory(NamedTuple):
    """Bytes; None where the system does not tell."""

    total: int
    available: int
    free: int
    cached: int | None
    buffers: int | None
    swap_total: int | None
    swap_free: int | None
    dirty: int | None = None
    slab: int | None = None
    shared: int | None = None


class Paging(NamedTuple):
    """Counters since boot; None where the system does not count it."""

    swapped_in: int | None
    """Bytes read back from swap."""
    swapped_out: int | None
    major_faults: int | None = None
    oom_kills: int | None = None


def values(now: Memory) -> Values:
    """The family's metrics of this moment."""
    swap_used = None if now.swap_total is None or now.swap_free is None else now.swap_total - now.swap_free
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
        "swap_percent": None if swap_used is None else share_percent(swap_used, now.swap_total or 0) or 0,
        "dirty": now.dirty,
        "slab": now.slab,
        "shared": now.shared,
    }


def paging_values(before: Paging | None, now: Paging, elapsed_s: float) -> Values:
    """The family's metrics between two readings; without an earlier one the rates are null."""
    return {
        "swap_in": _rate(before and before.swapped_in, now.swapped_in, elapsed_s),
        "swap_out": _rate(before and before.swapped_out, now.swapped_out, elapsed_s),
        "major_faults": _rate(before and before.major_faults, now.major_faults, elapsed_s),
        "oom_kills": now.oom_kills,
    }


def _rate(before: int | None, now: int | None, elapsed_s: float) -> float | None:
    return None if before is None or now is None else per_second(before, now, elapsed_s)


def parse(meminfo: bytes) -> Memory:
    """Reading of /proc/meminfo. Raises ValueError when it lacks what every kernel tells."""

    def kib(key: bytes) -> int | None:
        count = number_after(meminfo, key)
        return None if count is None else count * 1024

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
        dirty=kib(b"\nDirty:"),
        slab=kib(b"\nSlab:"),
        shared=kib(b"\nShmem:"),
    )


def parse_paging(vmstat: bytes, page_bytes: int) -> Paging:
    """Reading of /proc/vmstat. Kernels before 4.13 do not count the processes killed, nor some the swapping."""

    def pages(key: bytes) -> int | None:
        count = number_after(vmstat, key)
        return None if count is None else count * page_bytes

    faults, killed = number_after(vmstat, b"\npgmajfault "), number_after(vmstat, b"\noom_kill ")
    return Paging(pages(b"\npswpin "), pages(b"\npswpout "), faults, killed)


def linux_reader(proc: str) -> Callable[[], Memory]:
    meminfo = ProcFile(f"{proc}/meminfo")
    return lambda: parse(meminfo.read())


def linux_paging(proc: str) -> Callable[[], Paging]:
    vmstat = ProcFile(f"{proc}/vmstat")
    page_bytes = os.sysconf("SC_PAGE_SIZE")

    def read() -> Paging:
        # Mostly the first piece has all that is needed; each further one makes the kernel sum everything up again.
        paging = parse_paging(vmstat.read(), page_bytes)
        return parse_paging(vmstat.read_records(), page_bytes) if paging.oom_kills is None else paging

    return read


_UNKNOWN = Paging(None, None)


class MemoryUse:
    """Holds the previous counters of paging, and what was last made of them."""

    def __init__(self, read: Callable[[], Memory], read_paging: Callable[[], Paging]) -> None:
        self._read = read
        self._read_paging = read_paging
        self._before: tuple[float, Paging] | None = None
        self._paging: Values = {}
        self._due_s = float("-inf")

    def collect(self, now_s: float) -> Instances:
        """Rates of paging are from the second reading on, wherever that falls, and then every `PAGING_EVERY_S`."""
        found = values(self._read())
        if now_s >= self._due_s:
            self._due_s = now_s if self._before is None else now_s + PAGING_EVERY_S
            self._paging = self._rates(now_s)
        return {"": found | self._paging}

    def _rates(self, now_s: float) -> Values:
        before, self._before = self._before, None
        try:
            now = self._read_paging()
        except (OSError, ValueError):  # a container may be denied vmstat; that must not cost the memory itself
            return paging_values(None, _UNKNOWN, 0)
        self._before = (now_s, now)
        return paging_values(before[1], now, now_s - before[0]) if before else paging_values(None, now, 0)
