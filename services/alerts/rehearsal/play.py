"""One instance's history played through the alert machine: raw samples where something can change, minutes elsewhere.

What the judge would have done with a batch is found out by the judge's own `evaluate`. Here is only decided which
batches cannot have changed anything: while the alert is quiet, those of minutes that do not matter; while it is not,
those of minutes whose least and greatest value both leave it as it is, which the machine itself is asked. Batches are
taken to have been ten seconds long, as agents send them unless they are told otherwise.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from schemas.columns import pack_column
from schemas.messages import AlertTransition, Batch, Block, Series
from services.alerts.judge.axis import Judged
from services.alerts.judge.evaluate import Key, Looking, evaluate, feed
from services.alerts.judge.machine import OK, State, limits_at, step
from services.alerts.judge.ruleset import CompiledRule, OfHost
from services.alerts.rehearsal.ahead import Buffer, Reading, Samples, Wanted
from services.alerts.rehearsal.minutes import MINUTE_MS, Minutes, bounds_of, mattering, reaching, surrounded

BATCH_MS = 10_000
BREATH_MINUTES = 30
"""Of a window they take a tenth of a second."""
MOST_ON_MS = 15 * MINUTE_MS
TOGETHER_MINUTES = 10
PULSES = 2000
"""Moments at which the host was there that are asked for at a time."""


class Line(Struct):
    """One instance on its way through time."""

    rules: OfHost
    """With this one rule."""
    check: CompiledRule
    host: str
    instance: str
    minutes: Minutes
    period_ms: int = 0
    """How often the host samples it where that is another period than the catalogue's."""
    states: dict[Key, State] = field(default_factory=dict)
    looking: Looking = field(default_factory=Looking)
    transitions: list[AlertTransition] = field(default_factory=list)

    buffer: Buffer | None = None

    @property
    def samples_read(self) -> int:
        return self.buffer.samples_read if self.buffer is not None else 0

    @property
    def key(self) -> Key:
        return (self.check.rule.id, self.instance)

    @property
    def state(self) -> State:
        return self.states.get(self.key, OK)


def judge_slot(line: Line, times: list[int], samples: Samples | None) -> None:
    """One batch: with `samples` of the instance, or of a host that sampled at `times` without it."""
    families = [] if samples is None else [_block(line, samples)]
    batch = Batch(line.host, "rehearsal", "metrics", 1, [], families)
    outcome = evaluate(line.rules, batch, Judged(times, 0, 0), line.states, line.looking)
    line.transitions += outcome.transitions
    for key, state in outcome.changed.items():
        if state is None:
            line.states.pop(key, None)
        else:
            line.states[key] = state


def _block(line: Line, samples: Samples) -> Block:
    codes, columns = [line.check.code], [pack_column(samples.counts)]
    if line.check.also is not None:
        codes.append(line.check.also.code)
        columns.append(pack_column(samples.others))
    return Block(line.check.family, codes, [Series(line.instance, {}, None, columns)], line.period_ms)


def slots(samples: Samples, length_ms: int = BATCH_MS) -> Iterator[tuple[int, Samples]]:
    """`samples` as batches of at most `length_ms`, each with its number since 1970."""
    start, times = 0, samples.times
    while start < len(times):
        number = times[start] // length_ms
        end = bisect_left(times, (number + 1) * length_ms, start)
        yield number, Samples(times[start:end], samples.counts[start:end], samples.others[start:end])
        start = end


def play(line: Line) -> Reading:
    """Play the whole range. What it asks for is sent back in."""
    minutes = line.minutes
    bounds = bounds_of(line.check, minutes, limits_at(line.check.limits, line.period_ms).gap_ms)
    mattering_at = np.flatnonzero(mattering(line.check, minutes, bounds))
    may_reach = reaching(line.check, bounds).tolist()
    present_at = np.flatnonzero(minutes.present)
    steady = _Steady(line, bounds.low.tolist(), bounds.high.tolist(), bounds.whole.tolist())
    windowed = line.check.rule.window.function != "last"
    back_ms = _back_ms(line) if windowed else 0
    # What fires is looked at again when it has held, and when it has recovered for as long as it must.
    on_ms = min(MOST_ON_MS, line.check.limits.for_ms + line.check.limits.recover_for_ms) // MINUTE_MS * MINUTE_MS
    buffer = line.buffer = Buffer(minutes, mattering_at, back_ms, on_ms)
    fed_ms = minutes.from_ms
    minute = played = 0
    while minute < minutes.count:
        if line.state.quiet and not line.state.absent_ms:
            following = int(np.searchsorted(mattering_at, minute))
            if following == len(mattering_at):
                return
            if mattering_at[following] > minute:
                minute = int(mattering_at[following])
                steady.pass_to(minute)
        if not minutes.present[minute]:
            at = int(np.searchsorted(present_at, minute))
            until = int(present_at[at]) if at < len(present_at) else minutes.count
            yield from _play_absence(line, _start(line, minute), _start(line, until))
            minute = until
            continue
        if steady.at(minute):
            minute += 1
            continue
        steady.catch_up()
        start_ms = _start(line, minute)
        if windowed and fed_ms != start_ms:
            yield from _warm_up(line, buffer, fed_ms, start_ms, back_ms)
        following = minute + 1
        # A window goes over all its values with each batch, so the longer a batch the better.
        while (
            windowed
            and following < min(minutes.count, minute + TOGETHER_MINUTES)
            and minutes.present[following]
            and may_reach[following]
            and not any(map(steady.may_be_missing, (minute, following)))
        ):
            following += 1
        fed_ms = _start(line, following)
        samples = yield from buffer.read(start_ms, fed_ms)
        yield from _play_minutes(line, steady.may_be_missing(minute), samples, start_ms, fed_ms)
        minute = following
        played += 1
        if played % BREATH_MINUTES == 0:
            yield Wanted("breath", [])


def _start(line: Line, minute: int) -> int:
    return line.minutes.from_ms + minute * MINUTE_MS


def _play_minutes(line: Line, may_be_missing: bool, samples: Samples, from_ms: int, to_ms: int) -> Reading:
    """Minutes of which every sample counts, with the moments around them at which the instance was missing."""
    if not may_be_missing:
        if samples.times:  # as one batch: how long those are makes no difference to what is there all the time
            judge_slot(line, samples.times, samples)
        return
    numbered: dict[int, tuple[list[int], Samples | None]] = {
        number: (slot.times, slot) for number, slot in slots(samples)
    }
    pulses = yield Wanted("pulses", [(from_ms, to_ms)], PULSES)
    for number, slot in slots(Samples(pulses.times)):
        numbered.setdefault(number, (slot.times, None))
    for number in sorted(numbered):
        judge_slot(line, *numbered[number])


def _play_absence(line: Line, from_ms: int, to_ms: int) -> Reading:
    """A stretch without samples of the instance: what counts is when its host was there all the same."""
    while from_ms < to_ms and not _settled(line):
        pulses = (yield Wanted("pulses", [(from_ms, to_ms)], PULSES)).times
        whole = len(pulses) < PULSES
        if not whole:
            # The last batch may have been cut, so it is asked for again.
            from_ms = pulses[-1] // BATCH_MS * BATCH_MS
            pulses = pulses[: bisect_left(pulses, from_ms)]
        for _, slot in slots(Samples(pulses)):
            judge_slot(line, slot.times, None)
            if _settled(line):
                return
        if whole:
            return


def _settled(line: Line) -> bool:
    """Whether the instance may be missing for ever without anything coming of it."""
    state = line.state
    if line.check.rule.no_data == "alert":
        return state.lacking or line.key not in line.states  # never seen
    return state.quiet


def _back_ms(line: Line) -> int:
    """How far back a window has to have seen everything, so that it is as if it had seen it all."""
    margin_ms = limits_at(line.check.limits, line.period_ms).gap_ms + 2 * MINUTE_MS
    return round(line.check.rule.window.seconds * 1000) + margin_ms


def _warm_up(line: Line, buffer: Buffer, fed_ms: int, start_ms: int, back_ms: int) -> Reading:
    """Let the window remember what was left out, as far back as it looks."""
    from_ms = max(line.minutes.from_ms, (start_ms - back_ms) // MINUTE_MS * MINUTE_MS)
    if fed_ms >= from_ms:
        from_ms = fed_ms
    else:
        line.looking.windows.clear()
    samples = yield from buffer.read(from_ms, start_ms)
    for _, slot in slots(samples, MINUTE_MS):
        batch = Batch(line.host, "rehearsal", "metrics", 1, [], [_block(line, slot)])
        feed(line.rules, batch, slot.times, line.looking)


class _Steady:
    """In which minutes an alert stays as it is."""

    def __init__(self, line: Line, low: list[float], high: list[float], whole: list[bool]) -> None:
        self._line = line
        self._low, self._high, self._whole = low, high, whole
        self._known = (line.minutes.metric.known > 0).tolist()
        self._surrounded = surrounded(line.minutes.metric.known > 0).tolist()
        self._accompanied = surrounded(line.minutes.present).tolist()
        self._passed_ms = 0
        """Begin of the last minute with values that was left out."""
        self._proven: tuple[State, float, float] | None = None
        """The state that stays as it is with any values from the one to the other."""

    def at(self, minute: int) -> bool:
        """Whether no sample of `minute` can change the alert, which is not quiet."""
        line, state = self._line, self._line.state
        check = line.check
        if state.quiet or state.absent_ms or state.lacking or check.also is not None or not self._whole[minute]:
            return False
        if self.may_be_missing(minute):
            return False
        running = state.clocks != (0, 0)
        if running and (check.rule.window.function != "last" or not self._surrounded[minute]):
            return False
        if not self._known[minute]:
            return True
        if not self._stays(state, running, minute):
            return False
        self._passed_ms = _start(line, minute)
        return True

    def _stays(self, state: State, running: bool, minute: int) -> bool:
        check = self._line.check
        low, high = self._low[minute], self._high[minute]
        if low > high:
            return False
        proven = self._proven
        if proven is not None and proven[0] is state and not running and proven[1] <= low and high <= proven[2]:
            return True
        end_ms = _start(self._line, minute) + MINUTE_MS - 1
        limits = limits_at(check.limits, self._line.period_ms)
        before = replace(state, last_ms=max(state.last_ms, end_ms - 1))
        for count in (low, high):
            value = round(count * check.limits.sign * check.resolution, 9)
            after, change = step(limits, before, value, end_ms)
            if change or (after.level, after.clocks, after.peak) != (state.level, state.clocks, state.peak):
                return False
        if proven is not None and proven[0] is state:
            low, high = min(low, proven[1]), max(high, proven[2])
        self._proven = (state, low, high)
        return True

    def pass_to(self, minute: int) -> None:
        """Note that the minutes before `minute` were left out."""
        if minute and self._known[minute - 1]:
            self._passed_ms = _start(self._line, minute - 1)

    def catch_up(self) -> None:
        """Let the state know of the values that were left out; a little early, which nothing depends on."""
        line = self._line
        state = line.state
        if not state.quiet and self._passed_ms > state.last_ms:  # a quiet one notes no values
            line.states[line.key] = replace(state, last_ms=self._passed_ms)
        self._proven = None

    def may_be_missing(self, minute: int) -> bool:
        """Whether there may be batches in `minute` or around it that lack the instance, and that means something."""
        no_data_ms = self._line.check.no_data_ms
        if no_data_ms:
            return no_data_ms < 2 * MINUTE_MS or not self._surrounded[minute]
        return not self._accompanied[minute]
