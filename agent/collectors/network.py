"""Traffic and link of each network interface."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from agent.procfs import ProcFile
from agent.rates import per_second
from agent.readings import Instances, Values

LINKS_EVERY_S = 10.0
"""Links change seldom, and some drivers are slow to tell."""
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


def linux_reader(net: str, wanted: Callable[[str], bool] = wanted) -> Callable[[], dict[str, Traffic]]:
    net_dev = ProcFile(f"{net}/dev")
    return lambda: parse_net_dev(net_dev.read_records(), wanted)


def linux_link(sys: str) -> Callable[[str], Values]:
    """Reads speed and state of an interface's link. A link that is down, or virtual, has no speed."""

    def read(name: str) -> Values:
        directory = f"{sys}/class/net/{name}"
        carrier, speed = _number(f"{directory}/carrier"), _number(f"{directory}/speed")
        # The kernel refuses to tell the carrier of an interface that is administratively down.
        up = 1 if carrier == 1 else 0 if os.path.isdir(directory) else None  # noqa: PTH112  # once per interface
        return {"speed": speed if speed is not None and speed > 0 else None, "up": up}

    return read


def _number(path: str) -> int | None:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return int(file.read(32))
    except (OSError, ValueError):
        return None


class Interfaces:
    """Holds the previous counters of every interface, and what was last known of its link."""

    def __init__(
        self, read: Callable[[], dict[str, Traffic]], read_link: Callable[[str], Values] = lambda name: {}
    ) -> None:
        self._read = read
        self._read_link = read_link
        self._before_s = 0.0
        self._before: dict[str, Traffic] = {}
        self._links: dict[str, Values] = {}
        self._links_due_s = float("-inf")

    def collect(self, now_s: float) -> Instances:
        """Interfaces seen for the first time have no rates yet and are left out."""
        interfaces = self._read()
        before, self._before = self._before, interfaces
        elapsed_s, self._before_s = now_s - self._before_s, now_s
        return {
            name: values(before[name], now, elapsed_s) | self._link(name, now_s)
            for name, now in interfaces.items()
            if name in before
        }

    def _link(self, name: str, now_s: float) -> Values:
        if now_s >= self._links_due_s:
            self._links_due_s = now_s + LINKS_EVERY_S
            self._links.clear()
        link = self._links.get(name)
        if link is None:
            link = self._links[name] = self._read_link(name)
        return link
