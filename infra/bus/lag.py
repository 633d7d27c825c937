"""How far a consumer is in a stream."""

from __future__ import annotations

import time
from collections.abc import Sequence

from infra.bus.ordered import Position, StoredMessage


class StreamLag:
    """What was received of a stream, and what of that is processed. Begins at a position, with the stream's end."""

    def __init__(self, position: Position, last_seq: int) -> None:
        self._last_seq = max(last_seq, position.seq)
        self._received_seq = self._processed_seq = position.seq
        self._waiting_since_ns: int | None = None

    def received(self, messages: Sequence[StoredMessage], last_seq: int) -> None:
        """`messages` are at hand, the oldest first; the stream ends at `last_seq` as far as is known."""
        self._last_seq = max(self._last_seq, last_seq)
        if messages:
            self._received_seq = messages[-1].seq
            if self._waiting_since_ns is None:
                self._waiting_since_ns = messages[0].time_ns

    def processed(self, position: Position) -> None:
        """Everything up to `position` is committed."""
        self._processed_seq = position.seq
        self._waiting_since_ns = None if position.seq >= self._received_seq else position.time_ns

    @property
    def messages(self) -> int:
        """In the stream and not processed."""
        return max(0, self._last_seq - self._processed_seq)

    @property
    def seconds(self) -> float:
        """Age of the oldest message that was received and is not processed; 0 when there is none."""
        return 0.0 if self._waiting_since_ns is None else max(0.0, (time.time_ns() - self._waiting_since_ns) / 1e9)
