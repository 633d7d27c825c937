"""Histories of one instance in memory: played with all that the prefilter leaves out, and without."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from schemas.messages import AlertTransition
from schemas.rules import Rule
from services.alerts.judge.ruleset import RuleSet
from services.alerts.rehearsal.ahead import Samples
from services.alerts.rehearsal.minutes import MINUTE_MS, Column, Minutes
from services.alerts.rehearsal.play import Line, judge_slot, play, slots

START_MS = 1_790_000_040_000 // MINUTE_MS * MINUTE_MS
HOST = "web-1"


def column(counts: Sequence[int | None], at: Sequence[int], count: int) -> Column:
    """The minutes of one metric, as roll-ups have them."""
    known = np.zeros(count, np.int64)
    least, greatest, mean = np.zeros(count), np.zeros(count), np.zeros(count)
    for minute in range(count):
        values = [value for value, number in zip(counts, at, strict=True) if number == minute and value is not None]
        if values:
            known[minute] = len(values)
            least[minute], greatest[minute], mean[minute] = min(values), max(values), sum(values) / len(values)
    return Column(known, least, greatest, mean)


def minutes_of(samples: Samples, count: int) -> Minutes:
    at = [(time_ms - START_MS) // MINUTE_MS for time_ms in samples.times]
    present = np.zeros(count, np.bool_)
    present[at] = True
    other = column(samples.others, at, count) if samples.others else None
    return Minutes(START_MS, present, column(samples.counts, at, count), other)


def line_of(rule: Rule, samples: Samples, count: int, instance: str = "") -> Line:
    rules = RuleSet([replace(rule, enabled=True)]).of(HOST)
    return Line(rules, rules.by_id[rule.id], HOST, instance, minutes_of(samples, count))


def within(samples: Samples, from_ms: int, to_ms: int) -> Samples:
    chosen = [number for number, time_ms in enumerate(samples.times) if from_ms <= time_ms < to_ms]
    return Samples(
        [samples.times[number] for number in chosen],
        [samples.counts[number] for number in chosen],
        [samples.others[number] for number in chosen] if samples.others else [],
    )


def joined(parts: Sequence[Samples]) -> Samples:
    return Samples(
        [time_ms for part in parts for time_ms in part.times],
        [count for part in parts for count in part.counts],
        [count for part in parts for count in part.others],
    )


def rehearsed(line: Line, samples: Samples, pulses: Sequence[int]) -> list[AlertTransition]:
    """What the rehearsal finds in a history."""
    reading = play(line)
    try:
        wanted = next(reading)
        while True:
            if wanted.what == "breath":
                wanted = reading.send(Samples())
            elif wanted.what == "samples":
                assert all(first < last for first, last in wanted.stretches)
                assert all(before[1] <= after[0] for before, after in itertools.pairwise(wanted.stretches))
                parts = [within(samples, *stretch) for stretch in wanted.stretches]
                wanted = reading.send(joined(parts))
            else:
                [(from_ms, to_ms)] = wanted.stretches
                there = [time_ms for time_ms in pulses if from_ms <= time_ms < to_ms]
                wanted = reading.send(Samples(there[: wanted.most]))
    except StopIteration:
        return line.transitions


def judged(line: Line, samples: Samples, pulses: Sequence[int]) -> list[AlertTransition]:
    """What the judge finds when it gets every batch."""
    batches: dict[int, tuple[list[int], Samples | None]] = {
        number: (slot.times, slot) for number, slot in slots(samples)
    }
    for number, slot in slots(Samples(sorted(pulses))):
        batches.setdefault(number, (slot.times, None))
    for number in sorted(batches):
        judge_slot(line, *batches[number])
    return line.transitions
