"""Traffic and link of each network interface."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from typing import NamedTuple

from agent.collectors.rates import per_second
from agent.collectors.readings import Instances, Values
from agent.system.procfs import ProcFile

logger = logging.getLogger(__name__)

LINKS_EVERY_S = 10.0
"""Links change seldom."""
_NO_LINK: Values = {"speed": None, "up": None}
_LOOPBACK = frozenset({"lo", "lo0"})
_SKIPPED = ("veth", "br-", "docker", "Loopback")
"""Prefixes of the inner side of containers, whose traffic a real interface shows too; the last is Windows' own."""


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
    """Whether an interface leads to other machines, by its name."""
    return name not in _LOOPBACK and not name.startswith(_SKIPPED)


def values(before: Traffic, now: Traffic, elapsed_s: float) -> Values:
    """Rates between two readings; a counter that was reset or wrapped gives null."""
    return {name: per_second(a, b, elapsed_s) for name, a, b in zip(_METRICS, before, now, strict=True)}


def parse_net_dev(data: bytes, wanted: Callable[[str], bool]) -> dict[str, Traffic]:
    """Counters of /proc/net/dev for the interfaces that are `wanted`; a line that is not as documented is left out."""
    interfaces = {}
    for line in data.split(b"\n")[2:]:
        name_bytes, colon, rest = line.partition(b":")
        name = name_bytes.strip().decode("utf-8", "replace")
        if colon and wanted(name):
            try:
                counts = [int(count) for count in rest.split(None, 12)[:12]]
                received, packets_received, errors, drops, *_, sent, packets_sent, more_errors, more_drops = counts
            except ValueError:
                continue
            interfaces[name] = Traffic(
                received, packets_received, sent, packets_sent, errors + more_errors, drops + more_drops
            )
    return interfaces


def linux_reader(net: str, wanted: Callable[[str], bool] = wanted) -> Callable[[], dict[str, Traffic]]:
    net_dev = ProcFile(f"{net}/dev")
    return lambda: parse_net_dev(net_dev.read_records(), wanted)


def linux_link(sys: str) -> Callable[[str], Values]:
    """Reads speed and state of an interface's link. A link that is down, or virtual, has no speed."""

    def read(name: str) -> Values:
        directory = f"{sys}/class/net/{name}"
        state, speed = _text(f"{directory}/operstate"), _text(f"{directory}/speed")
        # `unknown`: the driver never tells of changes (tunnels and the like); the kernel says `down` when it is.
        return {
            "speed": int(speed) if speed is not None and speed.isdigit() and int(speed) else None,
            "up": None if state is None else 1 if state in {b"up", b"unknown"} else 0,
        }

    return read


def _text(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read(32).strip()
    except OSError:
        return None


class Links:
    """What was last known of each interface's link.

    Read in a thread that lives no longer than that: the kernel asks the driver, and waits for a lock that it may hold
    for seconds while it takes down interfaces.
    """

    def __init__(self, read: Callable[[str], Values]) -> None:
        self._read = read
        self._known: dict[str, Values] = {}
        self._thread: threading.Thread | None = None
        self._due_s = float("-inf")

    def known(self, names: Collection[str], now_s: float) -> dict[str, Values]:
        """Name -> speed and state, as far as known; asks for those of `names` again when it is time."""
        if now_s >= self._due_s or not self._known.keys() >= set(names):
            if self._thread is None or not self._thread.is_alive():
                self._due_s = now_s + LINKS_EVERY_S
                self._thread = threading.Thread(target=self._look, args=(tuple(names),), name="links", daemon=True)
                self._thread.start()
            elif now_s >= self._due_s:
                self._known = {}  # no answer all this time
        return self._known

    def _look(self, names: tuple[str, ...]) -> None:
        known = {}
        for name in names:
            try:
                known[name] = self._read(name)
            except Exception as error:  # psutil's, elsewhere; unknown until it can be read again
                logger.debug("link not read", extra={"interface": name, "error": str(error)})
        self._known = known


class Interfaces:
    """Holds the previous counters of every interface."""

    def __init__(
        self, read: Callable[[], dict[str, Traffic]], read_link: Callable[[str], Values] = lambda name: {}
    ) -> None:
        self._read = read
        self._links = Links(read_link)
        self._before_s = 0.0
        self._before: dict[str, Traffic] = {}

    def collect(self, now_s: float) -> Instances:
        """Interfaces seen for the first time have no rates yet and are left out."""
        interfaces = self._read()
        before, self._before = self._before, interfaces
        elapsed_s, self._before_s = now_s - self._before_s, now_s
        links = self._links.known(interfaces.keys(), now_s)
        return {
            name: values(before[name], now, elapsed_s) | links.get(name, _NO_LINK)
            for name, now in interfaces.items()
            if name in before
        }
