"""How long something will last."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from schemas.messages import Batch
from schemas.rules import Threshold, Window
from services.alerts.judge.trend import NEVER_S, Trend
from tests.alerts.builders import NOON_MS, rule
from tests.alerts.judge.judged import judge, timeline
from tests.batches import batch, instances

SPAN_MS = 3_600_000
GAP_MS = 120_000
HOUR_S = 3600


def left_s(value: Callable[[int], float], until_s: int = HOUR_S, goal: float = 100, every_s: int = 60) -> float | None:
    """What is said last of values sampled from noon on."""
    trend = Trend(SPAN_MS, GAP_MS, goal)
    said: float | None = None
    for second in range(0, until_s + 1, every_s):
        ((_, said),) = trend.add([NOON_MS + 1000 * second], [value(second)])
    return said


def test_a_steady_rise_says_when_the_limit_is_reached() -> None:
    said = left_s(lambda second: 50 + 25 * second / HOUR_S)
    assert said is not None
    assert math.isclose(said, HOUR_S, rel_tol=0.01)


def test_a_steady_fall_does_too() -> None:
    said = left_s(lambda second: 50 - 25 * second / HOUR_S, goal=0)
    assert said is not None
    assert math.isclose(said, HOUR_S, rel_tol=0.01)


def test_nothing_is_said_of_the_first_half_window() -> None:
    assert left_s(lambda second: second / 60, until_s=HOUR_S // 2 - 120) is None


def test_what_stands_still_lasts_for_ever() -> None:
    assert left_s(lambda _: 50) == NEVER_S


def test_what_moves_away_lasts_for_ever() -> None:
    assert left_s(lambda second: 50 - second / 100) == NEVER_S


def test_what_has_reached_its_limit_has_no_time_left() -> None:
    assert left_s(lambda second: min(100, second / 30)) == 0


def test_what_has_passed_its_limit_has_no_time_left() -> None:
    assert left_s(lambda second: second / 30, goal=90) == 0


def test_a_single_jump_is_no_trend_of_minutes() -> None:
    said = left_s(lambda second: 50 if second != 1800 else 60)
    assert said is not None
    assert said > 24 * HOUR_S


def test_a_silence_begins_anew() -> None:
    trend = Trend(SPAN_MS, GAP_MS, 100)
    for second in range(0, HOUR_S, 60):
        trend.add([NOON_MS + 1000 * second], [50 + second / 200])
    later_ms = NOON_MS + 1000 * 3 * HOUR_S
    assert trend.add([later_ms], [70]) == [(later_ms, None)]


def test_nulls_say_nothing_and_disturb_nothing() -> None:
    trend = Trend(SPAN_MS, GAP_MS, 100)
    for second in range(0, HOUR_S + 1, 60):
        trend.add([NOON_MS + 1000 * second], [50 + 25 * second / HOUR_S])
    at_ms = NOON_MS + 1000 * HOUR_S + 1000
    (null, known) = trend.add([at_ms, at_ms + 1000], [None, 75])
    assert null == (at_ms, None)
    assert known[1] is not None


@pytest.mark.parametrize("every_s", [1, 10, 60])
def test_what_is_remembered_from_the_table_is_as_good_as_seen(every_s: int) -> None:
    def value(second: int) -> float:
        return 50 + 25 * second / HOUR_S + (second // 60) % 3

    start_ms = NOON_MS - NOON_MS % 60_000  # as minutes are in the table
    seen, given = Trend(SPAN_MS, GAP_MS, 100), Trend(SPAN_MS, GAP_MS, 100)
    for second in range(0, HOUR_S, every_s):
        seen.add([start_ms + 1000 * second], [value(second)])
    for minute in range(60):
        values = [value(second) for second in range(60 * minute, 60 * minute + 60, every_s)]
        given.remember(start_ms + 60_000 * minute, len(values), sum(values))
    at_ms = start_ms + 1000 * HOUR_S
    ((_, of_seen),) = seen.add([at_ms], [value(HOUR_S)])
    ((_, of_given),) = given.add([at_ms], [value(HOUR_S)])
    assert of_seen is not None
    assert of_given is not None
    assert math.isclose(of_seen, of_given, rel_tol=1e-6)


FULL_SOON = rule(
    id="full",
    metric="filesystem.used_percent",
    comparison="below",
    warning=Threshold(4 * HOUR_S, 8 * HOUR_S),
    critical=None,
    for_s=120,
    recover_for_s=120,
    window=Window("time_left", HOUR_S),
)


def filling(minutes: range, start: float, per_hour: float) -> list[Batch]:
    """A file system's use, once a minute."""
    return [
        batch(
            instances(
                NOON_MS + 60_000 * minute,
                "filesystem",
                {"/": {"used_percent": round(100 * (start + per_hour * (minute - minutes.start) / 60))}},
            )
        )
        for minute in minutes
    ]


def test_a_file_system_that_fills_up_fires_hours_before() -> None:
    assert [kind for _, kind in timeline(judge([FULL_SOON], *filling(range(120), 50, 15))[1])] == ["fire"]


def test_it_resolves_once_it_fills_no_more() -> None:
    batches = filling(range(120), 50, 15) + filling(range(120, 400), 80, 0)
    assert [kind for _, kind in timeline(judge([FULL_SOON], *batches)[1])] == ["fire", "resolve"]


def test_one_that_fills_slowly_does_not_fire() -> None:
    assert judge([FULL_SOON], *filling(range(600), 50, 1))[1] == []
