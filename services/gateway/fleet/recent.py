"""The last minute of one host, bounded: a ring of points for sparklines, and the messages as they came."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from schemas.api import LiveSample
from schemas.catalogue import Family
from schemas.codec import decode_batch, decoded_series
from schemas.overview import SUMMARY
from services.gateway.fleet.samples import Converters, unit_columns
from services.gateway.fleet.units import Value

WINDOW_MS = 60_000
POINTS = 60
HISTORY_POINTS = 600
"""Most points of one history: a minute at the shortest sampling interval."""
MESSAGE_BYTES = 1 << 20
"""Most bytes of messages kept for one host; past it the oldest are dropped."""

_SUMMARY = [(path, *path.split(".")) for path in SUMMARY]
"""Path, family and metric."""

History = dict[str, Any]
"""`times` (Unix milliseconds), and per metric path: instance -> one value per time."""


class SummaryRing:
    """The last 60 points of the summary metrics; every column is as long as `times_ms`, NaN where nothing is known."""

    def __init__(self) -> None:
        self.times_ms = array("q")
        self._columns: dict[tuple[str, str], array[float]] = {}
        self._known_ms: dict[tuple[str, str], int] = {}
        """Time of the newest value of each column."""

    def add(self, sample: LiveSample) -> None:
        """Put a sample at its place in time; one older than a full ring's first point is passed over."""
        at = bisect_left(self.times_ms, sample.time)
        if at == 0 and len(self.times_ms) == POINTS:
            return
        if at == len(self.times_ms) or self.times_ms[at] != sample.time:
            self.times_ms.insert(at, sample.time)
            for column in self._columns.values():
                column.insert(at, math.nan)
        for path, family, metric in _SUMMARY:
            for instance, row in sample.families.get(family, {}).items():
                value = row.get(metric)
                if value is not None:
                    key = (path, instance)
                    self._column(key)[at] = value
                    self._known_ms[key] = max(sample.time, self._known_ms.get(key, 0))
        if len(self.times_ms) > POINTS:
            self.times_ms.pop(0)
            for column in self._columns.values():
                column.pop(0)

    def _column(self, key: tuple[str, str]) -> array[float]:
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = array("d", [math.nan]) * len(self.times_ms)
        return column

    def history(self) -> History:
        """All points, NaN where a value is unknown; columns in which nothing is left are forgotten."""
        answer: History = {"times": self.times_ms.tolist()}
        for key, column in list(self._columns.items()):
            if self._known_ms[key] < self.times_ms[0]:
                del self._columns[key], self._known_ms[key]
                continue
            path, instance = key
            answer.setdefault(path, {})[instance] = column.tolist()
        return answer


class _Message(NamedTuple):
    times_ms: frozenset[int]
    newest_ms: int
    live: bool
    data: bytes


class MessageRing:
    """The messages of the last 60 s as they came: a tenth of the memory that their values would take."""

    def __init__(self) -> None:
        self._messages: deque[_Message] = deque()
        self._newest_ms = 0
        self._bytes = 0

    def add(self, times_ms: Sequence[int], live: bool, data: bytes) -> None:
        """Keep `data`, which has the samples of `times_ms`; a batch replaces the live messages of the same samples."""
        message = _Message(frozenset(times_ms), max(times_ms), live, data)
        if not live:
            kept = [m for m in self._messages if not (m.live and m.times_ms <= message.times_ms)]
            self._messages = deque(kept)
            self._bytes = sum(len(m.data) for m in kept)
        self._newest_ms = max(self._newest_ms, message.newest_ms)
        self._messages.append(message)
        self._bytes += len(data)
        oldest_ms = self._newest_ms - WINDOW_MS
        while len(self._messages) > 1 and (self._bytes > MESSAGE_BYTES or self._messages[0].newest_ms <= oldest_ms):
            self._bytes -= len(self._messages.popleft().data)

    def clear(self) -> None:
        self._messages.clear()
        self._newest_ms = self._bytes = 0

    def history(
        self, catalogue: tuple[Family, ...], convert: Converters, metrics: Mapping[str, frozenset[str]] | None
    ) -> History:
        """Every point of the wanted metrics in the last 60 s; a time that two messages have counts once."""
        found: dict[tuple[str, str], dict[int, Value]] = {}
        for message in self._messages:
            for reading in decoded_series(decode_batch(message.data, catalogue), catalogue):
                wanted = None if metrics is None else metrics.get(reading.family.name, frozenset())
                for metric, values in unit_columns(reading, convert).items():
                    if wanted is None or metric in wanted:
                        key = (f"{reading.family.name}.{metric}", reading.instance)
                        found.setdefault(key, {}).update(zip(reading.times, values, strict=True))
        every = sorted({time for column in found.values() for time in column})
        times = [time for time in every if time > every[-1] - WINDOW_MS][-HISTORY_POINTS:]
        answer: History = {"times": times}
        for (path, instance), column in found.items():
            answer.setdefault(path, {})[instance] = [column.get(time) for time in times]
        return answer
