"""What people say of a host, as the table has it: label, tags, note, and until when it is muted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from schemas.api import Muted, UpdateState
from schemas.version import VERSION

FOREVER_MS = -1


class Given(Struct, frozen=True):
    """What people said of a host, up to its version; 0: the host is not in the table yet."""

    label: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    muted_ms: int | None = None
    """Until when it is muted, perhaps long ago; FOREVER_MS: until somebody ends that."""
    version: int = 0

    def muted(self, now_ms: int) -> Muted:
        """Until when it is muted, as the API has it."""
        if self.muted_ms == FOREVER_MS:
            return "forever"
        return self.muted_ms if self.muted_ms is not None and self.muted_ms > now_ms else None


def given_of(row: Mapping[str, Any]) -> Given:
    """From a row of `hosts`."""
    return Given(row["label"], tuple(row["tags"]), row["note"], row["muted_ms"], row["version"])


def update_state(agent_version: str) -> UpdateState:
    """Whether an agent of that version, empty while unknown, is like the gateway."""
    if not agent_version:
        return "unknown"
    return "current" if agent_version == VERSION else "other"
