"""What roll-ups know of one instance: its minutes on a grid, and in which of them a rule cannot stay as it is. Pure.

For each minute there is a least, a greatest and a mean value, so there are bounds of each function of a window's
minutes. Where the bounds cannot reach a threshold, no raw sample can.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from schemas.rules import COUNTERS
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
    """Only for rules about means and percentiles, and where raw samples are gone."""


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


def bounds_of(check: CompiledRule, minutes: Minutes, gap_ms: int) -> Bounds:
    """The bounds of the rule's function; a window reaches over what is missing for less than `gap_ms`."""
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
    match function:
        case "rate" | "increase":
            return _change_bounds(check, minutes, low, high, width, gap_ms)
        case "time_left":
            return Bounds(low, high, ~everything)
        case "avg":
            return _mean_bounds(check, minutes, low, high, width)
        case "p95":
            return _percentile_bounds(check, minutes, low, high, width)
    inner = whole_minutes(check)
    least, greatest = _over(low, width, np.minimum, np.inf), _over(high, width, np.maximum, -np.inf)
    # Values of minutes that are in the window as a whole, and the newest one, are among those it is the extreme of.
    if (function == "min") == (sign > 0):
        return Bounds(least, np.minimum(high, _before(low, inner, np.minimum, np.inf)), everything)
    return Bounds(np.maximum(low, _before(high, inner, np.maximum, -np.inf)), greatest, everything)


def whole_minutes(check: CompiledRule) -> int:
    """How many minutes before a moment's own are in its window as a whole, whatever moment of the minute it is."""
    return max(0, int(check.rule.window.seconds * 1000) // MINUTE_MS - 1)


def _change_bounds(check: CompiledRule, minutes: Minutes, low: Floats, high: Floats, width: int, gap_ms: int) -> Bounds:
    """Of a change: from the last value before the window, which is in a few certain minutes where none is empty."""
    reach = width + math.ceil(gap_ms / MINUTE_MS) + 1
    level = _over(high, reach, np.maximum, -np.inf) <= _over(low, reach, np.minimum, np.inf)
    if check.rule.metric in COUNTERS:  # a minute does not say whether it began anew within it
        return Bounds(np.zeros(minutes.count), np.zeros(minutes.count), level)
    seconds = check.rule.window.seconds
    near, far = int(seconds // 60), width
    then_low, then_high = (
        _back(_over(values, far - near + 1, extreme, nothing), near, nothing)
        for values, extreme, nothing in ((low, np.minimum, np.inf), (high, np.maximum, -np.inf))
    )
    solid = _over((minutes.metric.known > 0).astype(np.float64), far + 1, np.minimum, 0.0) > 0
    most, least = np.where(solid, high - then_low, 0.0), np.where(solid, low - then_high, 0.0)
    if check.rule.window.function == "rate":
        longest_s = 60.0 * (far + 1)
        most = np.where(most > 0, most / seconds, most / longest_s) + 1e-6
        least = np.where(least > 0, least / longest_s, least / seconds) - 1e-6
    return Bounds(least, most, solid | level)


def _percentile_bounds(check: CompiledRule, minutes: Minutes, low: Floats, high: Floats, width: int) -> Bounds:
    """Of a percentile: where a minute's mean says that too few of its values can be at the threshold.

    Of values from `low` on with a given mean, so many at most reach `at`: their part of what they are above `low`.
    """
    at = threshold_of(check)
    known = minutes.metric.known.astype(np.float64)
    mean = check.limits.sign * minutes.metric.mean
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(low >= at, known, np.minimum(known, known * (mean - low) / (at - low) + 1e-3))
    there = np.where((known > 0) & (high >= at), np.floor(np.where(known > 0, share, 0.0)), 0.0)
    inside = _sum_before(known, whole_minutes(check)) + 1
    ranks = np.ceil(0.95 * inside)
    needed = inside - ranks + 1 if check.limits.sign > 0 else ranks
    reached = there + _sum_before(there, width - 1)
    greatest = _over(high, width, np.maximum, -np.inf)
    most = np.where(reached < needed, np.minimum(greatest, at - 1), greatest)
    return Bounds(_over(low, width, np.minimum, np.inf), most, np.ones(minutes.count, np.bool_))


def _mean_bounds(check: CompiledRule, minutes: Minutes, low: Floats, high: Floats, width: int) -> Bounds:
    """Of a mean: minutes that are in the window as a whole count with their sum, the first and the last as they may."""
    known = minutes.metric.known.astype(np.float64)
    total = np.where(known > 0, check.limits.sign * minutes.metric.mean * known, 0.0)
    inner = whole_minutes(check)  # up to two more are in the window in part
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
        return values
    before: Floats = np.concatenate([np.full(min(minutes, len(values)), nothing), values[:-minutes]])
    return before


def _sum_before(values: Floats, minutes: int) -> Floats:
    """The sum of the `minutes` before each."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    found: Floats = sums[at] - sums[np.maximum(0, at - minutes)]
    return found


def _before(values: Floats, minutes: int, extreme: np.ufunc, nothing: float) -> Floats:
    """The extreme of the `minutes` before each."""
    return _back(_over(values, minutes, extreme, nothing), 1, nothing) if minutes else np.full(len(values), nothing)


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


def threshold_of(check: CompiledRule) -> float:
    """The lowest threshold as bounds have it: what is below it does not reach it, whatever is rounded."""
    if check.rule.window.function not in ("rate", "increase"):
        return check.trip * check.limits.sign
    return check.limits.sign * check.limits.lowest() / check.resolution - 1e-5


def reaching(check: CompiledRule, bounds: Bounds) -> Bools:
    """In which minutes the rule's function may reach the lowest threshold."""
    found: Bools = (bounds.high >= threshold_of(check)) | ~bounds.whole
    return found


def mattering(check: CompiledRule, minutes: Minutes, bounds: Bounds) -> Bools:
    """In which minutes something may happen to an alert that is quiet: one that does not begin there may be left out.

    What must hold for a time must hold in all the minutes between the first and the last of it.
    """
    at = threshold_of(check)
    last = check.rule.window.function == "last"
    reaches = reaching(check, bounds)
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
