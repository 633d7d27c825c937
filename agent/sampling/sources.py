"""Which collectors this system gets: the kernel's own files on Linux, psutil elsewhere."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import NamedTuple

import psutil

from agent.collectors import own
from agent.collectors.choice import Choice
from agent.collectors.gpu.gpu import Gpus, has_driver
from agent.collectors.linux import cpu, disk, filesystem, memory, network, pressure, sockets
from agent.collectors.readings import Instances
from agent.collectors.source import InThread, Source
from agent.spool.backlog import Backlog
from agent.system.procfs import SharedFile
from agent.system.state import AgentState
from infra.settings import AgentSettings
from schemas.messages import TopProcesses

Collect = Callable[[float], Instances]
"""Reads one family at the given monotonic time."""


PROCESSES_WITHIN_S = 30.0
"""Where there is no /proc, each process is asked for by itself."""


class Roots(NamedTuple):
    """Where the watched host's file systems are mounted; a container may see them elsewhere. And what else is read."""

    proc: str = "/proc"
    sys: str = "/sys"
    host: str = "/"
    docker_socket: str = "/var/run/docker.sock"
    custom: str = "/var/lib/sonde/custom"
    """Directory of `*.prom` files."""

    @property
    def net(self) -> str:
        """Where the host's network counters are: below `proc`/net itself they are those of the reader's namespace."""
        return f"{self.proc}/net" if self.proc == "/proc" else f"{self.proc}/1/net"


def roots_of(settings: AgentSettings) -> Roots:
    return Roots(
        settings.proc_root, settings.sys_root, settings.host_root, settings.docker_socket, settings.custom_directory
    )


def new_choices(sys_root: str = "/sys") -> dict[str, Choice]:
    """Family -> which of its instances are sampled, for the families whose instances can be chosen."""
    on_linux = sys.platform == "linux"
    return {
        "network": Choice(network.wanted),
        "disk": Choice(functools.partial(disk.is_whole_disk, sys=sys_root)) if on_linux else Choice(),
        "core": Choice(),
        **{family: Choice() for family in ("filesystem", "gpu", "sensors", "container", "custom")},
    }


def fast_collectors(roots: Roots, choices: dict[str, Choice]) -> dict[str, Collect]:
    """Family name -> collector, for the families read on the tick. None of them can hang."""
    proc, sys_root = roots.proc, roots.sys
    if sys.platform == "linux":
        stat = SharedFile(f"{proc}/stat")
        return {
            "cpu": cpu.Cpu(cpu.linux_reader(stat), cpu.linux_load(proc), cpu.linux_frequency(proc, sys_root)).collect,
            "core": cpu.Cores(cpu.linux_core_reader(stat), choices["core"]).collect,
            "memory": memory.MemoryUse(memory.linux_reader(proc), memory.linux_paging(proc)).collect,
            "disk": disk.Disks(disk.linux_reader(proc, sys_root, choices["disk"])).collect,
            "network": network.Interfaces(
                network.linux_reader(roots.net, choices["network"]), network.linux_link(sys_root)
            ).collect,
            "pressure": pressure.Pressure(pressure.linux_readers(proc)).collect,
            "sockets": sockets.Sockets(roots.net, proc).collect,
        }
    from agent.collectors import portable

    return {
        "cpu": cpu.Cpu(portable.cpu_times, portable.load, portable.cpu_frequency).collect,
        "memory": memory.MemoryUse(portable.memory_now, portable.paging).collect,
        "disk": disk.Disks(portable.disks(choices["disk"])).collect,
        "network": network.Interfaces(portable.interfaces(choices["network"]), portable.link).collect,
        "core": cpu.Cores(portable.core_times, choices["core"]).collect,
    }


def slow_sources(roots: Roots, choices: dict[str, Choice], status: AgentState) -> dict[str, Callable[[], Source]]:
    """Family name -> what makes its source, for the families read off the tick.

    Modules are imported when a source is made: a machine that has no use for one does not pay for it.
    """

    def processes() -> Source:
        if sys.platform != "linux":
            from agent.collectors import portable

            return InThread("process", portable.Processes().read, PROCESSES_WITHIN_S)
        from agent.collectors.linux import process

        def note_top(top: TopProcesses) -> None:
            status.top = top

        return process.Processes(process.linux_reader(roots.proc), note_top)

    def containers() -> Source:
        from agent.collectors.container import container

        return container.Containers(roots.docker_socket, choices["container"], roots.proc, roots.sys)

    def units() -> Source:
        from agent.collectors.linux import unit

        def note(clock_offset_ms: float | None, failed: list[str]) -> None:
            status.clock_offset_ms, status.failed_units = clock_offset_ms, failed

        return InThread("unit", unit.Units(roots.host, note).read, unit.WITHIN_S)

    def custom() -> Source:
        from agent.collectors import custom

        return InThread("custom", custom.Custom(roots.custom, choices["custom"]).read)

    sources: dict[str, Callable[[], Source]] = {
        "filesystem": lambda: filesystems(roots, choices["filesystem"]),
        "sensors": lambda: _sensors(roots, choices["sensors"]),
        "custom": custom,
        "process": processes,
    }
    if sys.platform == "linux":
        sources |= {"container": containers, "unit": units}
    return sources


def _sensors(roots: Roots, choice: Choice) -> Source:
    if sys.platform != "linux":
        from agent.collectors import portable

        return InThread("sensors", portable.sensors)
    from agent.collectors.linux.sensors import Sensors

    return InThread("sensors", Sensors(roots.sys, choice).read)


def filesystems(roots: Roots, choice: Choice) -> filesystem.Filesystems:
    if sys.platform == "linux":
        # Below other roots the mounts of the host's first process count, not those of this one.
        elsewhere = (roots.proc, roots.host) != ("/proc", "/")
        mountinfo = f"{roots.proc}/{1 if elsewhere else 'self'}/mountinfo"
        read = filesystem.linux_reader(mountinfo, choice, choice.included)
        return filesystem.Filesystems(read, functools.partial(filesystem.measure, root=roots.host))
    from agent.collectors import portable

    return filesystem.Filesystems(portable.mounts(choice), portable.measure)


def gpus(roots: Roots, choices: dict[str, Choice], deadline_s: float = 1.0) -> Gpus:
    """The GPUs, read beside the tick within `deadline_s`."""
    return Gpus(deadline_s, present=functools.partial(has_driver, roots.proc), choice=choices["gpu"])


def own_collector(status: AgentState, backlog: Callable[[], Backlog]) -> Collect:
    """The collector of the agent's own cost. Its process is not in the host's /proc when that is mounted elsewhere."""
    if sys.platform == "linux":
        return own.Own(status, backlog, own.linux_resident("/proc")).collect
    process = psutil.Process(os.getpid())
    return own.Own(status, backlog, lambda: int(process.memory_info().rss)).collect
