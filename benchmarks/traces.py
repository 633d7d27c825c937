"""Traces that move like real hosts': seeded, in catalogue counts, a block of seconds of one host at a time.

What makes real counters cheap or dear to store is kept: processor time comes in ticks of 10 ms, load averages change
every 5 s, memory in pages of 4 KiB, disks are idle between bursts, limits and speeds never change, rates of packets
and context switches are noise around a level that follows the day.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from schemas.catalogue import COLUMN_LIMITS, Family
from schemas.families import AGENT, CPU, DISK, FILESYSTEM, MEMORY, NETWORK, PRESSURE, PROCESS, SENSORS, SOCKETS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Columns = dict[str, Floats | Ints | npt.NDArray[np.bool_] | float]

TICKS_PER_S = 100
PAGE = 4096
GIB = 2**30

INSTANCES: dict[str, tuple[str, ...]] = {
    "disk": ("nvme0n1", "sda"),
    "filesystem": ("/", "/boot", "/var"),
    "network": ("lo", "eth0"),
    "sensors": ("cpu", "board"),
}
FAMILIES = (CPU, MEMORY, DISK, NETWORK, FILESYSTEM, PRESSURE, PROCESS, SENSORS, SOCKETS, AGENT)
"""What an agent sends of an ordinary server without being asked for more."""


class Trace(Struct, frozen=True):
    """One series: a host's family, or one instance of it."""

    family: Family
    instance: str
    times_s: Ints
    """Seconds since the start of the block."""
    columns: list[Ints]
    """Counts per metric."""


def host_traces(number: int, seconds: int) -> Iterator[Trace]:
    """All series of host `number` over so many seconds."""
    rng = np.random.default_rng(1000 + number)
    cores = int(rng.choice([2, 4, 8, 16, 32]))
    busy = _activity(rng, seconds)
    every = np.arange(seconds)
    yield Trace(CPU, "", every, _fit(CPU, _cpu(rng, busy, cores)))
    yield Trace(MEMORY, "", every, _fit(MEMORY, _memory(rng, busy, cores)))
    for share, name in zip((0.8, 0.1), INSTANCES["disk"], strict=True):
        yield Trace(DISK, name, every, _fit(DISK, _disk(rng, busy * share)))
    for level, name in zip((20, 900), INSTANCES["network"], strict=True):
        yield Trace(NETWORK, name, every, _fit(NETWORK, _network(rng, busy * level * cores, name)))
    yield Trace(PRESSURE, "", every, _fit(PRESSURE, _pressure(rng, busy)))
    tens = every[::10]
    for total, name in zip((200, 1, 900), INSTANCES["filesystem"], strict=True):
        yield Trace(FILESYSTEM, name, tens, _fit(FILESYSTEM, _filesystem(rng, busy[::10], total)))
    yield Trace(PROCESS, "", tens, _fit(PROCESS, _process(rng, busy[::10], cores)))
    yield Trace(SOCKETS, "", tens, _fit(SOCKETS, _sockets(rng, busy[::10])))
    yield Trace(AGENT, "", tens, _fit(AGENT, _agent(rng, busy[::10])))
    fives = every[::5]
    for base, name in zip((48, 33), INSTANCES["sensors"], strict=True):
        yield Trace(SENSORS, name, fives, _fit(SENSORS, _sensor(rng, busy[::5], base)))


def entropy_bytes(counts: Ints) -> float:
    """Bytes per value that a memoryless coder of values, or of their differences, needs at least: the less of both.

    Shannon's entropy of the frequencies in this very column; what a coder must know of them is not counted.
    """
    return min(_entropy_bits(counts), _entropy_bits(np.diff(counts, prepend=counts[:1]))) / 8


def _entropy_bits(counts: Ints) -> float:
    _, number = np.unique(counts, return_counts=True)
    share = number / len(counts)
    return float(-(share * np.log2(share)).sum())


def _fit(family: Family, columns: Columns) -> list[Ints]:
    """The columns of a family in catalogue order, as integers within their type; missing ones are 0."""
    length = max(len(column) for column in columns.values() if isinstance(column, np.ndarray))
    made = []
    for metric in family.metrics:
        low, high = COLUMN_LIMITS[metric.column]
        values = np.broadcast_to(np.asarray(columns.get(metric.name, 0), dtype=np.float64), length)
        made.append(np.clip(np.rint(values), low, high).astype(np.int64))
    return made


def _activity(rng: np.random.Generator, seconds: int) -> Floats:
    """Share of the host that works, 0 to 1: a level, a day's wave, minutes-long bursts and a wandering rest."""
    t = np.arange(seconds)
    wave = 1 + 0.4 * np.sin(2 * np.pi * (t / 86400 + rng.random()))
    level = rng.choice([0.02, 0.08, 0.25, 0.6]) * wave
    for start in rng.integers(0, seconds, max(1, seconds // 1800)):
        level[start : start + rng.integers(20, 400)] += rng.random() * 0.4
    activity: Floats = np.clip(level * np.exp(0.3 * _wander(rng, seconds, 120)), 0.001, 0.97)
    return activity


def _wander(rng: np.random.Generator, length: int, memory: float) -> Floats:
    """Noise of deviation 1 that forgets itself after `memory` steps."""
    steps = rng.normal(0, 1, length)
    width = max(1, min(length, round(memory)))
    sums = np.cumsum(np.concatenate((np.zeros(width), steps)))
    noise: Floats = (sums[width:] - sums[:-width]) / np.sqrt(width)
    return noise


def _held(values: Floats, steps: int) -> Floats:
    """Each value kept for so many steps, as the kernel does with load averages."""
    return np.repeat(values[::steps], steps)[: len(values)]


def _cpu(rng: np.random.Generator, busy: Floats, cores: int) -> Columns:
    ticks = cores * TICKS_PER_S
    user = rng.poisson(busy * ticks * 0.75)
    system = rng.poisson(busy * ticks * 0.2 + 0.3)
    iowait = rng.poisson(busy * ticks * 0.02) * (rng.random(len(busy)) < 0.3)
    softirq = rng.poisson(busy * ticks * 0.01)
    whole = ticks + rng.integers(-1, 2, len(busy))
    shares = {"user": user, "system": system + softirq, "iowait": iowait, "softirq": softirq}
    running = busy * cores + 0.2
    return {
        "total": 10_000 * (user + system + softirq) / whole,
        **{name: 10_000 * part / whole for name, part in shares.items()},
        "load1": _held(100 * _smoothed(running, 60), 5),
        "load5": _held(100 * _smoothed(running, 300), 5),
        "load15": _held(100 * _smoothed(running, 900), 5),
        "context_switches": rng.normal(1, 0.06, len(busy)) * (400 + 30_000 * busy * cores**0.5),
        "interrupts": rng.normal(1, 0.05, len(busy)) * (300 + 12_000 * busy * cores**0.5),
        "frequency": 2400 if cores > 8 else 2400 + 800 * rng.random(len(busy)) * busy,
        "procs_running": 1 + rng.poisson(busy * cores * 0.6),
        "procs_blocked": rng.poisson(busy * 0.1),
        "forks": 10 * rng.poisson(1 + 8 * busy),
    }


def _smoothed(values: Floats, memory: int) -> Floats:
    kernel = np.exp(-np.arange(min(len(values), 4 * memory)) / memory)
    size = 1 << (len(values) + len(kernel) - 1).bit_length()
    product = np.fft.rfft(values, size) * np.fft.rfft(kernel / kernel.sum(), size)
    return np.maximum(np.fft.irfft(product, size)[: len(values)], 0)


def _memory(rng: np.random.Generator, busy: Floats, cores: int) -> Columns:
    total = cores * 4 * GIB // PAGE * PAGE - 300 * PAGE
    moving = rng.random(len(busy)) < 0.1 + 0.8 * busy
    pages = np.cumsum(np.where(moving, rng.normal(0, 40 + 800 * busy), 0).astype(np.int64))
    used = total * rng.uniform(0.2, 0.8) + (pages - pages.mean()) * PAGE
    used = np.clip(used // PAGE * PAGE, total // 20, total * 0.95)
    cached = (total * 0.15) // PAGE * PAGE + np.cumsum(rng.poisson(busy * 6)) % (total // PAGE // 10) * PAGE
    dirty = rng.poisson(40 + 900 * busy * (np.arange(len(busy)) % 30 / 30)) * PAGE
    swapped = rng.random() < 0.3
    return {
        "total": total,
        "available": total - used,
        "used": used,
        "free": np.maximum(total - used - cached, 64 * PAGE),
        "cached": cached,
        "buffers": 40_000 * PAGE + _held(np.cumsum(rng.random(len(busy)) < 0.02) * float(PAGE), 3),
        "used_percent": 10_000 * used / total,
        "swap_total": 2 * GIB,
        "swap_used": 300 * 2**20 if swapped else 0,
        "swap_percent": 1465 if swapped else 0,
        "dirty": dirty,
        "slab": 90_000 * PAGE + np.cumsum(rng.integers(-2, 3, len(busy)) * (rng.random(len(busy)) < 0.2)) * PAGE,
        "shared": 2_500 * PAGE,
        "major_faults": 10 * rng.poisson(2, len(busy)) * (rng.random(len(busy)) < 0.01),
    }


def _disk(rng: np.random.Generator, busy: Floats) -> Columns:
    flush = (np.arange(len(busy)) % 5 == 0) | (rng.random(len(busy)) < busy)
    writes = rng.poisson(3 + 300 * busy) * flush
    reads = rng.poisson(400 * busy) * (rng.random(len(busy)) < busy * 0.5)
    wait = np.exp(rng.normal(3.5, 0.5, len(busy)))
    return {
        "read": reads * rng.integers(1, 17, len(busy)) * PAGE,
        "write": writes * rng.integers(1, 9, len(busy)) * PAGE,
        "reads": 10 * reads,
        "writes": 10 * writes,
        "busy": np.minimum(10_000, (reads + writes) * wait * 0.2 // 10 * 10),
        "read_wait": wait * (reads > 0),
        "write_wait": wait * 2 * (writes > 0),
        "queue": (reads + writes) * wait / 1000,
    }


def _network(rng: np.random.Generator, packets: Floats, name: str) -> Columns:
    received = rng.poisson(2 + packets)
    sent = received if name == "lo" else rng.poisson(2 + packets * 0.8)
    inward = received * rng.uniform(150, 500) * rng.normal(1, 0.1, len(packets)) + 60
    return {
        "received": inward,
        "sent": inward if name == "lo" else sent * rng.uniform(150, 900) * rng.normal(1, 0.1, len(packets)) + 60,
        "drops": rng.poisson(1, len(packets)) * (rng.random(len(packets)) < 0.001),
        "packets_received": received,
        "packets_sent": sent,
        "speed": 0 if name == "lo" else 10_000,
        "up": 1,
    }


def _pressure(rng: np.random.Generator, busy: Floats) -> Columns:
    waiting = np.maximum(0, busy - 0.2)
    return {
        "cpu_some": 10_000 * waiting * rng.random(len(busy)),
        "io_some": 200 * rng.random(len(busy)) * (rng.random(len(busy)) < busy),
        "io_full": 90 * rng.random(len(busy)) * (rng.random(len(busy)) < busy * 0.5),
    }


def _filesystem(rng: np.random.Generator, busy: Floats, gib: int) -> Columns:
    total = gib * GIB
    used = total * rng.uniform(0.3, 0.7) // PAGE * PAGE + (np.cumsum(rng.poisson(busy * 200)) * PAGE if gib > 1 else 0)
    inodes = 200_000 + (np.cumsum(rng.poisson(busy)) if gib > 1 else 0)
    flat = np.zeros(len(busy))
    return {
        "total": total,
        "used": used + flat,
        "available": total * 0.95 - used + flat,
        "used_percent": 10_000 * used / (total * 0.95) + flat,
        "inodes_total": gib * 65_536,
        "inodes_used": inodes + flat,
        "inodes_percent": 10_000 * inodes / (gib * 65_536 + 300_000) + flat,
    }


def _process(rng: np.random.Generator, busy: Floats, cores: int) -> Columns:
    running = 1 + rng.poisson(busy * cores * 0.6)
    total = 180 + 10 * cores + np.cumsum(rng.integers(-1, 2, len(busy)) * (rng.random(len(busy)) < 0.2))
    return {"total": total, "running": running, "sleeping": total - running, "threads": 3 * total + running}


def _sockets(rng: np.random.Generator, busy: Floats) -> Columns:
    tracked = 60 + rng.poisson(900 * busy)
    return {
        "tcp_established": 12 + rng.poisson(400 * busy),
        "tcp_time_wait": rng.poisson(300 * busy),
        "tcp_retransmits": rng.poisson(busy * 3),
        "conntrack_used": tracked,
        "conntrack_limit": 32_767,
        "conntrack_percent": 10_000 * tracked / 32_767,
    }


def _agent(rng: np.random.Generator, busy: Floats) -> Columns:
    return {
        "cpu": 20 + rng.integers(0, 3, len(busy)) * 10,
        "rss": 28 * 2**20 + _held(rng.integers(0, 40, len(busy)) * float(PAGE), 60),
        "collect": rng.normal(150, 12, len(busy)),
        "buffered_batches": rng.random(len(busy)) < 0.1,
        "publish": np.exp(rng.normal(4.5, 0.3, len(busy))),
        "clock_offset": rng.normal(0, 3, len(busy)),
    }


def _sensor(rng: np.random.Generator, busy: Floats, base: int) -> Columns:
    degrees = base + 30 * _smoothed(busy, 20) + rng.normal(0, 0.3, len(busy))
    return {"temperature": np.rint(degrees) * 10, "temperature_high": 800, "temperature_critical": 1000}
