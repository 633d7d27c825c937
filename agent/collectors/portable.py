"""Readings through psutil, for systems other than Linux. Imported only there, and by the tests as a second opinion."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from agent.collectors import cpu, disk, memory, network
from agent.collectors.filesystem import Mount
from agent.readings import Values


def cpu_times() -> cpu.Times:
    times, stats = psutil.cpu_times(), psutil.cpu_stats()
    return cpu.Times(
        user=times.user,
        nice=getattr(times, "nice", None),
        system=times.system,
        idle=times.idle,
        iowait=getattr(times, "iowait", None),
        irq=getattr(times, "irq", getattr(times, "interrupt", None)),
        softirq=getattr(times, "softirq", getattr(times, "dpc", None)),
        steal=getattr(times, "steal", None),
        context_switches=stats.ctx_switches,
        interrupts=stats.interrupts,
    )


def core_times() -> dict[str, tuple[float, float]]:
    """Core -> busy and all time so far, in seconds."""
    cores = {}
    for number, times in enumerate(psutil.cpu_times(percpu=True)):
        whole = sum(times)
        cores[str(number)] = (whole - times.idle - getattr(times, "iowait", 0), whole)
    return cores


def cpu_frequency() -> float | None:
    clock = psutil.cpu_freq()
    return clock.current if clock else None


def memory_now() -> memory.Memory:
    ram, swap = psutil.virtual_memory(), psutil.swap_memory()
    return memory.Memory(
        total=ram.total,
        available=ram.available,
        free=ram.free,
        cached=getattr(ram, "cached", None),
        buffers=getattr(ram, "buffers", None),
        swap_total=swap.total,
        swap_free=swap.free,
        swapped_in=swap.sin,
        swapped_out=swap.sout,
    )


def disks(wanted: Callable[[str], bool] = lambda name: True) -> Callable[[], dict[str, disk.Traffic]]:
    """Reads every wanted disk the system names; outside Linux those are whole disks."""
    return lambda: {
        name: disk.Traffic(
            reads=counts.read_count,
            read_bytes=counts.read_bytes,
            read_ms=counts.read_time,
            writes=counts.write_count,
            write_bytes=counts.write_bytes,
            write_ms=counts.write_time,
            busy_ms=getattr(counts, "busy_time", None),
        )
        for name, counts in (psutil.disk_io_counters(perdisk=True, nowrap=False) or {}).items()
        if wanted(name)
    }


def interfaces(wanted: Callable[[str], bool] = network.wanted) -> Callable[[], dict[str, network.Traffic]]:
    return lambda: {
        name: network.Traffic(
            received=counts.bytes_recv,
            packets_received=counts.packets_recv,
            sent=counts.bytes_sent,
            packets_sent=counts.packets_sent,
            errors=counts.errin + counts.errout,
            drops=counts.dropin + counts.dropout,
        )
        for name, counts in (psutil.net_io_counters(pernic=True, nowrap=False) or {}).items()
        if wanted(name)
    }


def link(name: str) -> Values:
    """Speed and state of an interface's link; psutil tells 0 where it does not know the speed."""
    state = psutil.net_if_stats().get(name)
    return {} if state is None else {"speed": state.speed or None, "up": 1 if state.isup else 0}


def mounts() -> list[Mount]:
    return [Mount(part.mountpoint, part.device, part.fstype) for part in psutil.disk_partitions(all=False)]
