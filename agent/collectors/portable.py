"""Readings through psutil, for systems other than Linux. Imported only there, and by the tests as a second opinion."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psutil

from agent.collectors.linux import cpu, disk, filesystem, memory, network
from agent.collectors.linux.filesystem import Mount
from agent.collectors.rates import share_percent
from agent.collectors.readings import Instances, Reading, Values

logger = logging.getLogger(__name__)


def told(call: str, *arguments: Any) -> Any:
    """What psutil answers; None where this system, or this user, gets no such answer: that costs one field, no more."""
    try:
        return getattr(psutil, call)(*arguments)
    except Exception as error:  # each platform has its own: OSError, RuntimeError, NotImplementedError, AttributeError
        logger.debug("psutil does not tell", extra={"call": call, "error": repr(error)})
        return None


def cpu_times() -> cpu.Times:
    times, stats = psutil.cpu_times(), told("cpu_stats")
    return cpu.Times(
        user=times.user,
        nice=getattr(times, "nice", None),
        system=times.system,
        idle=times.idle,
        iowait=getattr(times, "iowait", None),
        irq=getattr(times, "irq", getattr(times, "interrupt", None)),
        softirq=getattr(times, "softirq", getattr(times, "dpc", None)),
        steal=getattr(times, "steal", None),
        context_switches=getattr(stats, "ctx_switches", None),
        interrupts=getattr(stats, "interrupts", None),
    )


def core_times() -> dict[str, tuple[float, float]]:
    """Core -> busy and all time so far, in seconds."""
    cores = {}
    for number, times in enumerate(psutil.cpu_times(percpu=True)):
        whole = sum(times)
        cores[str(number)] = (whole - times.idle - getattr(times, "iowait", 0), whole)
    return cores


def load() -> cpu.Load:
    loads: cpu.Load | None = told("getloadavg")
    return loads or (None, None, None)


def cpu_frequency() -> float | None:
    clock = told("cpu_freq")
    return clock.current or None if clock else None


def memory_now() -> memory.Memory:
    ram, swap = psutil.virtual_memory(), told("swap_memory")
    return memory.Memory(
        total=ram.total,
        available=ram.available,
        free=ram.free,
        cached=getattr(ram, "cached", None),
        buffers=getattr(ram, "buffers", None),
        swap_total=getattr(swap, "total", None),
        swap_free=getattr(swap, "free", None),
        shared=getattr(ram, "shared", None),
        slab=getattr(ram, "slab", None),
    )


def paging() -> memory.Paging:
    swap = told("swap_memory")
    return memory.Paging(getattr(swap, "sin", None), getattr(swap, "sout", None))


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
    state = (told("net_if_stats") or {}).get(name)
    return {} if state is None else {"speed": state.speed or None, "up": 1 if state.isup else 0}


def mounts(wanted: Callable[[str], bool] = lambda path: True) -> Callable[[], list[Mount]]:
    return lambda: [
        Mount(part.mountpoint, part.device, part.fstype)
        for part in psutil.disk_partitions(all=False)
        if wanted(part.mountpoint)
    ]


def measure(path: str) -> Values:
    """Space of one file system; without statvfs, as on Windows, there are no inodes. Raises OSError."""
    if hasattr(os, "statvfs"):
        return filesystem.measure(path)
    use = psutil.disk_usage(path)
    shares = {"used_percent": share_percent(use.used, use.used + use.free)}
    return {"total": use.total, "used": use.used, "available": use.free, "stuck": 0, **shares}


_STATES = {
    "running": "running",
    "sleeping": "sleeping",
    "idle": "sleeping",
    "waiting": "sleeping",
    "disk-sleep": "uninterruptible",
    "stopped": "stopped",
    "tracing-stop": "stopped",
    "zombie": "zombie",
    "dead": "zombie",
}
MOST_LOAD = 0.0005
"""Highest share of one core that counting processes may take over time; elsewhere than on Linux it takes long."""


class Processes:
    """Counts processes by state; the last counts while counting again would cost too much."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due_s = float("-inf")
        self._last: Reading | None = None

    def read(self) -> Reading | None:
        now_s = self._clock()
        if now_s >= self._due_s:
            spent_s = time.thread_time()
            self._last = Reading(process_counts())
            self._due_s = now_s + (time.thread_time() - spent_s) / MOST_LOAD
        return self._last


def process_counts() -> Instances:
    """The family's metrics; processes that this user may not look at are in the total only."""
    total, found = 0, Counter[str]()
    for process in psutil.process_iter():
        total += 1
        try:
            found[_STATES.get(process.status(), "")] += 1
        except (psutil.Error, OSError):
            continue
    values: Values = {state: found[state] for state in dict.fromkeys(_STATES.values())}
    return {"": {"total": total, **values}}


def sensors() -> Reading | None:
    """Sensors through psutil, elsewhere than on Linux; None where it knows none."""
    instances: Instances = {}
    for chip, entries in (told("sensors_temperatures") or {}).items():
        for number, entry in enumerate(entries, 1):
            instances[f"{chip}/{entry.label or f'temp{number}'}"] = {
                "temperature": entry.current,
                "temperature_high": entry.high,
                "temperature_critical": entry.critical,
            }
    for chip, entries in (told("sensors_fans") or {}).items():
        for number, entry in enumerate(entries, 1):
            instances[f"{chip}/{entry.label or f'fan{number}'}"] = {"fan": entry.current}
    battery = told("sensors_battery")
    if battery is not None:
        plugged = None if battery.power_plugged is None else int(battery.power_plugged)
        instances["battery"] = {"battery": battery.percent, "plugged": plugged}
    return Reading(instances) if instances else None
