"""What this machine's kernel and its usual tools say, read in ways of its own: nothing of the agent's code is here."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

Numbers = dict[tuple[str, str], float]
"""(name, instance) -> number; the empty instance is the host itself."""

TIMES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_DISK = ("reads", "", "read_sectors", "read_ms", "writes", "", "write_sectors", "write_ms", "", "busy_ms", "queue_ms")
_STATES = {"R": "running", "S": "sleeping", "I": "sleeping", "D": "uninterruptible", "T": "stopped", "t": "stopped"}
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def counters() -> Numbers:
    """Everything that only grows, with the time at which it was read as `time`."""
    return {("time", ""): time.perf_counter(), **dict(_stat()), **dict(_more()), **dict(_devices())}


def gauges() -> Numbers:
    """What goes up and down, by the catalogue's names."""
    found: Numbers = {}
    one, five, fifteen = os.getloadavg()
    found |= {("cpu.load1", ""): one, ("cpu.load5", ""): five, ("cpu.load15", ""): fifteen}
    if (clock := psutil.cpu_freq()) and clock.current:
        found["cpu.frequency", ""] = clock.current
    for name, number in {**_free(), **_meminfo(), **_sockets(), **processes()}.items():
        found[name, ""] = number
    found |= dict(_links())
    return found


def run(*command: str) -> list[list[str]]:
    """The words of each line a tool prints."""
    environment = {**os.environ, "LC_ALL": "C"}
    out = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [line.split() for line in out.stdout.splitlines()]


def file_systems() -> Numbers:
    """What df says of each mount point, `percent` rounded up as it does."""
    found: Numbers = {}
    for path, size, used, room, share in run("df", "-B1", "--output=target,size,used,avail,pcent")[1:]:
        found |= {("total", path): float(size), ("used", path): float(used), ("available", path): float(room)}
        if share != "-":
            found["used_percent", path] = float(share[:-1])
    for path, total, used, _, share in run("df", "--output=target,itotal,iused,iavail,ipcent")[1:]:
        if total not in {"0", "-"}:
            found |= {("inodes_total", path): float(total), ("inodes_used", path): float(used)}
            found["inodes_percent", path] = float(share[:-1])
    for _, path, _, options, *_ in (line.split() for line in _lines("/proc/self/mounts")):
        found["read_only", path] = float("ro" in options.split(","))
    return found


def disks() -> list[str]:
    """Names of the disks that have a device behind them."""
    names = (path.name for path in Path("/sys/block").iterdir() if (path / "device").exists())
    return sorted(name for name in names if not name.startswith(("sr", "fd", "loop", "ram", "zram", "dm-", "md")))


def interfaces() -> list[str]:
    return sorted(path.name for path in Path("/sys/class/net").iterdir() if (path / "statistics").is_dir())


def cores() -> list[str]:
    return [line.split()[0][3:] for line in _lines("/proc/stat") if line.startswith("cpu") and line[3] != " "]


def instances(family: str) -> list[str]:
    """What there is of a family on this machine; the empty name for one of the host itself."""
    listed = {"core": cores, "disk": disks, "network": interfaces}
    return listed[family]() if family in listed else [""]


def _lines(path: str) -> list[str]:
    return Path(path).read_text(errors="replace").splitlines()


def _stat() -> Iterator[tuple[tuple[str, str], float]]:
    for line in _lines("/proc/stat"):
        name, *words = line.split()
        if name.startswith("cpu"):
            for kind, word in zip(TIMES, words, strict=False):
                yield (kind, name[3:] if name != "cpu" else ""), float(word)
        elif name in {"ctxt", "intr", "processes"}:
            yield (name, ""), float(words[0])


def _more() -> Iterator[tuple[tuple[str, str], float]]:
    for line in _lines("/proc/vmstat"):
        name, number = line.split()
        if name in {"pswpin", "pswpout", "pgmajfault"}:
            yield (name, ""), float(number)
    for resource in ("cpu", "memory", "io"):
        with contextlib.suppress(OSError):  # older than that, or turned off
            for line in _lines(f"/proc/pressure/{resource}"):
                kind, *_, total = line.split()
                yield (f"{resource}_{kind}", ""), float(total.removeprefix("total="))
    names, numbers = (line.split() for line in _lines("/proc/net/snmp") if line.startswith("Tcp:"))
    yield ("retransmits", ""), float(numbers[names.index("RetransSegs")])


def _devices() -> Iterator[tuple[tuple[str, str], float]]:
    for disk in disks():
        words = Path("/sys/block", disk, "stat").read_text().split()
        for name, word in zip(_DISK, words, strict=False):
            yield (name, disk), float(word)
    for interface in interfaces():
        for file in Path("/sys/class/net", interface, "statistics").iterdir():
            yield (file.name, interface), float(file.read_text())


def _free() -> dict[str, float]:
    """Columns of `free`: total, used, free, shared, buffers, cache, available; and of swap: total, used."""
    _, ram, swap = run("free", "-b", "-w")
    total, _, free, shared, buffers, cache, available = map(float, ram[1:])
    swap_total, swap_used = map(float, swap[1:3])
    return {
        "memory.total": total,
        "memory.available": available,
        "memory.used": total - available,
        "memory.free": free,
        "memory.cached": cache,
        "memory.buffers": buffers,
        "memory.shared": shared,
        "memory.used_percent": 100 * (total - available) / total,
        "memory.swap_total": swap_total,
        "memory.swap_used": swap_used,
        "memory.swap_percent": 100 * swap_used / swap_total if swap_total else 0,
    }


def _meminfo() -> dict[str, float]:
    kib = {line.split(":")[0]: float(line.split()[1]) for line in _lines("/proc/meminfo")}
    kills = [float(line.split()[1]) for line in _lines("/proc/vmstat") if line.startswith("oom_kill ")]
    return {
        "memory.dirty": kib["Dirty"] * 1024,
        "memory.slab": (kib["SReclaimable"] + kib["SUnreclaim"]) * 1024,
        **({"memory.oom_kills": kills[0]} if kills else {}),
    }


def _sockets() -> dict[str, float]:
    """TCP connections counted one by one, where the agent reads the kernel's sums."""
    states = [line.split()[3] for file in ("tcp", "tcp6") for line in _lines(f"/proc/net/{file}")[1:]]
    found = {
        "sockets.tcp_established": float(sum(state in {"01", "08"} for state in states)),
        "sockets.tcp_time_wait": float(states.count("06")),
    }
    tracked, most = Path("/proc/net/stat/nf_conntrack"), Path("/proc/sys/net/netfilter/nf_conntrack_max")
    if tracked.exists() and most.exists():
        used = float(int(tracked.read_text().splitlines()[1].split()[0], 16))
        limit = float(most.read_text())
        found |= {"sockets.conntrack_used": used, "sockets.conntrack_limit": limit}
        found["sockets.conntrack_percent"] = 100 * used / limit
    return found


def processes() -> dict[str, float]:
    """Counted from /proc/<pid>/status, which the agent does not read."""
    found = dict.fromkeys(("total", "running", "sleeping", "uninterruptible", "stopped", "zombie", "threads"), 0.0)
    for path in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":", 1) for line in _lines(f"{path}/status"))
        except (OSError, ValueError):
            continue  # it ended
        found["total"] += 1
        found["threads"] += int(status["Threads"])
        found[_STATES.get(status["State"].split()[0], "zombie")] += 1
    running = [line.split()[3].split("/")[0] for line in _lines("/proc/loadavg")]
    return {f"process.{name}": number for name, number in found.items()} | {"cpu.procs_running": float(running[0])}


def _links() -> Iterator[tuple[tuple[str, str], float]]:
    for name in interfaces():
        directory = Path("/sys/class/net", name)
        try:
            carrier = int((directory / "carrier").read_text())
        except OSError:  # of what is taken down the kernel does not tell
            carrier = 0
        yield ("network.up", name), float(int((directory / "flags").read_text(), 16) & 1 and carrier)
        try:
            speed = int((directory / "speed").read_text())
        except OSError:
            speed = -1
        if speed > 0:
            yield ("network.speed", name), float(speed)
