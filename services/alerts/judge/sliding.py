"""A function of the values in a window that slides over them, at each of many times at once. Pure.

On counts, so that sums are exact and the same wherever a series is cut into batches. What is made of them is rounded as
single values are.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.rules import Function

Array = NDArray[Any]
"""Of integers; of Python's own where those of 64 bits may be too small."""
_SAFE = 2**62


def slide(
    function: Function, times: Array, counts: Array, span_ms: int, first: int, counter: bool, resolution: float
) -> list[float | None]:
    """`function` of those of `counts` within (t - span, t], for each time t from the one numbered `first` on.

    In the metric's unit, of a rate in units a second. A change is measured from the last value before the window; None
    where there is nothing to measure from. Of a `counter` that began anew it is what it has counted since.
    """
    if not len(counts):
        return []
    if max(abs(int(counts.min())), abs(int(counts.max()))) * len(counts) >= _SAFE:
        counts = counts.astype(object)
    last = np.arange(first, len(times))
    begin = np.searchsorted(times, times[first:] - span_ms, side="right")
    match function:
        case "avg":
            sums = _sums(counts)
            found = ((sums[last + 1] - sums[begin]) / (last + 1 - begin) * resolution).tolist()
        case "min" | "max":
            found = (_extremes(counts, begin, last, np.minimum if function == "min" else np.maximum)).tolist()
            return [round(count * resolution, 9) for count in found]
        case "p95":
            return [round(count * resolution, 9) for count in _percentiles(counts.tolist(), begin.tolist(), first)]
        case _:
            return _changes(function, times, counts, np.maximum(begin - 1, 0), last, counter, resolution)
    return [round(value, 9) for value in found]


def _sums(counts: Array) -> Array:
    """Of all before each, and of all."""
    return np.concatenate([np.zeros(1, counts.dtype), np.cumsum(counts)])


def _extremes(counts: Array, begin: Array, last: Array, extreme: Any) -> Array:
    """The extreme of counts[begin] to counts[last], of each pair of those."""
    found = counts[last]
    power = np.frexp((last - begin + 1).astype(np.float64))[1] - 1
    table = counts
    for exponent in range(int(power.max(initial=0)) + 1):
        if exponent:  # of as many in a row as that power of two
            table = extreme(table[: -(1 << (exponent - 1))], table[1 << (exponent - 1) :])
        mine = power == exponent
        found[mine] = extreme(table[begin[mine]], table[last[mine] - (1 << exponent) + 1])
    return found


def _percentiles(counts: list[int], begin: list[int], first: int) -> list[int]:
    """The nearest rank: the least value that 95 % of them do not exceed."""
    if not begin:
        return []
    left = begin[0]
    ordered = sorted(counts[left:first])
    found = []
    for at, start in enumerate(begin, first):
        insort(ordered, counts[at])
        while left < start:
            del ordered[bisect_left(ordered, counts[left])]
            left += 1
        found.append(ordered[math.ceil(0.95 * len(ordered)) - 1])
    return found


def _changes(
    function: Function, times: Array, counts: Array, since: Array, last: Array, counter: bool, resolution: float
) -> list[float | None]:
    """From the value numbered `since` to the one numbered `last`."""
    grown = counts
    if counter:
        steps = counts[1:] - counts[:-1]
        grown = _sums(np.where(steps >= 0, steps, counts[1:]))
    change = grown[last] - grown[since]
    seconds = ((times[last] - times[since]) / 1000).tolist() if function == "rate" else [1.0] * len(last)
    return [
        round(by * resolution / took_s, 9) if begun < end else None
        for by, took_s, begun, end in zip(change.tolist(), seconds, since.tolist(), last.tolist(), strict=True)
    ]
