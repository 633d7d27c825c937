"""What of a spool waits for an acknowledgement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from agent.spool.cursor import Cursor
from agent.spool.frames import HEADER_BYTES, Frame
from agent.spool.segment import Segment


class Backlog(NamedTuple):
    """What waits for an acknowledgement."""

    batches: int = 0
    bytes: int = 0
    oldest_ms: int = 0
    dropped: int = 0
    """Batches lost since the spool was made."""


def count_backlog(cursor: Cursor, segments: Iterable[Segment], memory: Iterable[Frame]) -> Backlog:
    """The batches that a lane still needs, in files and in memory."""
    batches = size = oldest_ms = 0
    for segment in segments:
        for first, last in (*cursor.ranges, (cursor.acked + 1, cursor.newest)):
            low, high = max(first, segment.first), min(last, segment.last)
            if len(segment) and low <= high:
                batches += high - low + 1
                size += segment.batch_bytes(low, high)
                oldest_ms = oldest_ms or segment.time_ms(low)
    for frame in memory:
        batches += 1
        size += HEADER_BYTES + len(frame.payload)
        oldest_ms = oldest_ms or frame.time_ms
    return Backlog(batches, size, oldest_ms, cursor.dropped)
