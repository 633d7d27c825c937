"""Differences of counters. Pure: no clock, no I/O."""

from __future__ import annotations


def per_second(before: float, now: float, elapsed_s: float) -> float | None:
    """Growth per second; None when the counter was reset or wrapped, or when no time has passed."""
    if now < before or elapsed_s <= 0:
        return None
    return (now - before) / elapsed_s


def share_percent(part: float, whole: float) -> float | None:
    """`part` of `whole` in percent; None when there is no whole or the part went backwards."""
    if whole <= 0 or part < 0:
        return None
    return 100 * part / whole


def mean(total_before: float, total_now: float, count_before: float, count_now: float) -> float | None:
    """Growth of a total per growth of its count, such as milliseconds per request; None without any, or on a reset."""
    if count_now <= count_before or total_now < total_before:
        return None
    return (total_now - total_before) / (count_now - count_before)
