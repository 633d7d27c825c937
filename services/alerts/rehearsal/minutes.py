"""What roll-ups know of one instance: its minutes on a grid, and in which of them a rule cannot stay as it is. Pure.

For each minute there is a least and a greatest value, so for each function that is between the values it is made of
there are bounds: all of a window's minutes together. Where the bounds cannot reach a threshold, no raw sample can.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.alerts.judge.ruleset import CompiledRule

MINUTE_MS = 60_000
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Column(Struct):
    """One metric's minutes, a value for each of the grid's."""

    known: NDArray[np.int64]
    """How many of its values are not null."""
    least: Floats
    """Counts; of no meaning where nothing is known."""
    greatest: Floats
    mean: Floats
    """Only for rules about it, and where raw samples are gone."""


class Minutes(Struct):
    """An instance's minutes over a range, which begins and ends with one."""

    from_ms: int
    present: Bools
    """In which there are samples, be they null."""
    metric: Column
    other: Column | None = None
    """Of the rule's second condition."""
    exact_from_ms: int = 0
    """From where on there are raw samples."""

    @property
    def count(self) -> int:
        return len(self.present)

    @property
    def to_ms(self) -> int:
        return self.from_ms + self.count * MINUTE_MS


class Bounds(Struct):
    """Between what is held against the thresholds in each minute, in counts and so that worse is higher."""

    low: Floats
    high: Floats
    """Minus infinity where there is nothing."""
    whole: Bools
    """Whether low and high mean anything: the function is between them."""


def bounds_of(check: CompiledRule, minutes: Minutes) -> Bounds:
    """The bounds of the rule's function."""
    function = check.rule.window.function
    known = minutes.metric.known > 0
    sign = check.limits.sign
    worst = minutes.metric.greatest if sign > 0 else -minutes.metric.least
    best = minutes.metric.least if sign > 0 else -minutes.metric.greatest
    high = np.where(known, worst, -np.inf)
    low = np.where(known, best, np.inf)
    everything = np.ones(minutes.count, np.bool_)
    if function == "last":
        return Bounds(low, high, everything)
    width = math.ceil(check.rule.window.seconds * 1000 / MINUTE_MS) + 1
    if function in ("rate", "increase"):
        width += math.ceil(check.limits.gap_ms / MINUTE_MS) + 1
        level = _over(high, width, np.maximum, -np.inf) <= _over(low, width, np.minimum, np.inf)
        return Bounds(np.zeros(minutes.count), np.zeros(minutes.count), level)
    if function == "time_left":
        return Bounds(low, high, ~everything)
    if function == "avg":
        return _mean_bounds(check, minutes, low, high, width)
    return Bounds(_over(low, width, np.minimum, np.inf), _over(high, width, np.maximum, -np.inf), everything)


def _mean_bounds(check: CompiledRule, minutes: Minutes, low: Floats, high: Floats, width: int) -> Bounds:
    """Of a mean: minutes that are in the window as a whole count with their sum, the first and the last as they may."""
    known = minutes.metric.known.astype(np.float64)
    total = np.where(known > 0, check.limits.sign * minutes.metric.mean * known, 0.0)
    # Whatever moment of a minute it is, so many minutes before are in the window as a whole; up to two more in part.
    inner = max(0, int(check.rule.window.seconds * 1000) // MINUTE_MS - 1)
    count, whole = _sum_before(known, inner), _sum_before(total, inner)
    edges, highest, lowest = known.copy(), high, low
    for back in range(inner + 1, width):
        edges += _back(known, back, 0.0)
        highest = np.maximum(highest, _back(high, back, -np.inf))
        lowest = np.minimum(lowest, _back(low, back, np.inf))
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = whole / count
        most = (whole + np.where(edges > 0, edges * highest, 0.0)) / (count + edges)
        least = (whole + np.where(edges > 0, edges * lowest, 0.0)) / (count + edges)
    nothing = count + edges == 0
    # Any part of the edges may be in the window; the mean lies between having none of them and having all at their
    # worst. A count more is far more than any rounding.
    high = np.where(count > 0, np.fmax(inside, most), highest) + 1
    low = np.where(count > 0, np.fmin(inside, least), lowest) - 1
    return Bounds(np.where(nothing, np.inf, low), np.where(nothing, -np.inf, high), np.ones(minutes.count, np.bool_))


def _back(values: Floats, minutes: int, nothing: float) -> Floats:
    """What each minute's predecessor by so many has."""
    if not minutes:
        return np.full(len(values), nothing)
    before: Floats = np.concatenate([np.full(min(minutes, len(values)), nothing), values[:-minutes]])
    return before


def _sum_before(values: Floats, minutes: int) -> Floats:
    """The sum of the `minutes` before each."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    found: Floats = sums[at] - sums[np.maximum(0, at - minutes)]
    return found


def _over(values: Floats, width: int, extreme: np.ufunc, nothing: float) -> Floats:
    """The extreme of each value and those before it, `width` in all."""
    padded = np.concatenate([np.full(width - 1, nothing), values])
    # By doubling: of the last 1, 2, 4 ... values, then of two such that overlap.
    reach = 1
    while reach * 2 <= width:
        padded[reach:] = extreme(padded[reach:], padded[:-reach])
        reach *= 2
    if reach < width:
        padded[width - reach :] = extreme(padded[width - reach :], padded[: -(width - reach)])
    result: Floats = padded[width - 1 :]
    return result


def mattering(check: CompiledRule, minutes: Minutes, bounds: Bounds) -> Bools:
    """In which minutes something may happen to an alert that is quiet: one that does not begin there may be left out.

    What must hold for a time must hold in all the minutes between the first and the last of it.
    """
    at = check.trip * check.limits.sign if check.rule.window.function not in ("rate", "increase") else _zero(check)
    last = check.rule.window.function == "last"
    reaches = (bounds.high >= at) | ~bounds.whole
    whole = check.limits.for_ms // MINUTE_MS - 1
    if whole > 0 and check.also is None:
        # The least value of a minute was sampled, the least of a window's bounds need not have been its function.
        holds = ((bounds.low if last else bounds.high) >= at) | ~bounds.whole
        reaches &= _following(holds | (minutes.metric.known == 0), whole)
    if (never := never_holding(check, minutes)) is not None:
        reaches &= ~never
    reaches &= minutes.present
    if check.rule.no_data == "alert":
        reaches |= ~surrounded(minutes.metric.known > 0) if check.no_data_ms >= 2 * MINUTE_MS else True
    return reaches


def _zero(check: CompiledRule) -> float:
    """A function that is 0 trips, or never does."""
    return 0.0 if check.limits.sign * check.limits.lowest() <= 0 else math.inf


def _following(holds: Bools, whole: int) -> Bools:
    """Of which minutes the next `whole` ones hold."""
    broken = np.concatenate([[0], np.cumsum(~holds)])
    after = np.zeros(len(holds), np.bool_)
    if whole < len(holds):
        after[: len(holds) - whole] = broken[whole + 1 :] == broken[1 : len(broken) - whole]
    return after


def surrounded(known: Bools) -> Bools:
    """Which minutes have values, and so have those before and after."""
    around = np.zeros(len(known), np.bool_)
    around[1:-1] = known[:-2] & known[1:-1] & known[2:]
    return around


def never_holding(check: CompiledRule, minutes: Minutes) -> Bools | None:
    """In which minutes the second condition holds at no moment; None without one."""
    also, other = check.also, minutes.other
    if also is None or other is None:
        return None
    out = other.greatest < also.least if also.above else other.least > also.least
    never: Bools = out | (other.known == 0)
    return never
