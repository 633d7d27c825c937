"""Seeing that two agents use one identity, as after a machine was cloned with its state directory. Pure.

Each agent numbers its batches under an epoch of its own, which a restart keeps and a new spool replaces. So an epoch
that comes back after another one was heard means that both are at work.
"""

from __future__ import annotations

from msgspec import Struct

WITHIN_S = 600.0
"""Both epochs heard within so long: what is older was an agent that ended since."""
TELL_EVERY_S = 600.0
MOST_EPOCHS = 8
"""Remembered of a host: whoever makes one per batch is no clone."""


class _Host(Struct):
    epoch: str = ""
    """The last one heard."""
    heard_s: dict[str, float] = {}
    told_s: float | None = None


class Clones:
    """The epochs of every host that was heard of late."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    def heard(self, host: str, epoch: str, now_s: float) -> list[str]:
        """Note a batch of `host`; both epochs when they alternate and it is time to tell, else nothing."""
        known = self._hosts.setdefault(host, _Host())
        before, known.epoch = known.epoch, epoch
        came_back = bool(before) and epoch != before and now_s - known.heard_s.get(epoch, -WITHIN_S) < WITHIN_S
        known.heard_s[epoch] = now_s
        if len(known.heard_s) > MOST_EPOCHS:
            del known.heard_s[min(known.heard_s, key=known.heard_s.__getitem__)]
        if not came_back or (known.told_s is not None and now_s - known.told_s < TELL_EVERY_S):
            return []
        known.told_s = now_s
        return sorted((before, epoch))

    def forget(self, now_s: float) -> None:
        """Drop hosts that were not heard of late."""
        self._hosts = {
            host: known
            for host, known in self._hosts.items()
            if max(known.heard_s.values(), default=now_s) > now_s - WITHIN_S
        }
