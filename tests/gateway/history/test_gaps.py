"""Where a series has no samples, and what explains that: decided from what is known."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from schemas.api import Refusal
from schemas.marks import Mark, MarkKind
from services.gateway.history.gaps import SLACK_MS, Known, irregular, longest, reasons, stretches
from services.gateway.history.resolution import Grid

AT_MS = 1_795_219_200_000
MINUTE_MS = 60_000
GAP = (AT_MS, AT_MS + 10 * MINUTE_MS)
PLAIN = Known(now_ms=AT_MS + 10**9, kept_ms=0, first_ms=AT_MS - 10**9, marks=[])


def mark(kind: MarkKind, after_ms: int, end_ms: int | None = 0, detail: str = "") -> Mark:
    """One that begins so long after the gap does; `end_ms` 0: it has no length."""
    begin = AT_MS + after_ms
    end = begin if end_ms == 0 else None if end_ms is None else AT_MS + end_ms
    return Mark("web-1", begin, end, kind, "info", kind.title(), detail, "")


def why(lost: int = 0, gap: tuple[int, int] = GAP, **known: Any) -> list[str]:
    return [one.kind for one in reasons(*gap, lost, msgspec.structs.replace(PLAIN, **known))]


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ([1, 1, 1, 1], []),
        ([0, 0, 0, 0], [(0, 4)]),
        ([1, 0, 0, 1], [(1, 3)]),
        ([0, 1, 0, 1], [(0, 1), (2, 3)]),
        ([1, 1, 1, 0], [(3, 4)]),
    ],
)
def test_a_gap_is_a_run_of_empty_steps(known: list[int], found: list[tuple[int, int]]) -> None:
    grid = Grid(AT_MS, AT_MS + 4 * MINUTE_MS, MINUTE_MS, AT_MS // MINUTE_MS, 4)
    gaps = stretches(grid, np.array(known, np.int64), grid.to_ms)
    assert gaps == [(AT_MS + begin * MINUTE_MS, AT_MS + end * MINUTE_MS) for begin, end in found]


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ("1..1...1..1", []),  # sampled at every third step, or about
        ("...1...1...1", []),
        ("1..1..1...", []),
        ("1..1..1............1..1", [(7, 19)]),
        ("1111..11", [(4, 6)]),
        ("111...1..1..1", [(3, 6)]),
        ("1.........", [(1, 10)]),
        ("..........", [(0, 10)]),
    ],
)
def test_the_time_between_rare_samples_is_no_gap(known: str, found: list[tuple[int, int]]) -> None:
    counts = np.array([step == "1" for step in known], np.int64)
    grid = Grid(AT_MS, AT_MS + len(known) * 1000, 1000, AT_MS // 1000, len(known))
    gaps = irregular(stretches(grid, counts, grid.to_ms), grid, counts)
    assert gaps == [(AT_MS + begin * 1000, AT_MS + end * 1000) for begin, end in found]


def test_a_machine_that_is_on_for_one_long_step_of_many_has_gaps() -> None:
    counts = np.array([900, 0, 0, 0, 900, 0, 0, 0, 900], np.int64)
    grid = Grid(AT_MS, AT_MS + 9 * 900_000, 900_000, AT_MS // 900_000, 9)
    assert len(irregular(stretches(grid, counts, grid.to_ms), grid, counts)) == 2


def test_the_future_is_no_gap() -> None:
    grid = Grid(AT_MS, AT_MS + 4 * MINUTE_MS, MINUTE_MS, AT_MS // MINUTE_MS, 4)
    now_ms = AT_MS + MINUTE_MS + 30_000
    assert stretches(grid, np.array([1, 1, 0, 0], np.int64), now_ms) == []
    assert stretches(grid, np.array([1, 0, 0, 0], np.int64), now_ms) == [(AT_MS + MINUTE_MS, now_ms)]


def test_of_too_many_gaps_the_longest_are_told_in_order_of_time() -> None:
    assert longest([(0, 1), (2, 9), (10, 12), (20, 28)], 2) == [(2, 9), (20, 28)]


def test_a_gap_that_nothing_explains_says_so() -> None:
    assert why() == ["unknown"]


def test_what_happened_within_a_gap_or_shortly_before_explains_it() -> None:
    marks = [mark("update", -MINUTE_MS), mark("reboot", 5 * MINUTE_MS), mark("away", -(10**6), 5), mark("change", 1)]
    assert why(marks=marks) == ["reboot", "away", "update", "settings"]


@pytest.mark.parametrize(
    "one",
    [
        mark("reboot", -SLACK_MS - 1),
        mark("reboot", GAP[1] - GAP[0] + 1),
        mark("away", -(10**6), -SLACK_MS - 1),
        mark("mute", 1),
    ],
)
def test_what_happened_at_another_time_or_has_nothing_to_do_with_samples_explains_nothing(one: Mark) -> None:
    assert why(marks=[one]) == ["unknown"]


def test_a_reason_says_what_its_mark_says() -> None:
    known = msgspec.structs.replace(PLAIN, marks=[mark("update", 7, detail="1.0 to 1.1")])
    [one] = reasons(*GAP, 0, known)
    assert (one.text, one.time, one.end) == ("Update: 1.0 to 1.1", AT_MS + 7, AT_MS + 7)


def test_a_gap_before_the_first_sample_has_no_other_reason() -> None:
    assert why(first_ms=GAP[1], marks=[mark("reboot", 1)]) == ["first"]
    assert why(first_ms=None, marks=[mark("reboot", 1)]) == ["first"]


def test_what_is_older_than_what_is_kept_is_gone() -> None:
    assert why(kept_ms=GAP[1], marks=[mark("reboot", 1)]) == ["retention"]
    assert why(kept_ms=GAP[0] + 1, first_ms=GAP[1]) == ["retention", "first"]


def test_batches_that_the_agent_lost_are_counted() -> None:
    [one] = reasons(*GAP, 7, PLAIN)
    assert (one.kind, "7 batches" in one.text) == ("dropped", True)


def test_what_the_agent_has_yet_to_send_may_fill_a_gap_if_it_is_old_enough() -> None:
    assert why(waiting=3, oldest_ms=GAP[0]) == ["pending"]
    assert why(waiting=3, oldest_ms=GAP[1] + 1) == ["unknown"]


def test_rows_that_were_refused_since_explain_a_gap() -> None:
    assert why(refusals=[Refusal("cpu", "too old", 5, GAP[1])]) == ["refused"]
    assert why(refusals=[Refusal("cpu", "too old", 5, GAP[0] - 1)]) == ["unknown"]


def test_until_now_a_host_may_be_silent_or_archived() -> None:
    assert why(now_ms=GAP[1], offline=True) == ["silent"]
    assert why(now_ms=GAP[1], offline=True, archived=True) == ["archived"]
    assert why(now_ms=GAP[1] + 1, offline=True) == ["unknown"]


def test_what_is_sampled_only_for_viewers_is_said_to_be() -> None:
    assert why(watched_only=True) == ["unwatched"]
