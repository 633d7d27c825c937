"""Where a series has no samples, and what explains that. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from infra.storage.packed import Ints
from schemas.api import Refusal
from schemas.marks import GapKind, GapReason, Mark
from services.gateway.history.resolution import MINUTE_MS, Grid

SLACK_MS = 120_000
"""What happened so shortly before a gap may have caused it: agents say what they do before they do it."""
REFUSED_LATER_MS = 2 * 86_400_000
"""What a stream has kept comes at most so much later."""
LEAST_PERIODS = 3
"""Of a shorter stretch without samples nothing is said: a sampler may be late."""
UNKNOWN = "Nothing is known that explains it: perhaps the machine or its agent stood still"
_OF_MARKS: dict[str, GapKind] = {
    "reboot": "reboot",
    "away": "away",
    "update": "update",
    "change": "settings",
    "settings": "settings",
    "refused": "settings",
    "order": "order",
}
_ORDER: tuple[GapKind, ...] = ("reboot", "away", "update", "order", "settings")


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a host and its time, besides its samples; times are Unix milliseconds."""

    now_ms: int
    kept_ms: int
    """From where on anything is kept."""
    first_ms: int | None
    """When the first stored sample was taken; None while there is none."""
    marks: Sequence[Mark]
    refusals: Sequence[Refusal] = ()
    archived: bool = False
    offline: bool = False
    waiting: int = 0
    """Batches that the agent has not sent, as far as is known."""
    watched_only: bool = False
    """Whether this is sampled only while somebody watches the host."""
    oldest_ms: int = 0
    """When the oldest of them was made."""


def stretches(grid: Grid, known: Ints, until_ms: int) -> list[tuple[int, int]]:
    """Where steps of `grid` before `until_ms` are empty, given how many values each has: begins and ends."""
    found: list[tuple[int, int]] = []
    begin = grid.first
    for step in [*_filled(grid, known), -(-min(until_ms, grid.to_ms) // grid.step_ms)]:
        span = max(begin * grid.step_ms, grid.from_ms), min(step * grid.step_ms, until_ms, grid.to_ms)
        if span[0] < span[1]:
            found.append(span)
        begin = step + 1
    return found


def irregular(gaps: Sequence[tuple[int, int]], grid: Grid, known: Ints) -> list[tuple[int, int]]:
    """`gaps` of `stretches` without those that are but the time from one sample to the next where samples are rare.

    How often a family was sampled is a setting that may have been another then. Steps longer than a minute have several
    samples, and tell nothing of that.
    """
    if grid.step_ms > MINUTE_MS:
        return list(gaps)
    filled = _filled(grid, known)
    usual: dict[int, int] = {}
    """Number of the first empty step -> steps between samples beside the gap, where there are at least two."""
    for at in range(len(filled) + 1):
        beside = [filled[later] - filled[later - 1] for later in (at - 1, at + 1) if 0 < later < len(filled)]
        usual[filled[at - 1] + 1 if at else grid.first] = min(beside, default=1)
    return [
        (begin, end)
        for begin, end in gaps
        if (often := usual[begin // grid.step_ms]) == 1 or end - begin > LEAST_PERIODS * often * grid.step_ms
    ]


def _filled(grid: Grid, known: Ints) -> list[int]:
    """The numbers of the steps that have values."""
    return [grid.first + int(at) for at in known.nonzero()[0]]


def longest(gaps: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """At most so many of `gaps`, in order of time."""
    return sorted(sorted(gaps, key=lambda gap: gap[0] - gap[1])[:most])


def reasons(from_ms: int, to_ms: int, lost: int, known: Known) -> list[GapReason]:
    """What explains that there is nothing between two times; `lost`: batches that the agent says it lost meanwhile."""
    dropped = GapReason("retention", "What is older is not kept", None, known.kept_ms)
    before = [dropped] if from_ms < known.kept_ms else []
    if to_ms <= known.kept_ms:
        return before
    if known.first_ms is None:
        return [*before, GapReason("first", "No sample of this is stored")]
    if to_ms <= known.first_ms:
        return [*before, GapReason("first", "The first sample is later", None, known.first_ms)]
    found = [
        *_by_marks(from_ms, to_ms, known.marks),
        *_by_agent(to_ms, lost, known),
        *_by_refusals(from_ms, to_ms, known.refusals),
        *(_by_state(from_ms, known) if to_ms >= known.now_ms else []),
        *before,
    ]
    if known.watched_only:
        found.append(GapReason("unwatched", "It is sampled only while somebody watches the host"))
    return found or [GapReason("unknown", UNKNOWN)]


def _by_agent(to_ms: int, lost: int, known: Known) -> list[GapReason]:
    found = []
    if lost > 0:
        found.append(GapReason("dropped", f"The agent lost {lost} batches, as its spool was full"))
    if known.waiting and known.oldest_ms <= to_ms:
        text = f"The agent has {known.waiting} batches still to send, which may fill it"
        found.append(GapReason("pending", text, known.oldest_ms))
    return found


def _by_refusals(from_ms: int, to_ms: int, refusals: Sequence[Refusal]) -> list[GapReason]:
    return [
        GapReason("refused", f"{one.rows} rows of {one.family} were refused: {one.reason}", one.last)
        for one in refusals
        if from_ms <= one.last <= to_ms + REFUSED_LATER_MS
    ]


def _by_state(from_ms: int, known: Known) -> list[GapReason]:
    """Why nothing has come until now."""
    if known.archived:
        return [GapReason("archived", "The host is archived: nothing is taken in", from_ms)]
    return [GapReason("silent", "Nothing has come since", from_ms)] if known.offline else []


def _by_marks(from_ms: int, to_ms: int, marks: Sequence[Mark]) -> list[GapReason]:
    found: list[GapReason] = []
    for mark in marks:
        kind = _OF_MARKS.get(mark.kind)
        ended = mark.end is not None and mark.end < from_ms - SLACK_MS
        if kind is None or ended or mark.time > to_ms:
            continue
        text = f"{mark.title}: {mark.detail}" if mark.detail else mark.title
        found.append(GapReason(kind, text, mark.time, mark.end))
    return sorted(found, key=lambda reason: _ORDER.index(reason.kind))
