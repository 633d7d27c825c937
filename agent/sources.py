"""Which collectors this system gets: the kernel's own files on Linux, psutil elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NamedTuple

import psutil

from agent.choice import Choice
from agent.collectors import cpu, disk, filesystem, memory, network, own
from agent.readings import Instances
from agent.slow import Source
from agent.spool import Backlog
from agent.status import Status
from infra.settings import AgentSettings

Collect = Callable[[float], Instances]
"""Reads one family at the given monotonic time."""


class Roots(NamedTuple):
    """Where the watched host's file systems are mounted; a container may see them elsewhere."""

    proc: str = "/proc"
    sys: str = "/sys"
    host: str = "/"


def roots_of(settings: AgentSettings) -> Roots:
    return Roots(settings.proc_root, settings.sys_root, settings.host_root)


def new_choices() -> dict[str, Choice]:
    """Family -> which of its instances are sampled, for the families whose instances can be chosen."""
    return {
        "network": Choice(network.wanted),
        "disk": Choice(),
        "filesystem": Choice(),
        "gpu": Choice(),
    }


def fast_collectors(roots: Roots, choices: dict[str, Choice]) -> dict[str, Collect]:
    """Family name -> collector, for the families read on the tick. None of them can hang."""
    proc, sys_root = roots.proc, roots.sys
    if sys.platform == "linux":
        return {
            "cpu": cpu.Cpu(cpu.linux_reader(proc), cpu.linux_load(proc), cpu.linux_frequency(proc, sys_root)).collect,
            "memory": memory.MemoryUse(memory.linux_reader(proc)).collect,
            "disk": disk.Disks(disk.linux_reader(proc, sys_root)).collect,
            "network": network.Interfaces(network.linux_reader(proc, choices["network"])).collect,
        }
    from agent.collectors import portable

    return {
        "cpu": cpu.Cpu(portable.cpu_times, psutil.getloadavg, portable.cpu_frequency).collect,
        "memory": memory.MemoryUse(portable.memory_now).collect,
        "disk": disk.Disks(portable.disks).collect,
        "network": network.Interfaces(portable.interfaces).collect,
    }


def slow_sources(roots: Roots, choices: dict[str, Choice]) -> dict[str, Callable[[], Source]]:
    """Family name -> what makes its source, for the families read off the tick."""
    return {"filesystem": lambda: filesystems(roots)}


def filesystems(roots: Roots) -> filesystem.Filesystems:
    if sys.platform == "linux":
        return filesystem.Filesystems(filesystem.linux_reader(roots.proc))
    from agent.collectors import portable

    return filesystem.Filesystems(portable.mounts)


def own_collector(status: Status, backlog: Callable[[], Backlog]) -> Collect:
    """The collector of the agent's own cost. Its process is not in the host's /proc when that is mounted elsewhere."""
    if sys.platform == "linux":
        return own.Own(status, backlog, own.linux_resident("/proc")).collect
    process = psutil.Process(os.getpid())
    return own.Own(status, backlog, lambda: int(process.memory_info().rss)).collect
