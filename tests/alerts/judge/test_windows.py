"""Functions of the last values, held against a plain computation of the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import times_ms
from schemas.columns import pack_column
from schemas.messages import Batch
from schemas.rules import Function, Rule, Threshold, Window
from services.alerts.judge.evaluate import feed
from services.alerts.judge.windows import SlidingWindow, runs
from tests.alerts.builders import NOON_MS, rule
from tests.alerts.judge.judged import cpu, judge, judge_of, timeline
from tests.batches import batch, instances, sample

GAP_MS = 120_000
FUNCTIONS: tuple[Function, ...] = ("avg", "min", "max", "p95", "rate", "increase")

Rows = list[tuple[int, int | None]]
"""Time in milliseconds and count."""


def plain(function: Function, rows: Rows, span_ms: int, counter: bool) -> dict[int, float]:
    """The function at each time, from its definition."""
    found = {}
    for number, (time_ms, count) in enumerate(rows):
        if count is None:
            continue
        begun_ms = time_ms
        for (before_ms, _), (after_ms, _) in reversed(list(pairwise(rows[: number + 1]))):
            if after_ms - before_ms > GAP_MS:
                break
            begun_ms = before_ms
        if time_ms - begun_ms < span_ms:
            continue
        known = [
            (at_ms, float(value)) for at_ms, value in rows[: number + 1] if value is not None and at_ms >= begun_ms
        ]
        within = sorted(value for at_ms, value in known if at_ms > time_ms - span_ms)
        value = of_window(function, known[-len(within) - 1 :], within, counter)
        if value is not None:
            found[time_ms] = value
    return found


def of_window(function: Function, points: list[tuple[int, float]], within: list[float], counter: bool) -> float | None:
    """Of the sorted values `within`; of changes, of all `points`, which begin one earlier."""
    match function:
        case "avg":
            return math.fsum(within) / len(within)
        case "min":
            return within[0]
        case "max":
            return within[-1]
        case "p95":
            return within[math.ceil(0.95 * len(within)) - 1]
    if len(points) < 2:
        return None
    change = points[-1][1] - points[0][1]
    if counter:
        change = sum(now - was if now >= was else now for (_, was), (_, now) in pairwise(points))
    return change / ((points[-1][0] - points[0][0]) / 1000) if function == "rate" else change


def slid(function: Function, rows: Rows, span_ms: int, counter: bool, cuts: Sequence[int]) -> dict[int, float]:
    """The same by `SlidingWindow`, from batches cut at `cuts`."""
    window = SlidingWindow(function, span_ms, GAP_MS, counter)
    found = {}
    for first, last in pairwise(sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})):
        part = rows[first:last]
        times, column = [time_ms for time_ms, _ in part], pack_column([count for _, count in part])
        for some_times, some in runs(times, column, GAP_MS):
            window.add(some_times, some)
            values = window.values(-(2**62), 2**62, 1)
            found.update({time_ms: value for time_ms, value in values if value is not None})
    return found


@st.composite
def series(draw: st.DrawFn) -> Rows:
    """Counts at ascending times, now and then with a silence."""
    waits = draw(st.lists(st.sampled_from((1000, 1000, 1000, 2000, 10_000, 60_000, 130_000)), min_size=1, max_size=60))
    at_ms, rows = NOON_MS, []
    for wait_ms in waits:
        at_ms += wait_ms
        rows.append((at_ms, draw(st.none() | st.integers(0, 20))))
    return rows


@given(
    st.sampled_from(FUNCTIONS),
    series(),
    st.sampled_from((2000, 5000, 30_000, 120_000)),
    st.booleans(),
    st.lists(st.integers(1, 60), max_size=8),
)
def test_windows_are_what_their_definition_says_however_the_samples_are_cut(
    function: Function, rows: Rows, span_ms: int, counter: bool, cuts: list[int]
) -> None:
    found, expected = slid(function, rows, span_ms, counter, cuts), plain(function, rows, span_ms, counter)
    # Before a window of changes there is one value more, which a silence or the beginning may have taken.
    assert found.keys() == expected.keys()
    assert all(math.isclose(found[time_ms], expected[time_ms], abs_tol=1e-9) for time_ms in found)


@given(
    st.sampled_from(FUNCTIONS),
    st.lists(st.tuples(st.sampled_from((None, 3, 5)), st.integers(1, 12)), min_size=1, max_size=8),
    st.sampled_from((2000, 5000, 30_000)),
    st.booleans(),
    st.integers(1, 4),
)
def test_windows_over_counts_that_rest_are_what_their_definition_says(
    function: Function, rests: list[tuple[int | None, int]], span_ms: int, counter: bool, rows_each: int
) -> None:
    counts = [count for count, times in rests for _ in range(times)]
    rows: Rows = [(NOON_MS + 1000 * second, count) for second, count in enumerate(counts)]
    found = slid(function, rows, span_ms, counter, list(range(0, len(rows), rows_each)))
    expected = plain(function, rows, span_ms, counter)
    assert found.keys() == expected.keys()
    assert all(math.isclose(found[time_ms], expected[time_ms], abs_tol=1e-9) for time_ms in found)


def test_a_counter_that_rests_is_kept_in_a_few_segments() -> None:
    rests, grows = (SlidingWindow("increase", 600_000, GAP_MS, True) for _ in range(2))
    for number in range(60):
        rests.add([NOON_MS + 10_000 * number], 7)
        grows.add([NOON_MS + 10_000 * number], 7 + number)
    assert (rests.segments, grows.segments) == (2, 60)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_counts_that_add_up_to_more_than_64_bits_do_no_harm(function: Function) -> None:
    rows: Rows = [(NOON_MS + 1000 * second, (2**61 + second) * (-1) ** second) for second in range(20)]
    found, expected = slid(function, rows, 5000, False, [7]), plain(function, rows, 5000, False)
    assert found.keys() == expected.keys()
    assert all(math.isclose(found[time_ms], expected[time_ms], rel_tol=1e-9, abs_tol=1) for time_ms in found)


def windowed(function: Function, seconds: float, at: float, **changes: object) -> Rule:
    return rule(
        **{"for_s": 0, "recover_for_s": 0, "critical": None, "warning": Threshold(at, at - 1), **changes},
        window=Window(function, seconds),
    )


def told(judged: Rule, values: Sequence[int | None]) -> list[tuple[float, str]]:
    return timeline(judge([judged], cpu(values))[1])


def test_a_mean_fires_when_the_mean_reaches_the_threshold() -> None:
    assert told(windowed("avg", 10, 75), [1000] * 11 + [10_000] * 10) == [(18, "fire")]


def test_a_single_peak_does_not_fire_a_mean() -> None:
    assert told(windowed("avg", 10, 75), [1000] * 15 + [10_000] + [1000] * 15) == []


def test_nothing_is_said_before_a_window_is_full() -> None:
    assert told(windowed("avg", 10, 75), [9000] * 10) == []
    assert told(windowed("avg", 10, 75), [9000] * 11) == [(10, "fire")]


def test_a_least_value_fires_when_all_of_the_window_reach_the_threshold() -> None:
    assert told(windowed("min", 10, 75), [8000] * 5 + [1000] + [8000] * 20) == [(15, "fire")]


def test_a_greatest_value_resolves_when_none_of_the_window_is_above() -> None:
    assert told(windowed("max", 10, 75), [1000] * 15 + [9000] + [1000] * 20) == [(15, "fire"), (25, "resolve")]


def test_a_percentile_passes_over_one_value_in_twenty() -> None:
    assert told(windowed("p95", 20, 75), [1000] * 25 + [9000] + [1000] * 25) == []
    assert told(windowed("p95", 20, 75), [1000] * 25 + [9000] * 2 + [1000] * 25)[0] == (26, "fire")


def kills(at_s: int, count: int | None) -> Batch:
    sampled = sample(NOON_MS + 1000 * at_s)
    sampled.families = {"memory": {"": {"oom_kills": count}}}
    return batch(sampled)


KILLED = rule(
    id="oom",
    metric="memory.oom_kills",
    warning=Threshold(1, 0),
    critical=None,
    for_s=0,
    recover_for_s=0,
    window=Window("increase", 60),
)


def test_a_counter_that_grew_within_the_window_fires_and_resolves_after_it() -> None:
    counts = [7] * 13 + [8] * 13
    batches = [kills(10 * number, count) for number, count in enumerate(counts)]
    assert timeline(judge([KILLED], *batches)[1]) == [(130, "fire"), (190, "resolve")]


def test_a_counter_that_began_anew_counts_from_there() -> None:
    counts = [7] * 13 + [0] * 3 + [2] * 3
    batches = [kills(10 * number, count) for number, count in enumerate(counts)]
    (fired,) = judge([KILLED], *batches)[1]
    assert (fired.time, fired.value) == (NOON_MS / 1000 + 160, 2)


def test_a_counter_that_was_reset_by_a_boot_alone_does_not_fire() -> None:
    counts = [7] * 13 + [0] * 20
    batches = [kills(10 * number, count) for number, count in enumerate(counts)]
    assert judge([KILLED], *batches)[1] == []


def test_a_rate_is_per_second() -> None:
    growing = rule(for_s=0, recover_for_s=0, critical=None, warning=Threshold(2, 1), window=Window("rate", 10))
    assert told(growing, [1000] * 15 + [1000 + 300 * second for second in range(15)])[0][1] == "fire"
    assert told(growing, [1000] * 15 + [1000 + 100 * second for second in range(15)]) == []


def test_a_silence_begins_a_window_anew() -> None:
    judged = windowed("avg", 10, 75)
    first, second = cpu([9000] * 8), cpu([9000] * 8, NOON_MS + 300_000)
    assert judge([judged], first, second)[1] == []
    in_one = batch(*(sample(NOON_MS + 1000 * at, total=9000) for at in (*range(8), *range(300, 308))))
    assert judge([judged], in_one)[1] == []


@given(
    st.sampled_from(FUNCTIONS),
    st.lists(st.none() | st.integers(0, 10_000), min_size=1, max_size=40),
    st.lists(st.integers(1, 40), max_size=6),
    st.integers(-50, 100),
    st.sampled_from(("above", "below")),
)
def test_judging_by_windows_does_not_depend_on_batches(
    function: Function, values: list[int | None], cuts: list[int], at: int, comparison: str
) -> None:
    sign = 1 if comparison == "above" else -1
    least = -100 if function in ("rate", "increase") else 0
    judged = rule(
        comparison=comparison,
        warning=Threshold(max(least, at), max(least, min(100, max(least, at) - sign * 5))),
        critical=None,
        for_s=2,
        recover_for_s=1,
        window=Window(function, 5),
    )
    whole = judge([judged], cpu(values))
    edges = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    parts = [cpu(values[first:last], NOON_MS + 1000 * first) for first, last in pairwise(edges)]
    assert judge([judged], *parts)[1] == whole[1]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_window_that_was_filled_again_after_a_restart_says_the_same(function: Function) -> None:
    values = [1000 + 137 * (second * second % 50) for second in range(60)]
    judged = rule(warning=Threshold(40, 35), critical=None, for_s=0, recover_for_s=0, window=Window(function, 10))
    batches = [cpu(values[first : first + 5], NOON_MS + 1000 * first) for first in range(0, 60, 5)]
    whole = judge([judged], *batches)[1]
    judging = judge_of(judged)
    for one in batches[:6]:
        judging.take(one)
    again = judging.restarted()
    for one in batches[3:6]:
        feed(again.rules.of("web-1"), one, times_ms(one.times), again.looking)
    for one in batches[6:]:
        again.take(one)
    assert judging.transitions + again.transitions == whole


@pytest.mark.parametrize("function", ["avg", "max", "increase"])
def test_a_window_of_what_a_host_samples_seldom_is_full_in_the_end(function: Function) -> None:
    every_s = 600
    filling = rule(
        metric="filesystem.used_percent",
        warning=Threshold(20, 10),
        critical=None,
        for_s=0,
        recover_for_s=0,
        window=Window(function, 1800),
    )
    batches = [
        batch(
            instances(NOON_MS + 1000 * every_s * at, "filesystem", {"/": {"used_percent": 1000 * at}}, 1000 * every_s)
        )
        for at in range(10)
    ]
    assert [kind for _, kind in timeline(judge([filling], *batches)[1])] == ["fire"]


def test_a_trend_of_what_a_host_samples_seldom_is_told() -> None:
    every_s = 600
    full_soon = rule(
        metric="filesystem.used_percent",
        comparison="below",
        warning=Threshold(4 * 3600, 8 * 3600),
        critical=None,
        for_s=0,
        recover_for_s=0,
        window=Window("time_left", 3600),
    )
    batches = [
        batch(instances(NOON_MS + 1000 * every_s * at, "filesystem", {"/": {"used_percent": 500 * at}}, 1000 * every_s))
        for at in range(10)
    ]
    assert [kind for _, kind in timeline(judge([full_soon], *batches)[1])] == ["fire"]
