"""Everything that a simulated host measures at given moments: the one source of its past and of its present. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from demo import devicelines, hostlines
from demo.lines import Line
from demo.machines import Machine
from demo.noise import Ints
from schemas.families import (
    AGENT,
    CONTAINER,
    CORE,
    CPU,
    CUSTOM,
    DIRECTORY,
    DISK,
    FILESYSTEM,
    GPU,
    MEMORY,
    NETWORK,
    PRESSURE,
    PROCESS,
    SENSORS,
    SOCKETS,
    UNIT,
)
from schemas.metric import Family

_OF_HOST: dict[str, Callable[[Machine, Ints], Line]] = {
    CPU.name: hostlines.cpu,
    MEMORY.name: hostlines.memory,
    AGENT.name: hostlines.agent,
    PRESSURE.name: hostlines.pressure,
    SOCKETS.name: hostlines.sockets,
    PROCESS.name: hostlines.process,
    UNIT.name: hostlines.unit,
}
_OF_DEVICES: dict[str, Callable[[Machine, Ints], Iterator[Line]]] = {
    FILESYSTEM.name: devicelines.filesystems,
    DISK.name: devicelines.disks,
    NETWORK.name: devicelines.networks,
    GPU.name: devicelines.gpus,
    DIRECTORY.name: devicelines.directories,
    CORE.name: devicelines.cores,
    SENSORS.name: devicelines.sensors,
    CONTAINER.name: devicelines.containers,
    CUSTOM.name: devicelines.customs,
}


def lines_of(machine: Machine, family: Family, times_s: Ints) -> list[Line]:
    """All instances of `family` that the host has, at `times_s` (Unix seconds); none where it has none.

    A value depends on host, seed and moment alone, never on the other moments asked for.
    """
    if family.name in _OF_HOST:
        return [_OF_HOST[family.name](machine, times_s)]
    return list(_OF_DEVICES[family.name](machine, times_s)) if family.name in _OF_DEVICES else []
