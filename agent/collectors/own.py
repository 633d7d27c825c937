"""The agent's own cost and backlog."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from agent.collectors.rates import share_percent
from agent.collectors.readings import Instances
from agent.spool.backlog import Backlog
from agent.system.procfs import ProcFile
from agent.system.state import AgentState


def linux_resident(proc: str) -> Callable[[], int]:
    """Reads the resident memory of this process, in bytes."""
    statm = ProcFile(f"{proc}/self/statm")
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    return lambda: int(statm.read().split(None, 2)[1]) * page_bytes


class Own:
    """Holds the processor time at the previous reading."""

    def __init__(self, status: AgentState, backlog: Callable[[], Backlog], resident: Callable[[], int]) -> None:
        self._status = status
        self._backlog = backlog
        self._resident = resident
        self._before: tuple[float, float] | None = None

    def collect(self, now_s: float) -> Instances:
        spent_s = time.process_time()
        before, self._before = self._before, (now_s, spent_s)
        status, backlog = self._status, self._backlog()
        oldest_age_s = max(0.0, time.time() - backlog.oldest_ms / 1000) if backlog.batches else 0
        return {
            "": {
                "cpu": share_percent(spent_s - before[1], now_s - before[0]) if before else None,
                "rss": self._resident(),
                "collect": status.take_collect_ms(),
                "buffered_batches": backlog.batches,
                "buffered_bytes": backlog.bytes,
                "oldest_age": oldest_age_s,
                "dropped_total": backlog.dropped + status.lost_batches,
                "publish": status.publish_ms,
                "reconnects": status.reconnects,
                "late_ticks": status.late_ticks,
                "config_revision": status.config_revision,
                "clock_offset": status.clock_offset_ms,
            }
        }
