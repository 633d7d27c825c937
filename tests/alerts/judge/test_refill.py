"""Windows that are filled from the stream again, before or while judging goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import times_ms
from schemas.messages import Batch
from schemas.rules import Function, Rule, Threshold, Window
from schemas.subjects import METRICS
from services.alerts.judge.axis import Axis
from services.alerts.judge.evaluate import Looking, feed
from services.alerts.judge.memory import Memory, Part
from services.alerts.judge.refill import join
from tests.alerts.builders import NOON_MS, rule
from tests.alerts.fleet import fleet, serving
from tests.alerts.judge.judged import Judge, cpu, judge_of, timeline

FUNCTIONS = [name for name in get_args(Function) if name not in ("last", "time_left")]
HOUR_MS = 3_600_000


def mean(seconds: float, function: Function = "avg") -> Rule:
    return rule(
        warning=Threshold(60, 50), critical=None, for_s=0, recover_for_s=0, window=Window(function, seconds)
    )  # fmt: skip


class Restarted:
    """A judge that begins with the states of another, and reads again what that one judged."""

    def __init__(self, before: Judge) -> None:
        self.judge = before.restarted()
        self.judge.looking = Looking()
        self.memory = Memory(Part(), {}, {})
        self.past = Axis()

    def read_again(self, batches: Sequence[Batch]) -> None:
        for one in batches:
            times = self.past.judge("web-1", times_ms(one.times), 0).times
            looking = self.memory.earlier.setdefault("web-1", Looking())
            feed(self.judge.rules.of("web-1"), one, times, looking)

    def take(self, one: Batch) -> None:
        self.memory.looking["web-1"] = self.judge.looking
        self.judge.take(one)

    def join(self) -> None:
        join(self.memory, self.judge.axis, self.past)
        self.judge.looking = self.memory.looking.get("web-1", self.judge.looking)


def seconds(values: Callable[[int], int], until_s: int, start_ms: int = NOON_MS) -> list[Batch]:
    """Batches of five seconds."""
    return [
        cpu([values(second) for second in range(first, first + 5)], start_ms + 1000 * first)
        for first in range(0, until_s, 5)
    ]


@pytest.mark.parametrize("function", FUNCTIONS)
@given(st.integers(1, 11), st.integers(0, 5))
def test_a_window_that_was_joined_says_what_it_would_have_said(function: Function, cut: int, meanwhile: int) -> None:
    batches = seconds(lambda second: 100 * (second * second % 50 + 40), 80)
    whole = judge_of(mean(20, function))
    for one in batches:
        whole.take(one)
    before = judge_of(mean(20, function))
    for one in batches[:cut]:
        before.take(one)
    after = Restarted(before)
    after.read_again(batches[:cut])
    for one in batches[cut : cut + meanwhile]:
        after.take(one)
    after.join()
    for one in batches[cut + meanwhile :]:
        after.take(one)
    [key] = whole.looking.windows
    window, expected = after.judge.looking.windows[key], whole.looking.windows[key]
    assert window.values(0, 10_000, 0.01) == expected.values(0, 10_000, 0.01)  # type: ignore[union-attr]


def test_windows_and_judged_times_agree_after_a_restart_although_the_clock_was_set_back() -> None:
    low = seconds(lambda _: 1000, 30)
    high = seconds(lambda _: 9000, 60, NOON_MS + 30_000 - HOUR_MS)
    before, whole = judge_of(mean(20)), judge_of(mean(20))
    for one in (*low, *high):
        whole.take(one)
    for one in (*low, *high[:2]):
        before.take(one)
    after = Restarted(before)
    after.read_again([*low, *high[:2]])
    after.join()
    for one in high[2:]:
        after.take(one)
    assert timeline(before.transitions + after.judge.transitions) == timeline(whole.transitions)


def test_states_and_windows_agree_where_what_is_read_again_begins_after_the_clock_was_set_back() -> None:
    judged = mean(20)
    low, high = seconds(lambda _: 9000, 30), seconds(lambda _: 9000, 30, NOON_MS + 30_000 - HOUR_MS)
    fallen = seconds(lambda _: 100, 40, NOON_MS + 60_000 - HOUR_MS)
    before = judge_of(judged)
    for one in (*low, *high):
        before.take(one)
    after = Restarted(before)
    after.read_again(high)
    after.join()
    for one in fallen:
        after.take(one)
    assert [kind for _, kind in timeline(before.transitions + after.judge.transitions)] == ["fire", "resolve"]
    assert timeline(after.judge.transitions)[0][0] < 60 + 20


def test_a_window_that_a_gap_divides_from_its_past_begins_with_itself() -> None:
    before = judge_of(mean(20))
    first = seconds(lambda _: 9000, 30)
    for one in first:
        before.take(one)
    after = Restarted(before)
    after.read_again(first)
    after.take(cpu([100] * 5, NOON_MS + HOUR_MS))
    after.join()
    for number in range(1, 4):
        after.take(cpu([100] * 5, NOON_MS + HOUR_MS + 5000 * number))
    assert after.judge.transitions == []


async def test_windows_are_filled_while_judging_goes_on(
    bus_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.judge.refill.FIRST_S", 0.0)
    async with fleet(bus_url, database_url, [mean(20)]) as hosts:
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([90] * 15, at_s=0))
        async with serving(hosts.settings):
            await hosts.processed(await hosts.cpu([90] * 10, at_s=15))
            await hosts.processed(await hosts.cpu([90] * 10, at_s=25, host="web-2"))
            await hosts.processed(await hosts.cpu([90] * 5, at_s=25))
            await hosts.until("fire")


async def test_what_comes_after_a_stream_lost_its_tail_is_judged(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [rule(for_s=0, recover_for_s=0)]) as hosts:
        async with serving(hosts.settings):
            for second in range(5):
                last = await hosts.cpu([10], at_s=second)
            await hosts.processed(last)
        jetstream = hosts.client.jetstream()
        config = (await jetstream.stream_info(METRICS.name)).config
        await jetstream.delete_stream(METRICS.name)
        await jetstream.add_stream(config)
        async with serving(hosts.settings):
            assert await hosts.cpu([80], at_s=10) < last
            await hosts.until("fire")
