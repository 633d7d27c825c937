"""The alert machine under any order of samples, silences, missing values, replays, restarts and edits of its rule."""

from __future__ import annotations

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from schemas.rules import Threshold
from services.alerts.judge.machine import (
    FIRES_KEPT,
    FLAP_FIRES,
    FLAP_LEAST_MS,
    FLAP_MOST_MS,
    FLAP_WITHIN_MS,
    OK,
    Change,
    Limits,
    State,
    gone,
    lack,
    limits_of,
    miss,
    recover_ms,
    step,
)
from tests.alerts.builders import BUSY, NOON_MS, play, steady, told
from tests.alerts.builders import rule as rule_of

VALUES = st.sampled_from((0.0, 60.0, 64.9, 65.0, 70.0, 74.9, 75.0, 80.0, 85.0, 90.0, 100.0))
WAITS_MS = st.sampled_from((1000, 5000, 10_000, 30_000, 60_000, 119_000, 121_000, 400_000))
WAIT_MS = 300_000


class Machine(RuleBasedStateMachine):
    """One alert as its judge and as a reader of its transitions see it."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: Limits = limits_of(BUSY)
        self.fires_when_lacking = False
        self.state = OK
        self.at_ms = NOON_MS
        self.seen = 0
        """Level that a reader of the transitions knows of."""
        self.told: list[Change] = []
        self.calls_since_ms = 0
        """Since when all values have been at the lowest threshold; 0: the last was not."""
        self.valued_ms = 0
        """When the last value was taken."""

    @initialize(hold_s=st.sampled_from((0, 10, 30)), recover_s=st.sampled_from((0, 20)), lacking=st.booleans())
    def begin(self, hold_s: int, recover_s: int, lacking: bool) -> None:
        self.limits = limits_of(replace(BUSY, for_s=hold_s, recover_for_s=recover_s))
        self.fires_when_lacking = lacking

    def _take(self, state: State | None, change: Change | None) -> None:
        self.state = state or OK
        if change is None:
            return
        level = {"warning": 1, "critical": 2}[change.severity]
        match change.kind:
            case "fire":
                assert self.seen == 0
                self.seen = level
            case "escalate":
                assert (self.seen, level) == (1, 2)
                self.seen = 2
            case "deescalate":
                assert (self.seen, level) == (2, 1)
                self.seen = 1
            case _:
                assert self.seen == level
                self.seen = 0
        if self.told:
            assert change.time_ms >= self.told[-1].time_ms
        self.told.append(change)

    @rule(value=VALUES, wait_ms=WAITS_MS)
    def sample(self, value: float, wait_ms: int) -> None:
        self.at_ms += wait_ms
        if value < 75:
            self.calls_since_ms = 0
        elif not self.calls_since_ms or self.at_ms - self.valued_ms > self.limits.gap_ms:
            self.calls_since_ms = self.at_ms
        self.valued_ms = self.at_ms
        before = len(self.told)
        self._take(*step(self.limits, self.state, value, self.at_ms))
        if len(self.told) > before and self.told[-1].kind == "fire":
            assert self.at_ms - self.calls_since_ms >= self.limits.for_ms

    @rule(values=st.lists(VALUES, min_size=5, max_size=60))
    def a_busy_stretch(self, values: list[float]) -> None:
        for value in values:
            self.sample(value, 10_000)

    @rule(wait_ms=WAITS_MS)
    def null(self, wait_ms: int) -> None:
        self.at_ms += wait_ms
        assert step(self.limits, self.state, None, self.at_ms) == (self.state, None)

    @rule(value=VALUES, earlier_ms=st.integers(0, 600_000))
    def replay(self, value: float, earlier_ms: int) -> None:
        if self.state.last_ms:
            at_ms = self.state.last_ms - earlier_ms
            assert step(self.limits, self.state, value, at_ms) == (self.state, None)

    @rule()
    def restart(self) -> None:
        stored = msgspec.json.encode(self.state)
        assert msgspec.json.decode(stored, type=State) == self.state

    @rule(wait_ms=WAITS_MS)
    def without_a_value(self, wait_ms: int) -> None:
        self.at_ms += wait_ms
        before, told_before = self.state, len(self.told)
        self._take(*lack(self.limits, before, self.fires_when_lacking, WAIT_MS, self.at_ms))
        if self.state.lacking and not before.lacking:
            assert self.at_ms - before.absent_ms >= WAIT_MS
        if len(self.told) > told_before or (self.state.quiet and not before.quiet):
            self.calls_since_ms = 0

    @precondition(lambda self: not self.state.quiet)
    @rule(wait_ms=WAITS_MS)
    def missing(self, wait_ms: int) -> None:
        self.at_ms += wait_ms
        before = self.state
        state, change = miss(self.limits, before, self.at_ms)
        if state is None:
            assert self.at_ms - before.absent_ms > self.limits.gap_ms
            assert (change is None) == (before.level == 0)
            self.calls_since_ms = 0
        self._take(state, change)

    @rule()
    def its_rule_is_deleted(self) -> None:
        self._take(None, gone(self.state, self.at_ms))
        self.calls_since_ms = 0

    @rule(warning=st.none() | st.just(Threshold(75, 65)), critical=st.none() | st.just(Threshold(90, 80)))
    def its_rule_is_edited(self, warning: Threshold | None, critical: Threshold | None) -> None:
        if warning is not None:  # the lowest threshold stays what `sample` takes it for
            limits = limits_of(replace(BUSY, warning=warning, critical=critical))
            self.limits = replace(limits, for_ms=self.limits.for_ms, recover_for_ms=self.limits.recover_for_ms)

    @invariant()
    def readers_know_what_is_on(self) -> None:
        assert self.seen == self.state.level

    @invariant()
    def recovering_takes_a_bounded_time(self) -> None:
        longest_ms = max(self.limits.recover_for_ms, FLAP_MOST_MS)
        assert self.limits.recover_for_ms <= recover_ms(self.limits, self.state) <= longest_ms
        assert len(self.state.fires) <= FIRES_KEPT


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestMachine = Machine.TestCase


def cycles(count: int, busy_s: int, calm_s: int) -> dict[float, float | None]:
    """So many times busy, then calm."""
    values: dict[float, float | None] = {}
    for number in range(count):
        start = number * (busy_s + calm_s)
        values |= steady(95, start, start + busy_s - 10) | steady(10, start + busy_s, start + busy_s + calm_s - 10)
    return values


def test_what_comes_and_goes_seldom_is_not_flapping() -> None:
    _, changes = play(rule_of(for_s=0, recover_for_s=0), cycles(10, 60, 1200))
    assert [change.kind for change in changes] == ["fire", "resolve"] * 10
    assert not any(change.flapping for change in changes)


def test_what_comes_and_goes_all_the_time_becomes_one_alert() -> None:
    _, changes = play(rule_of(for_s=0, recover_for_s=0), cycles(30, 60, 60))
    assert [change.kind for change in changes].count("fire") == FLAP_FIRES
    assert changes[-1].flapping


def test_flapping_ends_once_it_is_calm_for_long_enough() -> None:
    flaps = cycles(FLAP_FIRES, 60, 60)
    last_s = max(flaps) - 50
    _, changes = play(
        rule_of(for_s=0, recover_for_s=0), flaps | steady(10, int(max(flaps)) + 10, int(max(flaps)) + 600)
    )
    ended = told(changes)[-1]
    assert ended[0] == "resolve"
    assert ended[2] == last_s + 2 * FLAP_LEAST_MS / 1000


def test_each_further_fire_doubles_the_delay_up_to_a_limit() -> None:
    limits = limits_of(rule_of(recover_for_s=90))
    delays = [recover_ms(limits, State(fires=tuple(range(1, count + 1)))) for count in range(1, FIRES_KEPT + 1)]
    assert delays[:6] == [90_000, 90_000, 90_000, 180_000, 360_000, 720_000]
    assert delays[-1] == FLAP_MOST_MS


def test_fires_of_more_than_an_hour_ago_do_not_count() -> None:
    old = tuple(NOON_MS - FLAP_WITHIN_MS - 1000 * k for k in (4, 3, 2, 1))
    state, change = step(limits_of(rule_of(for_s=0)), State(fires=old), 80, NOON_MS)
    assert change is not None
    assert (state.fires, change.flapping) == ((NOON_MS,), False)
