"""Which collectors this system gets: the kernel's own files on Linux, psutil elsewhere."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import NamedTuple

import psutil

from agent.choice import Choice
from agent.collectors import cpu, disk, filesystem, memory, network, own, pressure, sockets
from agent.collectors.gpu import Gpus, has_driver
from agent.readings import Instances
from agent.slow import Source
from agent.spool import Backlog
from agent.status import Status
from infra.settings import AgentSettings
from schemas.messages import TopProcesses

Collect = Callable[[float], Instances]
"""Reads one family at the given monotonic time."""


class Roots(NamedTuple):
    """Where the watched host's file systems are mounted; a container may see them elsewhere."""

    proc: str = "/proc"
    sys: str = "/sys"
    host: str = "/"

    @property
    def net(self) -> str:
        """Where the host's network counters are: below `proc`/net itself they are those of the reader's namespace."""
        return f"{self.proc}/net" if self.proc == "/proc" else f"{self.proc}/1/net"


def roots_of(settings: AgentSettings) -> Roots:
    return Roots(settings.proc_root, settings.sys_root, settings.host_root)


def new_choices() -> dict[str, Choice]:
    """Family -> which of its instances are sampled, for the families whose instances can be chosen."""
    return {
        "network": Choice(network.wanted if sys.platform == "linux" else _wanted_elsewhere),
        "disk": Choice(),
        "core": Choice(),
        "filesystem": Choice(),
        "gpu": Choice(),
    }


def _wanted_elsewhere(name: str) -> bool:
    return network.wanted(name) and not name.startswith(("lo0", "Loopback"))


def fast_collectors(roots: Roots, choices: dict[str, Choice]) -> dict[str, Collect]:
    """Family name -> collector, for the families read on the tick. None of them can hang."""
    proc, sys_root = roots.proc, roots.sys
    if sys.platform == "linux":
        return {
            "cpu": cpu.Cpu(cpu.linux_reader(proc), cpu.linux_load(proc), cpu.linux_frequency(proc, sys_root)).collect,
            "memory": memory.MemoryUse(memory.linux_reader(proc)).collect,
            "disk": disk.Disks(disk.linux_reader(proc, sys_root, choices["disk"])).collect,
            "network": network.Interfaces(
                network.linux_reader(roots.net, choices["network"]), network.linux_link(sys_root)
            ).collect,
            "core": cpu.Cores(cpu.linux_core_reader(proc), choices["core"]).collect,
            "pressure": pressure.Pressure(pressure.linux_readers(proc)).collect,
            "sockets": sockets.Sockets(roots.net, proc).collect,
        }
    from agent.collectors import portable

    return {
        "cpu": cpu.Cpu(portable.cpu_times, psutil.getloadavg, portable.cpu_frequency).collect,
        "memory": memory.MemoryUse(portable.memory_now).collect,
        "disk": disk.Disks(portable.disks(choices["disk"])).collect,
        "network": network.Interfaces(portable.interfaces(choices["network"]), portable.link).collect,
        "core": cpu.Cores(portable.core_times, choices["core"]).collect,
    }


def slow_sources(roots: Roots, choices: dict[str, Choice], status: Status) -> dict[str, Callable[[], Source]]:
    """Family name -> what makes its source, for the families read off the tick."""

    def processes() -> Source:
        from agent.collectors import process

        def note_top(top: TopProcesses) -> None:
            status.top = top

        return process.Processes(process.linux_reader(roots.proc), note_top)

    sources: dict[str, Callable[[], Source]] = {"filesystem": lambda: filesystems(roots)}
    if sys.platform == "linux":
        sources["process"] = processes
    return sources


def filesystems(roots: Roots) -> filesystem.Filesystems:
    if sys.platform == "linux":
        return filesystem.Filesystems(filesystem.linux_reader(roots.proc))
    from agent.collectors import portable

    return filesystem.Filesystems(portable.mounts)


def gpus(roots: Roots, choices: dict[str, Choice], deadline_s: float = 1.0) -> Gpus:
    """The GPUs, read beside the tick within `deadline_s`."""
    return Gpus(deadline_s, present=functools.partial(has_driver, roots.proc), choice=choices["gpu"])


def own_collector(status: Status, backlog: Callable[[], Backlog]) -> Collect:
    """The collector of the agent's own cost. Its process is not in the host's /proc when that is mounted elsewhere."""
    if sys.platform == "linux":
        return own.Own(status, backlog, own.linux_resident("/proc")).collect
    process = psutil.Process(os.getpid())
    return own.Own(status, backlog, lambda: int(process.memory_info().rss)).collect
