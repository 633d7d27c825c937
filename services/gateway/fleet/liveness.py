"""Whether a host is up, late or offline, by the age of what it last sent. Pure."""

from __future__ import annotations

from schemas.api import HostState
from schemas.messages import HostFacts


def host_state(seen_ms: int | None, now_ms: int, live: bool, facts: HostFacts, down_s: float) -> HostState:
    """The state of a host last heard of at `seen_ms`.

    `live`: it is sending every sample because somebody watches. Otherwise it sends batches, and only after two and a
    half intervals without one is it late. Offline after `down_s`, the setting, but never before it would be late.
    """
    if seen_ms is None:
        return "offline"
    age_s = (now_ms - seen_ms) / 1000
    late_s = late_after_s(live, facts)
    if age_s > max(down_s, late_s):
        return "offline"
    return "late" if age_s > late_s else "up"


def late_after_s(live: bool, facts: HostFacts) -> float:
    """How long a host with those intervals may be silent before it is late."""
    return max(5.0, 3 * facts.sample_interval_s) if live else 2.5 * facts.batch_interval_s
