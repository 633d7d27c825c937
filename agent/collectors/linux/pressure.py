"""Pressure stall information: the share of time that tasks lost waiting for a resource."""

from __future__ import annotations

from collections.abc import Callable

from agent.collectors.rates import per_second
from agent.collectors.readings import Instances
from agent.system.procfs import ProcFile, number_after

_FILES = (("cpu", ("some",)), ("memory", ("some", "full")), ("io", ("some", "full")))
"""Of the whole host, the kernel always tells 0 for `full` of cpu."""


def parse(data: bytes, kind: str) -> int | None:
    """Microseconds since boot in which `kind` (some, full) tasks were stalled."""
    at = (b"\n" + data).find(f"\n{kind} ".encode())
    return None if at < 0 else number_after(data[at:], b"total=")


def linux_readers(proc: str) -> dict[str, Callable[[], bytes]]:
    """Resource -> what reads its file."""
    return {resource: ProcFile(f"{proc}/pressure/{resource}").read for resource, _ in _FILES}


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
            if (data := self._content(resource)) is not None
            for kind in kinds
        }
        before, self._before = self._before, now
        elapsed_s, self._before_s = now_s - self._before_s, now_s
        if not before or not now:
            return {}
        return {"": {name: _share(before.get(name), total, elapsed_s) for name, total in now.items()}}

    def _content(self, resource: str) -> bytes | None:
        try:
            return self._readers[resource]()
        except OSError:  # before Linux 4.20 there is no such file; with psi=0 it can be opened and not read
            return None


def _share(before: int | None, now: int | None, elapsed_s: float) -> float | None:
    lost = None if before is None or now is None else per_second(before, now, elapsed_s)
    # The kernel's clock and ours are read a moment apart.
    return None if lost is None else min(100.0, lost / 10_000)
