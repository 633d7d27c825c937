"""Traffic of each network interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from agent.procfs import ProcFile
from agent.rates import per_second
from agent.readings import Instances, Values

_SKIPPED = ("veth", "br-", "docker")
"""Name prefixes of the inner side of containers, whose traffic shows on a real interface too."""


class Traffic(NamedTuple):
    """Counters of one interface since it came up."""

    received: int
    packets_received: int
    sent: int
    packets_sent: int
    errors: int
    drops: int


_METRICS = ("received", "packets_received", "sent", "packets_sent", "errors", "drops")


def wanted(name: str) -> bool:
    return name != "lo" and not name.startswith(_SKIPPED)


def values(before: Traffic, now: Traffic, elapsed_s: float) -> Values:
    """Rates between two readings; a counter that was reset or wrapped gives null."""
    return {name: per_second(a, b, elapsed_s) for name, a, b in zip(_METRICS, before, now, strict=True)}


def parse_net_dev(data: bytes, wanted: Callable[[str], bool]) -> dict[str, Traffic]:
    """Counters of /proc/net/dev for the interfaces that are `wanted`."""
    interfaces = {}
    for line in data.split(b"\n")[2:]:
        name_bytes, colon, rest = line.partition(b":")
        name = name_bytes.strip().decode("utf-8", "replace")
        if colon and wanted(name):
            counts = rest.split()
            interfaces[name] = Traffic(
                received=int(counts[0]),
                packets_received=int(counts[1]),
                sent=int(counts[8]),
                packets_sent=int(counts[9]),
                errors=int(counts[2]) + int(counts[10]),
                drops=int(counts[3]) + int(counts[11]),
            )
    return interfaces


def linux_reader(proc: str, wanted: Callable[[str], bool] = wanted) -> Callable[[], dict[str, Traffic]]:
    net_dev = ProcFile(f"{proc}/net/dev")
    return lambda: parse_net_dev(net_dev.read_records(), wanted)


class Interfaces:
    """Holds the previous counters of every interface."""

    def __init__(self, read: Callable[[], dict[str, Traffic]]) -> None:
        self._read = read
        self._before_s = 0.0
        self._before: dict[str, Traffic] = {}

    def collect(self, now_s: float) -> Instances:
        """Interfaces seen for the first time have no rates yet and are left out."""
        interfaces = self._read()
        before, self._before = self._before, interfaces
        elapsed_s, self._before_s = now_s - self._before_s, now_s
        return {name: values(before[name], now, elapsed_s) for name, now in interfaces.items() if name in before}
