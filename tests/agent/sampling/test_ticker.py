"""Ticks fall on the wall clock's grid, whatever the clocks do."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sampling.ticker import Tick, Ticker
from tests.agent.build import Clock


def ticker(clock: Clock, interval_s: float = 1.0) -> Ticker:
    return Ticker(interval_s, clock.monotonic, clock.wall, clock.sleep)


async def take(source: Ticker, count: int) -> list[Tick]:
    return [await source.next() for _ in range(count)]


async def test_ticks_are_whole_seconds_of_the_wall_clock() -> None:
    clock = Clock(wall_s=1_800_000_000.37)
    times = [tick.time_ms for tick in await take(ticker(clock), 4)]
    assert times == [1_800_000_001_000, 1_800_000_002_000, 1_800_000_003_000, 1_800_000_004_000]


@pytest.mark.parametrize("interval_s", [0.1, 1, 60])
async def test_the_first_tick_leaves_time_for_its_rates(interval_s: float) -> None:
    clock = Clock(wall_s=1_800_000_000 - interval_s / 1000)
    began_s = clock.monotonic_s
    tick = await ticker(clock, interval_s).next()
    assert tick.monotonic_s - began_s >= interval_s / 4
    assert tick.time_ms == 1_800_000_000_000 + round(interval_s * 1000)


async def test_small_delays_do_not_add_up() -> None:
    clock = Clock()
    source = ticker(clock)
    clock.late_s = [0.01] * 1000
    ticks = await take(source, 1000)
    assert ticks[-1].time_ms - ticks[0].time_ms == 999_000
    assert ticks[-1].monotonic_s - ticks[0].monotonic_s < 999.001
    assert sum(tick.skipped for tick in ticks) == 0


async def test_work_that_runs_over_skips_ticks_and_counts_them() -> None:
    clock = Clock()
    source = ticker(clock)
    first = await source.next()
    clock.pass_time(3.2)
    second = await source.next()
    assert second.time_ms - first.time_ms == 4000
    assert second.skipped == 3


async def test_oversleeping_is_not_followed_by_a_bunch() -> None:
    clock = Clock()
    source = ticker(clock)
    first = await source.next()
    clock.late_s = [5.3]
    ticks = await take(source, 4)
    assert [tick.time_ms - first.time_ms for tick in ticks] == [6000, 7000, 8000, 9000]
    assert [tick.skipped for tick in ticks] == [5, 0, 0, 0]


async def test_a_step_forward_moves_the_times_and_makes_no_samples_up() -> None:
    clock = Clock()
    source = ticker(clock)
    before = (await take(source, 3))[-1]
    clock.step_wall(3600)
    after = await take(source, 3)
    assert [tick.time_ms - before.time_ms for tick in after] == [3_601_000, 3_602_000, 3_603_000]
    assert sum(tick.skipped for tick in after) == 0
    assert after[0].monotonic_s - before.monotonic_s < 1.001


async def test_a_fraction_of_a_step_moves_to_the_nearest_grid_instant() -> None:
    clock = Clock()
    source = ticker(clock)
    before = await source.next()
    clock.step_wall(0.4)
    after = await take(source, 2)
    assert [tick.time_ms - before.time_ms for tick in after] == [1000, 2000]
    assert 0.5 <= after[0].monotonic_s - before.monotonic_s <= 1.5


async def test_a_small_step_back_samples_no_instant_twice() -> None:
    clock = Clock()
    source = ticker(clock)
    before = await take(source, 5)
    clock.step_wall(-3)
    after = await take(source, 5)
    times = [tick.time_ms for tick in before + after]
    assert times == sorted(set(times))
    assert after[0].time_ms == before[-1].time_ms + 1000


async def test_after_a_large_step_back_sampling_goes_on_at_once() -> None:
    clock = Clock()
    source = ticker(clock)
    before = await source.next()
    clock.step_wall(-86400)
    after = await source.next()
    assert after.time_ms == before.time_ms - 86_400_000 + 1000
    assert after.monotonic_s - before.monotonic_s < 1.001


async def test_another_interval_costs_no_tick() -> None:
    clock = Clock(wall_s=1_799_999_999.5)
    source = ticker(clock)
    times = []
    for interval_s in (1.0, 2.0, 2.0, 1.0, 1.0):

        def change(interval_s: float = interval_s) -> None:
            source.interval_s = interval_s

        source._waiting = change
        times.append((await source.next()).time_ms - 1_800_000_000_000)
    assert times == [0, 1000, 2000, 4000, 5000]


async def test_a_shorter_interval_does_not_wait_for_the_end_of_a_long_one() -> None:
    clock = Clock()
    source = ticker(clock, 60)
    first = await source.next()
    source._waiting = lambda: setattr(source, "interval_s", 1)
    assert (await source.next()).time_ms - first.time_ms <= 7000


steps = st.lists(st.tuples(st.floats(0, 3), st.floats(0, 2), st.sampled_from([0.0, 0.0, 0.3, -0.3, 7.7, -7.7, 3600.0])))


@given(st.sampled_from([0.1, 0.25, 1.0, 7.0]), steps)
def test_times_are_on_the_grid_and_never_repeat(interval_s: float, course: list[tuple[float, float, float]]) -> None:
    """Whatever work, delay and step come between two ticks."""

    async def run() -> None:
        clock = Clock(wall_s=1_800_000_000.05)
        source = ticker(clock, interval_s)
        last: Tick | None = None
        for work_s, late_s, step_s in course:
            clock.late_s = [late_s]
            tick = await source.next()
            assert tick.time_ms % round(interval_s * 1000) == 0
            if last is not None:
                assert tick.time_ms > last.time_ms
                assert tick.monotonic_s - last.monotonic_s >= 0.24 * interval_s
            last = tick
            clock.pass_time(work_s)
            clock.step_wall(step_s)

    asyncio.run(run())
