"""Which collectors this system gets: the kernel's own files on Linux, psutil elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import psutil

from agent.collectors import cpu, disk, filesystem, memory, network, own
from agent.readings import Instances
from agent.spool import Backlog
from agent.status import Status

Collect = Callable[[float], Instances]
"""Reads one family at the given monotonic time."""


def proc_root() -> str:
    """Where /proc of the watched host is mounted; a container may see it elsewhere."""
    return str(getattr(psutil, "PROCFS_PATH", "/proc"))


def fast_collectors(proc: str) -> dict[str, Collect]:
    """Family name -> collector, for the families read at every tick. None of them can hang."""
    if sys.platform == "linux":
        return {
            "cpu": cpu.Cpu(cpu.linux_reader(proc), cpu.linux_load(proc), cpu.linux_frequency(proc)).collect,
            "memory": memory.MemoryUse(memory.linux_reader(proc)).collect,
            "disk": disk.Disks(disk.linux_reader(proc)).collect,
            "network": network.Interfaces(network.linux_reader(proc)).collect,
        }
    from agent.collectors import portable

    return {
        "cpu": cpu.Cpu(portable.cpu_times, psutil.getloadavg, portable.cpu_frequency).collect,
        "memory": memory.MemoryUse(portable.memory_now).collect,
        "disk": disk.Disks(portable.disks).collect,
        "network": network.Interfaces(portable.interfaces).collect,
    }


def filesystems(proc: str) -> filesystem.Filesystems:
    if sys.platform == "linux":
        return filesystem.Filesystems(filesystem.linux_reader(proc))
    from agent.collectors import portable

    return filesystem.Filesystems(portable.mounts)


def own_collector(status: Status, backlog: Callable[[], Backlog]) -> Collect:
    """The collector of the agent's own cost. Its process is not in the host's /proc when that is mounted elsewhere."""
    if sys.platform == "linux":
        return own.Own(status, backlog, own.linux_resident("/proc")).collect
    process = psutil.Process(os.getpid())
    return own.Own(status, backlog, lambda: int(process.memory_info().rss)).collect
