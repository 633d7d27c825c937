"""What a running agent tells about itself, to `sonde agent status` and to the command `status`."""

from __future__ import annotations

import os
import time
from typing import Any

from agent.sampling.plan import FamilyPlan, Plan
from agent.sampling.sampler import Sampler
from agent.sending.lanes import Lanes
from agent.system.state import AgentState, WalkProgress
from schemas.version import VERSION


def agent_status(lanes: Lanes, plan: Plan, sampler: Sampler, gpus: list[str], started_s: float) -> dict[str, Any]:
    """Everything there is to tell, as plain JSON data; `started_s` on the monotonic clock."""
    status: AgentState = lanes.status
    backlog = lanes.spool.backlog
    return {
        "host": lanes.host,
        "version": VERSION,
        "pid": os.getpid(),
        "uptime_s": round(time.monotonic() - started_s),
        "config_revision": plan.revision,
        "sample_interval_s": plan.sample_interval_s,
        "batch_interval_s": plan.batch_interval_s,
        "bus": {
            "connected": lanes.online,
            "reconnects": status.reconnects,
            "stored_at": round(status.stored_at) or None,
            "publish_ms": None if status.publish_ms is None else round(status.publish_ms, 2),
        },
        "spool": {
            "batches": backlog.batches,
            "bytes": backlog.bytes,
            "oldest_age_s": round(time.time() - backlog.oldest_ms / 1000) if backlog.batches else 0,
            "dropped": backlog.dropped + status.lost_batches,
        },
        "late_ticks": status.late_ticks,
        "watches": len(plan.watches),
        "early_batches": status.early_batches,
        "gpus": gpus,
        "failed_units": status.failed_units,
        "directories": {path: _walk(walk) for path, walk in status.walks.items()},
        "families": {name: _family(of_family, sampler.failing.get(name)) for name, of_family in plan.families.items()},
    }


def _walk(walk: WalkProgress) -> dict[str, Any]:
    told: dict[str, Any] = {
        "state": walk.state,
        "bytes": walk.usage.bytes,
        "files": walk.usage.files,
        "unreadable": walk.usage.unreadable,
        "began_at": round(walk.began_at),
        "took_s": None if walk.took_s is None else round(walk.took_s, 2),
        "next_at": round(walk.next_at),
    }
    return told | ({"error": walk.error} if walk.error else {})


def _family(plan: FamilyPlan, error: str | None) -> dict[str, Any]:
    if not plan.enabled:
        return {"state": "off"}
    told: dict[str, Any] = {"state": "watched" if plan.watched else "on", "period_s": plan.period_s}
    if error is not None:
        told |= {"state": "failing", "error": error}
    if plan.include:
        told["include"] = list(plan.include)
    if plan.exclude:
        told["exclude"] = list(plan.exclude)
    return told
