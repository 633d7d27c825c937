"""Statistics of one metric of one instance, gathered from raw rows and from hour rows with their sketches. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infra.storage.packed import NO_VALUE, Floats, Ints
from infra.storage.sketch import merge, percentile, sketch
from schemas.api import Resolution

SHARES = (0.5, 0.95, 0.99)


class At(NamedTuple):
    """A count and the begin of the row that it is from; within `source` it may be any time of that row's."""

    value: int
    time_ms: int
    source: Resolution


class Tally:
    """Everything seen so far, in any order. With `exact` every count is kept, otherwise sketches of them."""

    __slots__ = ("_counts", "_sketches", "exact", "greatest", "known", "last", "least", "total")

    def __init__(self, exact: bool) -> None:
        self.exact = exact
        self.known = 0
        self.total = 0.0
        self.least: int | None = None
        self.greatest: At | None = None
        """Where the greatest count first occurred."""
        self.last: At | None = None
        """The newest row with a count; of one that is not raw, its greatest."""
        self._counts: list[Ints] = []
        self._sketches: list[bytes] = []

    def add_rows(self, times_ms: Ints, counts: Ints) -> None:
        """Take in raw rows in order of time, NO_VALUE where a count is unknown."""
        there = counts != NO_VALUE
        if not there.all():
            times_ms, counts = times_ms[there], counts[there]
        if not len(counts):
            return
        newest = int(counts[times_ms == times_ms[-1]].max())
        self._note(times_ms, counts, "raw", len(counts), float(counts.sum(dtype=np.float64)), int(counts.min()))
        self._note_last(At(newest, int(times_ms[-1]), "raw"))
        if self.exact:
            self._counts.append(counts)
        else:
            self._sketches.append(sketch(counts))

    def add_buckets(
        self, times_ms: Ints, known: Ints, total: Floats, least: Ints, greatest: Ints, sketches: Sequence[bytes | None]
    ) -> None:
        """Take in hour rows in order of time; a tally of such is not exact."""
        there = known > 0
        if not there.any():
            return
        self._note(
            times_ms[there],
            greatest[there],
            "hour",
            int(known.sum()),
            float(total[there].sum()),
            int(least[there].min()),
        )
        self._note_last(At(int(greatest[there][-1]), int(times_ms[there][-1]), "hour"))
        self._sketches += [part for part in sketches if part is not None]

    def _note(self, times_ms: Ints, counts: Ints, source: Resolution, known: int, total: float, least: int) -> None:
        self.known += known
        self.total += total
        self.least = least if self.least is None else min(self.least, least)
        k = int(counts.argmax())
        found = At(int(counts[k]), int(times_ms[k]), source)
        if self.greatest is None or (-found.value, found.time_ms) < (-self.greatest.value, self.greatest.time_ms):
            self.greatest = found

    def _note_last(self, at: At) -> None:
        if self.last is None or at.time_ms > self.last.time_ms:
            self.last = at

    def mean(self) -> float | None:
        return self.total / self.known if self.known else None

    def percentiles(self) -> tuple[int | None, ...]:
        """Nearest-rank percentiles of SHARES: the least count that at least that share of all do not exceed.

        A sketch's bucket may reach past the counts that are in it, so what it says is kept within the least and the
        greatest of all, which are exact.
        """
        if self.least is None or self.greatest is None:
            return (None,) * len(SHARES)
        if self.exact:
            counts = np.sort(np.concatenate(self._counts))
            return tuple(int(counts[math.ceil(share * len(counts)) - 1]) for share in SHARES)
        merged = merge(self._sketches)
        least, greatest = self.least, self.greatest.value
        return tuple(min(max(percentile(merged, share), least), greatest) for share in SHARES)
