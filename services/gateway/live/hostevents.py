"""What happened to a host, found by comparing what its agent says with what it said before. Pure."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from schemas.codec import EARLIEST_MS
from schemas.marks import HostEventKind
from schemas.messages import HostFacts

AHEAD_S = 300.0
"""How far ahead of the bus's clock a host's may be, as for its samples."""
MOST_CHARACTERS = 100
"""Of a boot id, a version or the name of a kernel, which may be anything: what is indexed must be short."""
MOST_REVISION = 2**63 - 1
"""Of settings; agents may say anything, and a number of thousands of digits is too long for an index."""
WOBBLE_S = 60.0
"""Without boot ids: how far the time of one boot moves as a clock is corrected."""


class Happened(Struct, frozen=True):
    """One row of `host_events`."""

    time_s: float
    """Unix seconds."""
    kind: HostEventKind
    key: str | None = None
    """The same key: the same event, kept once."""
    body: dict[str, Any] = {}


def happened_at(said_s: float, stored_s: float) -> float:
    """When something happened that was `said_s` by the host's clock, and came at `stored_s` by that of the bus.

    Agents may say anything: a time that no sample could have counts as the moment at which it was stored.
    """
    return said_s if EARLIEST_MS / 1000 <= said_s <= stored_s + AHEAD_S else stored_s


def changes(before: HostFacts, after: HostFacts, at_s: float) -> list[Happened]:
    """What the facts `after`, said at `at_s`, tell beyond those `before`; nothing where there were none before."""
    if before == HostFacts():
        return []
    found = []
    if _rebooted(before, after):
        kernels = {"kernel": [_cut(before.kernel), _cut(after.kernel)]} if before.kernel != after.kernel else {}
        time_s = after.boot_time if 0 < after.boot_time <= at_s else at_s
        key = _cut(after.boot_id or f"{after.boot_time:.0f}")
        found.append(Happened(happened_at(time_s, at_s), "reboot", key, kernels))
    if before.agent_version and after.agent_version and before.agent_version != after.agent_version:
        found.append(
            Happened(at_s, "update", None, {"from": _cut(before.agent_version), "to": _cut(after.agent_version)})
        )
    if 0 < after.config_revision <= MOST_REVISION and after.config_revision != before.config_revision:
        body = {"revision": after.config_revision}
        found.append(Happened(at_s, "settings", str(after.config_revision), body))
    if after.config_error and after.config_error != before.config_error:
        found.append(Happened(at_s, "refused", None, {"error": after.config_error[:500]}))
    return found


def _cut(text: str) -> str:
    return text[:MOST_CHARACTERS]


def _rebooted(before: HostFacts, after: HostFacts) -> bool:
    if before.boot_id and after.boot_id:
        return before.boot_id != after.boot_id
    return before.boot_time > 0 and after.boot_time - before.boot_time > WOBBLE_S
