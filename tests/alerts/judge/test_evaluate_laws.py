"""Batches held against any rule, compared with a judge that looks at one value at a time and remembers all of them."""

from __future__ import annotations

from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import decode_batch, encode_batch, times_ms
from schemas.messages import Batch
from schemas.rules import Also, Function, NoData, Rule, Threshold, Window
from services.alerts.judge.evaluate import feed
from services.alerts.judge.machine import OK, State, lack, limits_of, step
from tests.alerts.builders import NOON_MS
from tests.alerts.judge.judged import judge_of
from tests.alerts.judge.test_windows import Rows, plain
from tests.batches import batch, instances

Sampled = tuple[int, dict[str, tuple[int | None, int | None]]]
"""Time in milliseconds; by mount, percent used and GiB left, if known."""


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any rule on the used share of file systems."""
    above = draw(st.booleans())
    sign = 1 if above else -1
    low, high = sorted(draw(st.tuples(st.integers(10, 90), st.integers(10, 90))))
    warning, critical = (low, high) if above else (high, low)
    gap = draw(st.integers(0, 10))
    levels = draw(st.sampled_from(((True, True), (True, False), (False, True))))
    function: Function = draw(st.sampled_from(("last", "last", "avg", "min", "max", "p95")))
    no_data: NoData = draw(st.sampled_from(("keep", "keep", "alert", "ok")))
    return Rule(
        "law",
        "Law",
        "filesystem.used_percent",
        comparison="above" if above else "below",
        instance=draw(st.sampled_from(("*", "/a", "/?"))),
        warning=Threshold(warning, warning - sign * gap) if levels[0] else None,
        critical=Threshold(critical, critical - sign * gap) if levels[1] else None,
        for_s=draw(st.sampled_from((0, 20, 60))),
        recover_for_s=draw(st.sampled_from((0, 20))),
        window=Window(function, 0 if function == "last" else draw(st.sampled_from((60, 90)))),
        also=draw(st.sampled_from((None, Also("filesystem.available", "below", 10 * 2**30)))),
        no_data=no_data,
        no_data_s=draw(st.sampled_from((0, 30, 90))),
    )


@st.composite
def samples(draw: st.DrawFn) -> list[Sampled]:
    """What a host sampled, every 10 s but for some silences; both mounts are always there, perhaps without values."""
    waits = draw(st.lists(st.sampled_from((10, 10, 10, 10, 30, 130)), min_size=1, max_size=40))
    at_ms, taken = NOON_MS, []
    share, left = st.none() | st.sampled_from((5, 30, 50, 70, 95)), st.none() | st.sampled_from((5, 10, 11))
    for wait_s in waits:
        at_ms += 1000 * wait_s
        taken.append((at_ms, {mount: draw(st.tuples(share, left)) for mount in ("/a", "/b")}))
    return taken


def expected(judged: Rule, taken: list[Sampled]) -> list[tuple[float, str, str, str]]:
    """Time, kind, instance and severity of each change, value by value."""
    found = []
    limits = limits_of(judged, 10)
    for mount in ("/a", "/b"):
        if judged.instance not in ("*", "/?", mount):
            continue
        rows: Rows = [(at_ms, values[mount][0]) for at_ms, values in taken]
        if judged.window.function == "last":
            by_time = {at_ms: float(share) for at_ms, share in rows if share is not None}
        else:
            by_time = plain(judged.window.function, rows, round(judged.window.seconds * 1000), False)
        state, known = OK, False
        for at_ms, values in taken:
            share, left = values[mount]
            if share is None and judged.no_data != "keep":
                if known or judged.no_data == "ok":
                    wait_ms = max(1, round(judged.no_data_s * 1000))
                    state, change = lack(limits, state, judged.no_data == "alert", wait_ms, at_ms)
                else:
                    change = None
            else:
                if share is not None:
                    known = True
                    state = msgspec.structs.replace(state, absent_ms=0)
                holds = True if judged.also is None else None if left is None else left <= 10
                change = None
                if holds is not None:
                    state, change = step(limits, state, by_time.get(at_ms), at_ms, holds)
            if change is not None:
                found.append((change.time_ms / 1000, change.kind, mount, change.severity))
    return sorted(found)


def batch_of(taken: list[Sampled]) -> Batch:
    made = []
    for at_ms, values in taken:
        rows: dict[str, dict[str, int | None]] = {
            mount: {
                "used_percent": None if share is None else share * 100,
                "available": None if left is None else left * 2**30,
                "total": 2**40,
            }
            for mount, (share, left) in values.items()
        }
        made.append(instances(at_ms, "filesystem", rows))
    return decode_batch(encode_batch(batch(*made)))


cuts = st.lists(st.integers(1, 40), max_size=8)


def cut(taken: list[Sampled], at: list[int]) -> list[Batch]:
    edges = sorted({0, len(taken), *(edge for edge in at if edge < len(taken))})
    return [batch_of(taken[first:last]) for first, last in pairwise(edges)]


@given(rules(), samples(), cuts)
@settings(max_examples=200)
def test_batches_are_judged_as_their_values_one_by_one(judged: Rule, taken: list[Sampled], at: list[int]) -> None:
    judging = judge_of(judged)
    for one in cut(taken, at):
        judging.take(one)
    found = sorted((told.time, told.kind, told.instance, told.severity) for told in judging.transitions)
    assert found == expected(judged, taken)


@given(rules(), samples(), cuts, st.sets(st.integers(0, 8)))
@settings(max_examples=200)
def test_restarts_between_any_batches_change_nothing(
    judged: Rule, taken: list[Sampled], at: list[int], restarts: set[int]
) -> None:
    judging, found = judge_of(judged), []
    batches = cut(taken, at)
    for number, one in enumerate(batches):
        if number in restarts:
            found += judging.transitions
            judging = judging.restarted()
            judging.states = {
                key: msgspec.json.decode(msgspec.json.encode(state), type=State)
                for key, state in judging.states.items()
            }
            for before in batches[:number]:
                feed(judging.rules.of("web-1"), before, times_ms(before.times), judging.looking)
        judging.take(one)
    found += judging.transitions
    assert sorted((told.time, told.kind, told.instance, told.severity) for told in found) == expected(judged, taken)
