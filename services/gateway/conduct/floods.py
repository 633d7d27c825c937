"""Seeing that an agent sends far more than any agent has to. Pure.

The most that an honest one sends is a sample each 0.1 s while somebody looks, two batches a second, and what two
minutes without a bus held back: a few hundred messages, once.
"""

from __future__ import annotations

from msgspec import Struct

WINDOW_S = 10.0
MOST_MESSAGES = 600
MOST_BYTES = 32 * 2**20
SUSTAINED = 2
"""Windows in a row."""


class _Count(Struct):
    since_s: float
    messages: int = 0
    bytes: int = 0
    over: int = 0
    """Full windows in a row that were too much."""


class Floods:
    """What each sender sent in its present window."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}

    def heard(self, sender: str, size: int, now_s: float) -> bool:
        """Note a message of `size` bytes; True in the moment in which it has become a flood."""
        count = self._counts.get(sender)
        if count is None:
            count = self._counts[sender] = _Count(now_s)
        if now_s - count.since_s >= WINDOW_S:
            # A pause in between ends what was in a row.
            in_a_row = is_much(count.messages, count.bytes) and now_s - count.since_s < 2 * WINDOW_S
            count.over = count.over + 1 if in_a_row else 0
            count.since_s, count.messages, count.bytes = now_s, 0, 0
        count.messages += 1
        count.bytes += size
        if count.over < SUSTAINED - 1 or not is_much(count.messages, count.bytes):
            return False
        del self._counts[sender]
        return True

    def forget(self, now_s: float) -> None:
        """Drop senders that have been quiet."""
        self._counts = {name: count for name, count in self._counts.items() if now_s - count.since_s < 3 * WINDOW_S}


def is_much(messages: int, size: int) -> bool:
    """Whether so many messages, of `size` bytes together, are too much for one window."""
    return messages > MOST_MESSAGES or size > MOST_BYTES
