"""A host's history out of the tables: minutes of all instances at once, raw samples where they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from infra.clock import to_ms, to_time
from infra.storage.database import Connection
from infra.storage.packed import NO_VALUE, floats, ints
from infra.storage.packed import times_ms as unpacked_times
from schemas.catalogue import Family, Metric, family_named
from schemas.rules import COUNTERS
from schemas.slots import SLOT_MS
from services.alerts.judge.ruleset import CompiledRule
from services.alerts.rehearsal import sql
from services.alerts.rehearsal.ahead import Samples, Stretch, Wanted
from services.alerts.rehearsal.minutes import MINUTE_MS, Column, Minutes

PULSE = "cpu"
"""A host is there while it samples this family, or that of the rule where it does not sample this one."""
_Ints = NDArray[np.int64]


class Range(Struct, frozen=True):
    """What is played; all of it whole minutes."""

    from_ms: int
    to_ms: int
    exact_from_ms: int
    """From where on there are raw rows."""

    @property
    def count(self) -> int:
        return (self.to_ms - self.from_ms) // MINUTE_MS


class Source(Struct):
    """One host's rows that a rule is about."""

    database: Connection
    host_id: int
    family: Family
    metrics: list[Metric]
    """The rule's, and that of its second condition if it has one."""
    range: Range
    pulse: Family


async def source_of(database: Connection, host_id: int, check: CompiledRule, span: Range) -> Source:
    """Where the history of a host is."""
    family = family_named(check.family)
    codes = [check.code] if check.also is None else [check.code, check.also.code]
    by_code = {metric.code: metric for metric in family.metrics}
    pulse = family_named(PULSE)
    if not await database.fetchval(sql.any_moment(pulse), host_id, *_times(span.from_ms, span.to_ms)):
        pulse = family
    return Source(database, host_id, family, [by_code[code] for code in codes], span, pulse)


async def instances_of(source: Source, check: CompiledRule) -> dict[int, str]:
    """Those that the rule is about, by id; 0 where the family has none."""
    if not source.family.instance:
        return {0: ""}
    rows = await source.database.fetch(sql.INSTANCES, source.host_id, source.family.name)
    return {row["id"]: row["name"] for row in rows if check.is_about(row["name"])}


async def minutes_of(source: Source, check: CompiledRule, ids: Sequence[int]) -> dict[int, Minutes]:
    """By instance; one without any row in the range is left out."""
    span = source.range
    with_sums = span.exact_from_ms > span.from_ms or check.rule.window.function in ("avg", "p95")
    bounds = _times(span.from_ms, span.to_ms)
    query = sql.minutes(source.family, source.metrics, with_sums)
    made = {}
    for row in await source.database.fetch(query, source.host_id, list(ids), *bounds):
        made[row[0]] = _minutes(source, unpacked_times(row[1]), list(row)[2:])
    dirty = [to_ms(row["slot"]) for row in await source.database.fetch(sql.DIRTY, source.host_id, *bounds)]
    for from_ms, to_ms_ in _joined(dirty):
        first, last = max(from_ms, span.exact_from_ms), min(to_ms_, span.to_ms)
        if first >= last:
            continue
        for instance in ids:
            held = await _rows(source, instance, [(first, last)])
            if instance in made or len(held[0]):
                _put_raw(made.setdefault(instance, _empty(source)), first, last, *held)
    for minutes in made.values():
        _as_played(check, minutes)
    return {instance: minutes for instance, minutes in made.items() if minutes.present.any()}


def _empty(source: Source) -> Minutes:
    count = source.range.count
    columns = [
        Column(np.zeros(count, np.int64), np.zeros(count), np.zeros(count), np.zeros(count)) for _ in source.metrics
    ]
    other = columns[1] if len(columns) > 1 else None
    return Minutes(source.range.from_ms, np.zeros(count, np.bool_), columns[0], other, source.range.exact_from_ms)


def _columns(minutes: Minutes) -> list[Column]:
    return [minutes.metric] if minutes.other is None else [minutes.metric, minutes.other]


def _minutes(source: Source, times: _Ints, parts: Sequence[bytes | None]) -> Minutes:
    minutes = _empty(source)
    at = (times - minutes.from_ms) // MINUTE_MS
    minutes.present[at] = True
    for number, column in enumerate(_columns(minutes)):
        known, least, greatest, total = parts[4 * number : 4 * number + 4]
        assert known is not None and least is not None and greatest is not None  # noqa: S101, PT018  # as asked for
        column.known[at] = ints(known)
        column.least[at] = ints(least)
        column.greatest[at] = ints(greatest)
        if total is not None:
            column.mean[at] = floats(total) / np.maximum(column.known[at], 1)
    return minutes


def _put_raw(minutes: Minutes, from_ms: int, to_ms_: int, times: _Ints, counts: Sequence[_Ints]) -> None:
    """Make the minutes of a stretch what its raw samples say."""
    stretch = slice((from_ms - minutes.from_ms) // MINUTE_MS, (to_ms_ - minutes.from_ms) // MINUTE_MS)
    at = (times - minutes.from_ms) // MINUTE_MS
    minutes.present[stretch] = False
    minutes.present[at] = True
    for column, values in zip(_columns(minutes), counts, strict=True):
        known = values != NO_VALUE
        column.known[stretch] = 0
        np.add.at(column.known, at[known], 1)
        column.least[stretch], column.greatest[stretch] = np.inf, -np.inf
        np.minimum.at(column.least, at[known], values[known])
        np.maximum.at(column.greatest, at[known], values[known])
        sums = np.bincount(at[known], values[known], len(column.mean))[stretch]
        column.mean[stretch] = sums / np.maximum(column.known[stretch], 1)


def _as_played(check: CompiledRule, minutes: Minutes) -> None:
    """Of minutes whose raw samples are gone one value is left, which is all that is played of them."""
    before = slice(0, (minutes.exact_from_ms - minutes.from_ms) // MINUTE_MS)
    function = check.rule.window.function
    for column in _columns(minutes):
        if function == "max" or check.rule.metric in COUNTERS:
            left = column.greatest[before]
        elif function == "min":
            left = column.least[before]
        else:
            left = np.round(column.mean[before])
        column.least[before] = column.greatest[before] = column.mean[before] = left
        column.known[before] = np.minimum(column.known[before], 1)


async def answer(source: Source, instance: int, minutes: Minutes, wanted: Wanted) -> Samples:
    """What playing asks for."""
    exact_ms = source.range.exact_from_ms
    old = [(first, min(last, exact_ms)) for first, last in wanted.stretches if first < exact_ms]
    new = [(max(first, exact_ms), last) for first, last in wanted.stretches if last > exact_ms]
    if wanted.what == "breath":
        await asyncio.sleep(0)
        return Samples()
    if wanted.what == "pulses":
        times: list[int] = []
        for first, last in old:
            whole = await _moments(source, True, first, last, wanted.most)
            times += [time_ms + MINUTE_MS // 2 for time_ms in whole]
        for first, last in new:
            if len(times) < wanted.most:
                times += await _moments(source, False, first, last, wanted.most - len(times))
        return Samples(times)
    held = Samples()
    for first, last in old:
        part = _left_of(minutes, first, last)
        held = Samples(held.times + part.times, held.counts + part.counts, held.others + part.others)
    if new:
        raw, counts = await _rows(source, instance, new)
        columns = [_with_nulls(column) for column in counts]
        held.times = held.times + raw.tolist()
        held.counts = held.counts + columns[0]
        held.others = held.others + (columns[1] if len(columns) > 1 else [])
    return held


def _left_of(minutes: Minutes, from_ms: int, to_ms_: int) -> Samples:
    """One sample for each minute, in its middle."""
    first, last = (from_ms - minutes.from_ms) // MINUTE_MS, (to_ms_ - minutes.from_ms) // MINUTE_MS
    at = [number for number in range(first, last) if minutes.present[number]]

    def counts(column: Column) -> list[int | None]:
        return [int(column.mean[number]) if column.known[number] else None for number in at]

    times = [minutes.from_ms + number * MINUTE_MS + MINUTE_MS // 2 for number in at]
    return Samples(times, counts(minutes.metric), [] if minutes.other is None else counts(minutes.other))


async def _rows(source: Source, instance: int, stretches: Sequence[Stretch]) -> tuple[_Ints, list[_Ints]]:
    """Times and counts of raw rows, in order; NO_VALUE stands for null."""
    query = sql.samples(source.family, source.metrics)
    bounds = [to_time(first) for first, _ in stretches], [to_time(last) for _, last in stretches]
    ends = _times(stretches[0][0], stretches[-1][1])
    row = await source.database.fetchrow(query, source.host_id, instance, *bounds, *ends)
    if row is None or row[0] is None:
        nothing = np.zeros(0, np.int64)
        return nothing, [nothing for _ in source.metrics]
    return unpacked_times(row[0]), [ints(column) for column in list(row)[1:]]


async def _moments(source: Source, rolled: bool, from_ms: int, to_ms_: int, most: int) -> list[int]:
    query = sql.moments(source.pulse, rolled)
    data = await source.database.fetchval(query, source.host_id, *_times(from_ms, to_ms_), most)
    found: list[int] = [] if data is None else unpacked_times(data).tolist()
    return found


def _with_nulls(counts: _Ints) -> list[int | None]:
    values: list[int | None] = counts.tolist()
    if NO_VALUE in values:
        return [None if count == NO_VALUE else count for count in values]
    return values


def _times(from_ms: int, to_ms_: int) -> tuple[object, object]:
    return to_time(from_ms), to_time(to_ms_)


def _joined(slots: Iterable[int]) -> list[tuple[int, int]]:
    """Slots in order as stretches."""
    joined: list[tuple[int, int]] = []
    for slot in slots:
        if joined and joined[-1][1] == slot:
            joined[-1] = (joined[-1][0], slot + SLOT_MS)
        else:
            joined.append((slot, slot + SLOT_MS))
    return joined
