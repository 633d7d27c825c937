"""Clock steps, suspends, stalls and changed intervals neither repeat samples nor make up rates."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from agent.collectors.gpu.gpu import Gpus
from agent.collectors.linux import network
from agent.collectors.readings import Instances
from agent.sampling.plan import Plans, make_plan
from agent.sampling.sampler import Sampler
from agent.sampling.sources import Collect
from agent.sampling.ticker import HOLD_S, Ticker
from agent.sending.batching import Batcher
from agent.system.state import AgentState
from infra.settings import AgentSettings
from schemas.codec import Sample, build_batch, decode_batch, encode_batch, times_ms
from tests.agent.build import Clock

BYTES_PER_S = 1_000_000
"""What the machine of these tests receives while it is awake, all the time."""


class Event(NamedTuple):
    """What happens between two ticks."""

    work_s: float = 0
    """The loop is held up."""
    late_s: float = 0
    """The sleep lasts longer than asked."""
    step_s: float = 0
    """The wall clock is set."""
    suspended_s: float = 0
    """The machine sleeps, and its monotonic clock does."""
    paused_s: float = 0
    """The machine sleeps, and its monotonic clock goes on."""
    reading_s: float = 0
    """Another collector takes this long, before the one whose rates are looked at."""
    interval_s: float | None = None
    """The settings change."""


class Machine:
    """A machine whose counters move while it is awake, and an agent on it."""

    def __init__(self, interval_s: float = 1) -> None:
        self.clock = Clock(wall_s=1_800_000_000.37)
        self.asleep_s = 0.0
        self.reading_s = 0.0
        self.plans = Plans(make_plan(AgentSettings(sample_interval_s=interval_s)))
        self.ticker = Ticker(interval_s, self.clock.monotonic, self.clock.wall, self.clock.sleep)
        collectors: dict[str, Collect] = {
            "cpu": self._slow,
            "network": network.Interfaces(self._interfaces, lambda name: {}).collect,
            "agent": lambda now_s: {"": {"reconnects": 0}},
        }
        gpus = Gpus(0.1, lambda: None, lambda: False, self.clock.monotonic)
        self.sampler = Sampler(collectors, gpus, self.plans, AgentState(), clock=self.clock.monotonic)
        self.sampler.prime()

    def received(self) -> int:
        return round((self.clock.monotonic_s - self.asleep_s) * BYTES_PER_S)

    def _slow(self, now_s: float) -> Instances:
        self.clock.pass_time(self.reading_s)
        return {"": {"load1": 1}}

    def _interfaces(self) -> dict[str, network.Traffic]:
        count = self.received()
        return {"eth0": network.Traffic(count, count, count, count, 0, 0)}

    def happen(self, event: Event) -> None:
        self.clock.late_s = [event.late_s]
        self.reading_s = event.reading_s
        self.clock.pass_time(event.work_s)
        self.clock.step_wall(event.step_s + event.suspended_s)
        self.clock.pass_time(event.paused_s)
        self.asleep_s += event.paused_s
        if event.interval_s is not None:
            self.plans.replace(make_plan(AgentSettings(sample_interval_s=event.interval_s)))
            self.ticker.interval_s = event.interval_s

    async def sample(self) -> Sample:
        tick = await self.ticker.next()
        assert abs(tick.time_ms / 1000 - self.clock.wall()) <= self.ticker.interval_s + 0.001, "the wall clock's time"
        sample = await self.sampler.sample(tick)
        assert sample is not None
        return sample


async def course(events: Sequence[Event], machine: Machine) -> list[Sample]:
    """One sample after each event."""
    samples = []
    for event in events:
        machine.happen(event)
        samples.append(await machine.sample())
    return samples


def rates(samples: Sequence[Sample]) -> list[int | None]:
    return [sample.families["network"]["eth0"]["received"] for sample in samples if "network" in sample.families]


async def test_after_a_suspend_the_first_rate_is_the_true_one_and_the_time_the_present_one() -> None:
    machine = Machine()
    samples = await course([Event(), Event(), Event(suspended_s=3600), Event()], machine)
    assert rates(samples) == [BYTES_PER_S] * 4
    times = [sample.time_ms - samples[0].time_ms for sample in samples]
    assert times == [0, 1000, 3_602_000, 3_603_000]


async def test_a_suspend_that_the_clock_counts_gives_no_rate_above_the_true_one() -> None:
    samples = await course([Event(), Event(paused_s=3600), Event()], Machine())
    before, after, last = rates(samples)
    assert (before, last) == (BYTES_PER_S, BYTES_PER_S)
    assert after is not None
    assert 0 < after < BYTES_PER_S / 1000


async def test_a_jump_ahead_and_back_leaves_times_and_rates_true() -> None:
    machine = Machine()
    samples = await course([Event(), Event(step_s=600), Event(), Event(step_s=-600), Event()], machine)
    times = [sample.time_ms - samples[0].time_ms for sample in samples]
    assert times == [0, 601_000, 602_000, 3000, 4000]
    assert rates(samples) == [BYTES_PER_S] * 5


async def test_while_repeated_instants_are_waited_out_the_watchdog_hears_of_the_agent() -> None:
    clock = Clock()
    heard: list[float] = []
    ticker = Ticker(1, clock.monotonic, clock.wall, clock.sleep, lambda: heard.append(clock.monotonic_s))
    await ticker.next()
    clock.step_wall(-50)
    heard.clear()
    began = clock.monotonic_s
    await ticker.next()
    assert clock.monotonic_s - began > 45
    gaps = [after - before for before, after in itertools.pairwise([began, *heard])]
    assert max(gaps) <= 5


async def test_a_shorter_interval_is_followed_while_the_longer_one_is_slept_through() -> None:
    clock = Clock()
    wanted_s = 60.0

    def follow() -> None:
        ticker.interval_s = wanted_s

    ticker = Ticker(wanted_s, clock.monotonic, clock.wall, clock.sleep, follow)
    before = await ticker.next()
    wanted_s = 1
    after = await ticker.next()
    assert after.monotonic_s - before.monotonic_s < 10
    assert after.skipped == 0


async def test_a_longer_interval_begins_with_its_own_grid() -> None:
    machine = Machine()
    samples = await course([Event(), Event(), Event(interval_s=10), Event()], machine)
    assert [sample.time_ms % 10_000 for sample in samples[2:]] == [0, 0]
    assert samples[3].time_ms - samples[2].time_ms == 10_000


seconds = st.floats(0, 5)
steps = st.one_of(st.floats(-90, 90), st.sampled_from([-7200.0, 7200.0, -59.5, -60.5, 0.4]))
event = st.one_of(
    st.just(Event()),
    st.tuples(seconds, seconds, st.floats(0, 2)).map(lambda of: Event(work_s=of[0], late_s=of[1], reading_s=of[2])),
    steps.map(lambda step_s: Event(step_s=step_s)),
    st.floats(0, 1e6).map(lambda suspended_s: Event(suspended_s=suspended_s)),
    st.floats(0, 1e5).map(lambda paused_s: Event(paused_s=paused_s)),
    st.sampled_from([0.1, 0.5, 1.0, 5.0, 60.0]).map(lambda interval_s: Event(interval_s=interval_s)),
)


@example([Event(step_s=1.63)])  # a first tick at the very moment of the start
@example([Event(step_s=1.6298)])  # and just after it, when a counter's rounding is 1 % of what it moved
@given(st.lists(event, max_size=25))
def test_whatever_the_clocks_do_no_sample_repeats_and_no_rate_is_made_up(events: list[Event]) -> None:
    machine = Machine()
    samples = asyncio.run(course(events, machine))
    interval_s = 1.0
    for sample, happened in zip(samples, events, strict=True):
        interval_s = happened.interval_s or interval_s
        assert sample.time_ms % round(interval_s * 1000) == 0
    for before, after in itertools.pairwise(samples):
        assert after.time_ms > before.time_ms or before.time_ms - after.time_ms > HOLD_S * 1000
    for rate in rates(samples):
        assert rate is not None
        assert 0 <= rate <= BYTES_PER_S * 1.001, "but for the rounding of the counter"


@given(st.lists(event, max_size=25))
def test_all_rates_together_are_what_the_counter_moved(events: list[Event]) -> None:
    machine = Machine()
    clock, moved, at_s, first = machine.clock, 0.0, machine.clock.monotonic_s, machine.received()

    async def run() -> None:
        nonlocal moved, at_s
        for happened in events:
            machine.happen(happened)
            sample = await machine.sample()
            rate = sample.families["network"]["eth0"]["received"]
            assert rate is not None
            moved += rate * (clock.monotonic_s - at_s)
            at_s = clock.monotonic_s

    asyncio.run(run())
    slack = 1 + (clock.monotonic_s - 1000) * 0.5  # a rate is rounded to a whole byte per second
    assert abs(moved - (machine.received() - first)) <= slack + 1


@given(st.lists(event, max_size=40), st.sampled_from([0.5, 5.0, 10.0]), st.floats(0, 0.999))
def test_every_sample_is_in_one_batch_and_times_ascend_within_it(
    events: list[Event], batch_interval_s: float, phase: float
) -> None:
    batcher = Batcher(batch_interval_s, phase, most_samples=1000)
    samples = asyncio.run(course(events, Machine()))
    taken = [batch for sample in samples if (batch := batcher.add(sample)) is not None]
    taken.append(batcher.take())
    assert [sample.time_ms for batch in taken for sample in batch] == [sample.time_ms for sample in samples]
    for batch in filter(None, taken):
        times = times_ms(decode_batch(encode_batch(build_batch("web-1", "e", "metrics", 1, batch))).times)
        assert times == sorted(set(times))
