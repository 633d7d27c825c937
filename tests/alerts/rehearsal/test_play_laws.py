"""A rehearsal that leaves out what cannot matter finds what the judge finds who sees every sample."""

from __future__ import annotations

import random
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rulechecks import check_rule
from schemas.rules import Also, Rule, Threshold, Window
from services.alerts.rehearsal.ahead import Samples
from tests.alerts.rehearsal.stored import START_MS, judged, line_of, rehearsed

MINUTES = 45
STEPS = (0, 40, 60, 61, 62, 75, 76, 80, 90, 91, 100)


def _history(seed: int, every_s: int, calm: float, second: bool, hold_s: float) -> tuple[Samples, list[int]]:
    """Values that stay for a while, with spikes, nulls, absences of the instance, and of the host.

    Often a value stays for about `hold_s`, which is what the rule asks for: there is where it is easy to be wrong.
    """
    dice = random.Random(seed)
    samples, pulses = Samples([], [], []), []
    level, other, silent_s, absent_s, null_s, left_s = 40, 50, 0, 0, 0, 0.0
    lengths = [hold_s + more for more in (-every_s, 0, every_s, 7, 59, 60)] + [20, 90, 400]
    for second_at in range(dice.randrange(every_s), MINUTES * 60, every_s):
        silent_s, absent_s, null_s = silent_s - every_s, absent_s - every_s, null_s - every_s
        if dice.random() < (1 - calm) / 10:
            silent_s = dice.choice([30, 130, 400])
        if dice.random() < (1 - calm) / 10:
            absent_s = dice.choice([30, 90, 130, 200, 500])
        if dice.random() < (1 - calm) / 10:
            null_s = dice.choice([70, 130, 200])
        if silent_s > 0:
            continue
        left_s -= every_s
        if left_s <= 0:
            level, left_s = dice.choice(STEPS), dice.choice(lengths) / (1 if dice.random() < calm else 4)
        if dice.random() > calm:
            other = dice.choice((0, 49, 50, 51, 100))
        time_ms = START_MS + second_at * 1000
        pulses.append(time_ms)
        if absent_s > 0:
            continue
        value = dice.choice(STEPS) if dice.random() < (1 - calm) / 3 else level
        samples.times.append(time_ms)
        samples.counts.append(None if null_s > 0 or dice.random() < (1 - calm) / 5 else value * 100)
        if second:
            samples.others.append(None if dice.random() < (1 - calm) / 5 else other * 100)
    return samples, pulses


THRESHOLDS = st.sampled_from(
    [
        ("above", Threshold(75, 62), Threshold(90, 80)),
        ("above", Threshold(75, 75), None),
        ("above", None, Threshold(90, 61)),
        ("below", Threshold(61, 76), Threshold(40, 60)),
        ("below", None, Threshold(60, 60)),
    ]
)
WINDOWS = st.one_of(
    st.just(Window()),
    st.builds(
        Window, st.sampled_from(["avg", "min", "max", "p95", "increase"]), st.sampled_from([10.0, 60.0, 150.0, 600.0])
    ),
    st.just(Window("time_left", 600, 100)),
)


def _rule(
    levels: tuple[Literal["above", "below"], Threshold | None, Threshold | None],
    window: Window,
    for_s: float,
    recover_for_s: float,
    no_data: Literal["keep", "alert", "ok"],
    no_data_s: float,
    also: bool,
) -> Rule:
    return Rule(
        "busy",
        "CPU busy",
        "cpu.total",
        comparison=levels[0],
        warning=levels[1],
        critical=levels[2],
        for_s=for_s,
        recover_for_s=recover_for_s,
        window=window if levels[0] == "below" or window.function != "time_left" else Window(),
        no_data=no_data,
        no_data_s=no_data_s,
        also=Also("cpu.user", "above", 50) if also else None,
    )


OF_CHANGES = st.sampled_from(
    [
        ("above", Threshold(0.2, 0.1), Threshold(0.5, 0.2)),
        ("above", Threshold(0, 0), None),
        ("below", Threshold(-0.1, 0), None),
        ("below", Threshold(0, 0.05), Threshold(-0.3, -0.1)),
    ]
)
RATES = st.builds(Window, st.sampled_from(["rate", "increase"]), st.sampled_from([10.0, 60.0, 90.0, 150.0, 600.0]))
RULES = st.builds(
    lambda asked, for_s, recover_for_s, no_data, no_data_s, also: _rule(
        asked[0], asked[1], for_s, recover_for_s, no_data, no_data_s, also
    ),
    st.tuples(THRESHOLDS, WINDOWS) | st.tuples(OF_CHANGES, RATES),
    st.sampled_from([0.0, 5.0, 59.0, 60.0, 120.0, 180.0, 300.0, 900.0]),
    st.sampled_from([0.0, 20.0, 60.0, 240.0]),
    st.sampled_from(["keep", "alert", "ok"]),
    st.sampled_from([0.0, 30.0, 120.0, 300.0]),
    st.booleans(),
)


@settings(max_examples=200)
@given(RULES, st.integers(0, 2**32), st.sampled_from([1, 5, 10, 50]), st.sampled_from([0.7, 0.95, 0.99, 0.999]))
def test_what_is_left_out_makes_no_difference(rule: Rule, seed: int, every_s: int, calm: float) -> None:
    check_rule(rule)
    hold_s = rule.for_s if seed % 3 else rule.recover_for_s
    samples, pulses = _history(seed, every_s, calm, rule.also is not None, hold_s)
    found = rehearsed(line_of(rule, samples, MINUTES), samples, pulses)
    assert found == judged(line_of(rule, samples, MINUTES), samples, pulses)


def test_nulls_for_longer_than_a_gap_start_a_running_clock_anew() -> None:
    """Each minute but those of nulls has values that leave the clock as it is."""
    rule = Rule("busy", "CPU busy", "cpu.total", warning=Threshold(75, 62), for_s=600)
    times = [START_MS + 1000 * second for second in range(MINUTES * 60)]
    counts: list[int | None] = [None if 300 <= second < 430 else 8000 for second in range(MINUTES * 60)]
    samples = Samples(times, counts)
    [fired] = rehearsed(line_of(rule, samples, MINUTES), samples, times)
    assert fired.time == START_MS / 1000 + 430 + 600
    assert [fired] == judged(line_of(rule, samples, MINUTES), samples, times)


def test_a_change_is_measured_from_as_far_back_as_slow_sampling_lets_a_window_reach() -> None:
    """Sampled every five minutes, a window reaches over a quarter of an hour without samples."""
    rule = Rule("grown", "Grown", "cpu.total", warning=Threshold(30, 20), window=Window("increase", 600))
    at_minutes = [0, 5, 10, 15, 29, 34, 39]
    times = [START_MS + 60_000 * minute for minute in at_minutes]
    samples = Samples(times, [4000 if minute < 20 else 8000 for minute in at_minutes])
    lines = [line_of(rule, samples, MINUTES) for _ in range(2)]
    for line in lines:
        line.period_ms = 300_000
    found = rehearsed(lines[0], samples, times)
    assert [transition.time for transition in found if transition.kind == "fire"] == [START_MS / 1000 + 29 * 60]
    assert found == judged(lines[1], samples, times)
