"""Working and quiet hours: whether people are told now, since when, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from schemas.routes import DAYS, Hours, Span, minutes_of

_WEEK_D = 7


class Telling(Struct, frozen=True):
    """What the hours say of one moment. All in Unix seconds."""

    open: bool
    """Whether people are told."""
    since_s: float
    """When that began; long ago where it has always been so."""
    until_s: float
    """When it ends; far away where it never does."""


def telling(hours: Hours, now_s: float) -> Telling:
    """Whether people are told at `now_s`. A time that a change of clocks skips or repeats counts as the zone has it."""
    inside, since_s, until_s = _within(_spans(hours, now_s), now_s)
    return Telling(inside == (hours.kind == "working"), since_s, until_s)


def _within(spans: list[tuple[float, float]], now_s: float) -> tuple[bool, float, float]:
    """Whether `now_s` is within one of `spans`, which are apart and in order, and the ends of where it is."""
    before_s = -float("inf")
    for start_s, end_s in spans:
        if now_s < start_s:
            return False, before_s, start_s
        if now_s < end_s:
            return True, start_s, end_s
        before_s = end_s
    return False, before_s, float("inf")


def _spans(hours: Hours, now_s: float) -> list[tuple[float, float]]:
    """The spans of two weeks around `now_s`, in order, those that touch made one."""
    zone = ZoneInfo(hours.zone)
    today = datetime.fromtimestamp(now_s, zone).date()
    days = [today + timedelta(days=shift) for shift in range(-_WEEK_D - 1, _WEEK_D + 2)]
    joined: list[tuple[float, float]] = []
    for start_s, end_s in sorted(pair for day in days for span in hours.spans for pair in _on(span, day, zone)):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        elif end_s > start_s:
            joined.append((start_s, end_s))
    return joined


def _on(span: Span, day: date, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
    if DAYS[day.weekday()] in span.days:
        start, end = minutes_of(span.start), minutes_of(span.until)
        yield _moment(day, start, zone), _moment(day, end if end > start else end + 24 * 60, zone)


def _moment(day: date, minutes: int, zone: ZoneInfo) -> float:
    """Unix seconds of so many minutes on the clock after the beginning of `day`."""
    days, rest = divmod(minutes, 24 * 60)
    at = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
    return at.astimezone(UTC).timestamp()
