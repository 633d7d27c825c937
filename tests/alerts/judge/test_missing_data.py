"""What it means when values are missing while their host sends."""

from __future__ import annotations

import pytest

from schemas.messages import Batch
from schemas.rules import NoData, Threshold, Window
from services.alerts.judge.machine import GAP_MS
from tests.alerts.builders import NOON_MS, rule
from tests.alerts.judge.judged import Judge, cpu, gpus, judge_of, timeline
from tests.batches import batch, sample

GAP_S = GAP_MS // 1000


def hot(no_data: NoData, no_data_s: float = 300, **changes: object) -> Judge:
    return judge_of(
        rule(
            id="hot",
            metric="gpu.temperature",
            **{"warning": Threshold(83, 78), "critical": None, "for_s": 0, "recover_for_s": 0, **changes},
            no_data=no_data,
            no_data_s=no_data_s,
        )
    )


def without_gpus(at_s: float) -> Batch:
    return cpu([1000], NOON_MS + round(1000 * at_s))


def play(judging: Judge, *batches: Batch) -> list[tuple[float, str]]:
    for one in batches:
        judging.take(one)
    return timeline(judging.transitions)


def test_kept_as_it_is_without_values() -> None:
    values = [gpus(second, a=None) for second in range(10, 3600, 10)]
    assert play(hot("keep"), gpus(0, a=90), *values) == [(0, "fire")]


def test_missing_values_fire_once_they_have_been_missing_long_enough() -> None:
    nulls = [gpus(second, a=None) for second in range(10, 800, 10)]
    assert play(hot("alert"), gpus(0, a=50), *nulls) == [(310, "fire")]


def test_a_missing_instance_fires_too() -> None:
    others = [gpus(second, b=50) for second in range(10, 800, 10)]
    assert play(hot("alert"), gpus(0, a=50, b=50), *others) == [(310, "fire")]


def test_a_missing_family_fires_too() -> None:
    assert play(hot("alert"), gpus(0, a=50), *map(without_gpus, range(10, 800, 10))) == [(310, "fire")]


def test_it_has_no_value_and_is_so_since_the_first_was_missing() -> None:
    judging = hot("alert")
    play(judging, gpus(0, a=50), *map(without_gpus, range(10, 800, 10)))
    (fired,) = judging.transitions
    assert (fired.value, fired.severity, fired.since) == (None, "warning", NOON_MS / 1000 + 10)


def test_a_family_that_is_sampled_seldom_is_not_missing_in_between() -> None:
    judging = hot("alert", no_data_s=10)
    batches = [gpus(0, a=50)] + [without_gpus(second) for second in range(10, GAP_S, 10)]
    assert play(judging, *batches, gpus(GAP_S, a=50)) == []


def test_an_instance_that_was_never_there_is_not_missing() -> None:
    assert play(hot("alert"), *(gpus(second, a=None) for second in range(0, 800, 10))) == []


def test_values_that_come_back_end_it() -> None:
    nulls = [gpus(second, a=None) for second in range(10, 400, 10)]
    assert play(hot("alert"), gpus(0, a=50), *nulls, gpus(400, a=50)) == [(310, "fire"), (400, "resolve")]


def test_a_value_in_between_begins_the_wait_anew() -> None:
    batches = [gpus(second, a=50 if second == 200 else None) for second in range(10, 600, 10)]
    assert play(hot("alert"), gpus(0, a=50), *batches) == [(510, "fire")]


def test_what_fires_already_does_not_fire_again_for_lack_of_values() -> None:
    nulls = [gpus(second, a=None) for second in range(10, 800, 10)]
    assert play(hot("alert"), gpus(0, a=90), *nulls) == [(0, "fire")]


def test_missing_values_resolve_where_they_mean_that_all_is_well() -> None:
    nulls = [gpus(second, a=None) for second in range(10, 800, 10)]
    assert play(hot("ok"), gpus(0, a=90), *nulls) == [(0, "fire"), (310, "resolve")]


def test_they_never_fire_there() -> None:
    nulls = [gpus(second, a=None) for second in range(10, 800, 10)]
    assert play(hot("ok"), gpus(0, a=50), *nulls) == []


@pytest.mark.parametrize("restart_at_s", [0, 100, 300, 400])
def test_a_restart_forgets_nothing_that_is_missing(restart_at_s: int) -> None:
    judging, told = hot("alert"), []
    judging.take(gpus(0, a=50))
    for second in range(10, 800, 10):
        if second > restart_at_s >= second - 10:
            told += timeline(judging.transitions)
            judging = judging.restarted()
        judging.take(without_gpus(second))
    assert told + timeline(judging.transitions) == [(310, "fire")]


def test_cutting_a_column_of_nulls_into_batches_changes_nothing() -> None:
    values: list[int | None] = [1000] * 5 + [None] * 40 + [1000] * 5
    judged = rule(for_s=0, recover_for_s=0, no_data="alert", no_data_s=30)
    whole = judge_of(judged)
    whole.take(cpu(values))
    cut = judge_of(judged)
    for second, value in enumerate(values):
        cut.take(batch(sample(NOON_MS + 1000 * second, total=value)))
    assert timeline(whole.transitions) == timeline(cut.transitions) == [(35, "fire"), (45, "resolve")]
    assert whole.states == cut.states


def test_a_window_goes_on_with_missing_values() -> None:
    judging = hot("alert", window=Window("avg", 60), warning=Threshold(83, 78))
    full = [gpus(second, a=50) for second in range(0, 100, 10)]
    nulls = [gpus(second, a=None) for second in range(100, 500, 10)]
    assert play(judging, *full, *nulls) == [(400, "fire")]
