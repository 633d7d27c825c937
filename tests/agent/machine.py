"""A machine made of files: what a Linux kernel tells below /proc and /sys, to be changed between two readings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from agent.sampling.sources import Roots

HEADER = "Inter-|   Receive    |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes\n"


class Machine:
    """Two cores, one disk with a partition, one interface; every counter grows by a thousand with each `pass_time`."""

    def __init__(self, root: Path) -> None:
        self.proc = root / "proc"
        self.sys = root / "sys"
        self.cores = ["0", "1"]
        self.disks = ["sda"]
        self.interfaces = ["eth0"]
        self.count = 1_000_000
        self.broken: dict[str, str | None] = {}
        """Files with other content than they should have; None: they are missing."""
        self.pass_time()

    @property
    def roots(self) -> Roots:
        return Roots(str(self.proc), str(self.sys))

    def pass_time(self) -> None:
        """Write all files again, with counters that have grown."""
        self.count += 1000
        n = self.count
        cpu = f"{n} {n} {n} {n} {n} {n} {n} {n} 0 0\n"
        lines = [f"cpu  {cpu}", *(f"cpu{core} {cpu}" for core in self.cores)]
        self.put("stat", "".join(lines) + f"intr {n} 1 2\nctxt {n}\nprocesses {n}\nprocs_running 2\nprocs_blocked 1\n")
        self.put("loadavg", "0.10 0.20 0.30 1/100 4242\n")
        self.put("cpuinfo", "cpu MHz\t\t: 2400.000\n")
        names = ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SwapTotal", "SwapFree", "Dirty", "Slab")
        self.put("meminfo", "".join(f"{name}: {n} kB\n" for name in (*names, "Shmem", "SReclaimable")))
        self.put("vmstat", f"nr_free_pages 1\npswpin {n}\npswpout {n}\npgmajfault {n}\noom_kill 3\n")
        counters = " ".join([str(n)] * 17)
        devices = [name for disk in self.disks for name in (disk, f"{disk}1")]
        self.put("diskstats", "".join(f"   8  0 {name} {counters}\n" for name in devices))
        self.put("1/net/dev", HEADER + "".join(f"{name}: {counters}\n" for name in ("lo", *self.interfaces)))
        self.put("1/net/snmp", f"Tcp: RtoAlgorithm CurrEstab RetransSegs\nTcp: 1 12 {n}\n")
        self.put("1/net/sockstat", "sockets: used 19\nTCP: inuse 2 orphan 0 tw 7 alloc 2 mem 67\n")
        self.put("sys/net/netfilter/nf_conntrack_count", "50\n")
        self.put("sys/net/netfilter/nf_conntrack_max", "200\n")
        for resource in ("cpu", "memory", "io"):
            kinds = "".join(f"{kind} avg10=0.00 avg60=0.00 avg300=0.00 total={n}\n" for kind in ("some", "full"))
            self.put(f"pressure/{resource}", kinds)
        for disk in self.disks:
            (self.sys / "block" / disk / "device").mkdir(parents=True, exist_ok=True)
        for name in self.interfaces:
            self.link(name, "up", "1000")

    def put(self, path: str, text: str) -> None:
        """Write one file below /proc in place, as one that is held open sees it."""
        file = self.proc / path
        broken = self.broken.get(path, text)
        if broken is None:
            file.unlink(missing_ok=True)
            return
        data = broken.encode()
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
        except FileNotFoundError:
            file.parent.mkdir(parents=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
        # Emptied before it is written, some file systems would take the disk to it at each closing.
        os.pwrite(descriptor, data, 0)
        os.ftruncate(descriptor, len(data))
        os.close(descriptor)

    def link(self, name: str, state: str, speed: str) -> None:
        directory = self.sys / "class" / "net" / name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "operstate").write_text(state + "\n")
        (directory / "speed").write_text(speed + "\n")

    def files(self) -> Iterable[str]:
        """Everything below /proc."""
        return sorted(str(path.relative_to(self.proc)) for path in self.proc.rglob("*") if path.is_file())
