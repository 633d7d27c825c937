"""What the rules would have said of the past: the alert service's own code, on the curves. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from demo.curves import lines_of
from demo.lines import Line
from demo.machines import Machine
from demo.stories import AWAY, HOUR_S, is_up
from schemas.catalogue import family_named
from schemas.codec import times_ms
from schemas.columns import pack_column
from schemas.messages import AlertTransition, Batch, Block, Series
from services.alerts.judge.axis import Judged
from services.alerts.judge.evaluate import Key, Looking, evaluate
from services.alerts.judge.hostdown import Hearing, judge_host
from services.alerts.judge.machine import OK, State
from services.alerts.judge.ruleset import OfHost

STEP_S = 60
LOOK_S = 10
"""How often a silent host is looked at."""
LOOKED_AT_S = 300
"""How long at the beginning of its silence; what comes of it is known by then."""
SILENCES_S = 6 * HOUR_S
"""Silences that ended longer ago are left out: a host that comes and goes for days would fill every list."""


class Past(Struct):
    """Of one host: the states that its alerts ended in, and all transitions, in order."""

    states: dict[Key, State] = {}
    transitions: list[AlertTransition] = []


def judge(machine: Machine, rules: OfHost, from_s: int, until_s: int) -> Past:
    """Hold the host's past against the rules that look at it, a sample a minute."""
    past, looking = Past(), Looking()
    for batch in _batches(machine, rules, from_s, until_s):
        times = times_ms(batch.times)
        outcome = evaluate(rules, batch, Judged(times, 0, 0), past.states, looking)
        past.transitions += outcome.transitions
        for key, state in outcome.changed.items():
            if state is None:
                past.states.pop(key, None)
            else:
                past.states[key] = state
    _judge_silence(machine, rules, from_s, until_s, past)
    past.transitions.sort(key=lambda transition: transition.time)
    return past


def _batches(machine: Machine, rules: OfHost, from_s: int, until_s: int) -> Iterator[Batch]:
    """An hour each, with the metrics that any rule is about."""
    times = np.arange(from_s, until_s, STEP_S, dtype=np.int64)
    times = times[is_up(machine, times)]
    lines = {name: lines_of(machine, family_named(name), times) for name in rules.by_family} if len(times) else {}
    begins = range(from_s, until_s, HOUR_S)
    edges = np.searchsorted(times, [*begins, until_s]).tolist()
    for first, last in itertools.pairwise(edges):
        if first < last:
            hour = slice(first, last)
            blocks = [block for name in lines if (block := _block(rules, name, lines[name], hour)) is not None]
            deltas = np.diff(times[hour], prepend=0) * 1000
            yield Batch(machine.name, "past", "metrics", 1, deltas.tolist(), blocks)


def _block(rules: OfHost, name: str, lines: Sequence[Line], hour: slice) -> Block | None:
    family = family_named(name)
    wanted = {check.code for check in rules.by_family[name]}
    wanted |= {check.also.code for check in rules.by_family[name] if check.also is not None}
    places = [place for place, metric in enumerate(family.metrics) if metric.code in wanted]
    series = [
        Series(
            line.instance,
            {},
            None,
            [None if line.unknown[place] else pack_column(line.counts[place][hour].tolist()) for place in places],
        )
        for line in lines
    ]
    period_ms = max(STEP_S, round(family.period_s)) * 1000
    return Block(name, [family.metrics[place].code for place in places], series, period_ms) if series else None


def _judge_silence(machine: Machine, rules: OfHost, from_s: int, until_s: int, past: Past) -> None:
    for gap_s, back_s in silences(machine, from_s, until_s):
        if back_s < until_s - SILENCES_S:
            continue
        hearing = Hearing({machine.name: float(gap_s)}, since_s=float(from_s))
        for at_s in range(gap_s, min(back_s, gap_s + LOOKED_AT_S), LOOK_S):
            _look(machine.name, rules, hearing, at_s, past)
        if back_s < until_s:
            hearing.heard_s[machine.name] = float(back_s)
        _look(machine.name, rules, hearing, back_s, past)


def _look(host: str, rules: OfHost, hearing: Hearing, at_s: int, past: Past) -> None:
    for check in rules.down:
        key: Key = (check.rule.id, "")
        before = past.states.get(key, OK)
        state, transition = judge_host(check, hearing, before, host, float(at_s), 1000 * at_s, 1000 * at_s)
        past.states[key] = state
        if transition is not None:
            past.transitions.append(transition)


def silences(machine: Machine, from_s: int, until_s: int) -> Sequence[tuple[int, int]]:
    """When the host was away: each time from its last sample to the next one, or to `until_s`."""
    if machine.story not in AWAY:
        return []
    times = np.arange(from_s, until_s, dtype=np.int64)
    seen = times[is_up(machine, times)]
    if not len(seen):
        return []
    after = np.flatnonzero(np.diff(seen) > 1)
    found = [(int(seen[place]), int(seen[place + 1])) for place in after]
    if seen[-1] < until_s - 1:
        found.append((int(seen[-1]), until_s))
    return found
