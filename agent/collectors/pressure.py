"""Pressure stall information: the share of time that tasks lost waiting for a resource."""

from __future__ import annotations

from collections.abc import Callable

from agent.procfs import ProcFile, number_after
from agent.rates import per_second
from agent.readings import Instances

_FILES = (("cpu", ("some",)), ("memory", ("some", "full")), ("io", ("some", "full")))
"""Of the whole host, the kernel always tells 0 for `full` of cpu."""


def parse(data: bytes, kind: str) -> int | None:
    """Microseconds since boot in which `kind` (some, full) tasks were stalled."""
    at = (b"\n" + data).find(f"\n{kind} ".encode())
    return None if at < 0 else number_after(data[at:], b"total=")


def linux_readers(proc: str) -> dict[str, Callable[[], bytes]]:
    """Resource -> what reads its file, for the files that can be read; none before Linux 4.20, or when turned off."""
    readers = {}
    for resource, _ in _FILES:
        file = ProcFile(f"{proc}/pressure/{resource}")
        try:
            file.read()  # where the kernel was started with psi=0, opening works and reading does not
        except OSError:
            continue
        readers[resource] = file.read
    return readers


class Pressure:
    """Holds the previous totals."""

    def __init__(self, readers: dict[str, Callable[[], bytes]]) -> None:
        self._readers = readers
        self._before_s = 0.0
        self._before: dict[str, int | None] = {}

    def collect(self, now_s: float) -> Instances:
        """Shares of the time since the last reading; nothing the first time, or where the kernel does not tell."""
        now = {
            f"{resource}_{kind}": parse(data, kind)
            for resource, kinds in _FILES
            if resource in self._readers
            for data in (self._readers[resource](),)
            for kind in kinds
        }
        before, self._before = self._before, now
        elapsed_s, self._before_s = now_s - self._before_s, now_s
        if not before:
            return {}
        return {"": {name: _share(before.get(name), total, elapsed_s) for name, total in now.items()}}


def _share(before: int | None, now: int | None, elapsed_s: float) -> float | None:
    lost = None if before is None or now is None else per_second(before, now, elapsed_s)
    # The kernel's clock and ours are read a moment apart.
    return None if lost is None else min(100.0, lost / 10_000)
