"""The families without instances: processor, memory, pressure, processes, sockets, the agent itself, units. Pure."""

from __future__ import annotations

import numpy as np

from demo.activity import activity, trend
from demo.lines import Line, line
from demo.machines import Machine
from demo.noise import Floats, Ints, flutter, held, uniform, wander, whole
from demo.stories import backing_up, deploying, leaked, oom_kills, spiking
from schemas.families import AGENT, CPU, MEMORY, PRESSURE, PROCESS, SOCKETS, UNIT

PAGE = 4096
MIB = 2**20


def waiting(machine: Machine, times_s: Ints) -> Floats:
    """Share of the time for which the processor waits for disks."""
    base = {"db": 0.02, "worker": 0.012}.get(machine.role, 0.003)
    key = machine.key("iowait")
    scattered = base * (1 + wander(key, times_s, 30)) * (0.5 + uniform(key + 1, times_s))
    found: Floats = scattered + 0.05 * backing_up(machine, times_s)
    return found


def cpu(machine: Machine, times_s: Ints) -> Line:
    busy, calm, key = activity(machine, times_s), trend(machine, times_s), machine.key("cpu")
    waits = waiting(machine, times_s)
    system = busy * (0.22 + 0.04 * wander(key, times_s, 300))
    soft = busy * (0.05 if machine.role in ("edge", "web") else 0.012)
    steal = 0.004 * uniform(key + 1, times_s) * (machine.region != "fra")
    work = machine.cores**0.6
    loads = {
        f"load{minutes}": machine.cores * 1.08 * (trend(machine, times_s - 20 * minutes) + calm) / 2
        + 0.05 * uniform(key + minutes + 1, times_s // 5)
        for minutes in (1, 5, 15)
    }
    return line(
        CPU,
        times_s,
        {
            "total": 100 * (busy + steal),
            "user": 100 * (busy - system),
            "system": 100 * (system - soft),
            "iowait": 100 * np.minimum(waits, 1 - busy),
            "steal": 100 * steal,
            "nice": 0,
            "irq": 0,
            "softirq": 100 * soft,
            **loads,
            "context_switches": work * (700 + 21_000 * busy) * (1 + 0.07 * flutter(key + 20, times_s)),
            "interrupts": work * (500 + 9_000 * busy) * (1 + 0.06 * flutter(key + 21, times_s)),
            "frequency": 2400 + 900 * busy,
            "procs_running": 1 + whole(0.7 * busy * machine.cores, key + 22, times_s),
            "procs_blocked": whole(4 * waits * machine.cores, key + 23, times_s),
            "forks": whole(2 + 9 * busy, key + 24, times_s),
        },
    )


def memory_share(machine: Machine, times_s: Ints) -> Floats:
    """Share of the memory that is used."""
    key = machine.key("memory")
    base = {"cache": 0.72, "db": 0.62, "gpu": 0.35}.get(machine.role, 0.4) * (0.9 + 0.2 * machine.chance("memory"))
    share = base + 0.05 * wander(key, times_s, 7000) + 0.015 * wander(key + 1, times_s, 90)
    share = share + 0.12 * (trend(machine, times_s) - 0.3) - 0.15 * deploying(machine, times_s)
    found: Floats = np.clip(share + leaked(machine, times_s) + 0.2 * spiking(machine, times_s), 0.05, 0.975)
    return found


def memory(machine: Machine, times_s: Ints) -> Line:
    key, total = machine.key("memory"), float(machine.memory)
    share = memory_share(machine, times_s)
    used = np.floor(share * total / PAGE) * PAGE
    cached = np.floor((1 - share) * total * (0.75 + 0.1 * wander(key + 2, times_s, 4000)) / PAGE) * PAGE
    swap = 4 * 1024 * MIB
    swapped = np.clip((share - 0.85) / 0.12, 0, 1) * 0.6
    return line(
        MEMORY,
        times_s,
        {
            "total": total,
            "available": total - used,
            "used": used,
            "free": total - used - cached,
            "cached": cached,
            "buffers": total * 0.006,
            "used_percent": 100 * share,
            "swap_total": swap,
            "swap_used": np.floor(swapped * swap / PAGE) * PAGE,
            "swap_percent": 100 * swapped,
            "swap_in": whole(40 * swapped, key + 3, times_s) * PAGE,
            "swap_out": whole(90 * swapped, key + 4, times_s) * PAGE,
            "dirty": whole(300 + 4000 * trend(machine, times_s), key + 5, times_s) * PAGE,
            "slab": total * 0.03,
            "shared": total * 0.01,
            "oom_kills": oom_kills(machine, times_s),
            "major_faults": whole(0.4 + 60 * swapped, key + 6, times_s),
        },
    )


def pressure(machine: Machine, times_s: Ints) -> Line:
    key, busy = machine.key("pressure"), activity(machine, times_s)
    short = np.clip((memory_share(machine, times_s) - 0.88) / 0.1, 0, 1)
    disks = waiting(machine, times_s)
    return line(
        PRESSURE,
        times_s,
        {
            "cpu_some": 100 * np.clip(busy - 0.3, 0, 1) ** 2 * (0.7 + 0.6 * uniform(key, times_s)),
            "memory_some": 30 * short * uniform(key + 1, times_s),
            "memory_full": 12 * short * uniform(key + 1, times_s),
            "io_some": 160 * disks,
            "io_full": 90 * disks,
        },
    )


def process(machine: Machine, times_s: Ints) -> Line:
    key, busy = machine.key("process"), trend(machine, times_s)
    running = 1 + whole(0.7 * busy * machine.cores, key, times_s)
    total = 150 + 9 * machine.cores + np.rint(12 * wander(key + 1, times_s, 900) + 40 * busy)
    return line(
        PROCESS,
        times_s,
        {
            "total": total,
            "running": running,
            "sleeping": total - running,
            "uninterruptible": whole(2 * waiting(machine, times_s) * machine.cores, key + 2, times_s),
            "stopped": 0,
            "zombie": (held(key + 3, times_s, 3600) < 0.1) * 1.0,
            "threads": np.rint(3.4 * total),
        },
    )


def sockets(machine: Machine, times_s: Ints) -> Line:
    key, busy = machine.key("sockets"), trend(machine, times_s)
    many = {"edge": 9000, "web": 2600, "cache": 1800}.get(machine.role, 240)
    established = whole(12 + many * busy, key, times_s)
    waiting_out = whole(many * 0.7 * busy, key + 1, times_s)
    tracked, limit = np.rint(1.3 * (established + waiting_out) + 40), 262_144
    return line(
        SOCKETS,
        times_s,
        {
            "tcp_established": established,
            "tcp_time_wait": waiting_out,
            "tcp_retransmits": whole(0.3 + 0.0015 * many * busy + 12 * spiking(machine, times_s), key + 2, times_s),
            "conntrack_used": tracked,
            "conntrack_limit": limit,
            "conntrack_percent": 100 * tracked / limit,
        },
    )


def agent(machine: Machine, times_s: Ints) -> Line:
    key = machine.key("agent")
    return line(
        AGENT,
        times_s,
        {
            "cpu": 0.6 + 0.5 * uniform(key, times_s),
            "rss": (26 + 3 * held(key + 1, times_s, 7200)) * MIB,
            "collect": 2.1 + 0.6 * flutter(key + 2, times_s),
            "buffered_batches": 0,
            "buffered_bytes": 0,
            "oldest_age": 0,
            "dropped_total": 0,
            "publish": 1.4 + 2 * uniform(key + 3, times_s) + 40 * (machine.region == "sin"),
            "reconnects": 0,
            "late_ticks": 0,
            "clock_offset": 0.8 * wander(key + 4, times_s, 1800),
            "config_revision": 0,
        },
    )


def unit(machine: Machine, times_s: Ints) -> Line:
    failed = (held(machine.key("unit"), times_s, 43_200) < 0.06) * 1.0
    reboot_required = 1.0 if machine.story != "rebooted" and machine.number % 9 == 4 else 0.0
    return line(UNIT, times_s, {"failed": failed, "reboot_required": reboot_required, "clock_synchronised": 1.0})
