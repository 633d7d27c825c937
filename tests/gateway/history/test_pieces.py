"""Which stretch is read from which table."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.api import Resolution
from services.gateway.history.pieces import SLOT_MS, Dirty, Piece, rows_of, split, tile
from services.gateway.history.resolution import HOUR_MS, LENGTH_MS, MINUTE_MS

START_MS = 1_800_000_000_000
ALL: tuple[Resolution, ...] = ("hour", "minute", "raw")
CLEAN = Dirty()


def at(minutes: float) -> int:
    return START_MS + round(minutes * MINUTE_MS)


def test_whole_clean_hours_come_from_hours() -> None:
    assert tile(at(0), at(180), ALL, CLEAN) == [Piece("hour", at(0), at(180))]


def test_ragged_edges_come_from_minutes_and_then_from_raw_rows() -> None:
    assert tile(at(50.5), at(130.25), ALL, CLEAN) == [
        Piece("raw", at(50.5), at(51)),
        Piece("minute", at(51), at(60)),
        Piece("hour", at(60), at(120)),
        Piece("minute", at(120), at(130)),
        Piece("raw", at(130), at(130.25)),
    ]


def test_a_dirty_slot_is_read_from_raw_rows_and_the_rest_of_its_hour_from_minutes() -> None:
    assert tile(at(0), at(120), ALL, Dirty(slots=[at(70)])) == [
        Piece("hour", at(0), at(60)),
        Piece("minute", at(60), at(70)),
        Piece("raw", at(70), at(80)),
        Piece("minute", at(80), at(120)),
    ]


def test_a_dirty_hour_is_read_from_minutes() -> None:
    assert tile(at(0), at(120), ALL, Dirty(hours=[at(0)])) == [
        Piece("minute", at(0), at(60)),
        Piece("hour", at(60), at(120)),
    ]


def test_what_is_dirty_elsewhere_changes_nothing() -> None:
    dirty = Dirty(slots=[at(-10), at(180)], hours=[at(-60), at(180)])
    assert tile(at(0), at(180), ALL, dirty) == [Piece("hour", at(0), at(180))]


def test_statistics_go_without_minutes() -> None:
    assert tile(at(30), at(190), ("hour", "raw"), Dirty(slots=[at(60)])) == [
        Piece("raw", at(30), at(120)),
        Piece("hour", at(120), at(180)),
        Piece("raw", at(180), at(190)),
    ]


def test_a_range_shorter_than_a_minute_is_read_from_raw_rows() -> None:
    assert tile(at(0.25), at(1.5), ALL, CLEAN) == [Piece("raw", at(0.25), at(1.5))]


SLOTS = st.sets(st.integers(-2, 40).map(lambda k: START_MS + k * SLOT_MS))
HOURS = st.sets(st.integers(-1, 7).map(lambda k: START_MS + k * HOUR_MS))


@given(st.integers(0, 3 * HOUR_MS), st.integers(1, 4 * HOUR_MS), SLOTS, HOURS, st.sampled_from([0, 1, 2]))
def test_pieces_cover_the_range_once_and_never_what_is_dirty(
    offset_ms: int, span_ms: int, slots: set[int], hours: set[int], skip: int
) -> None:
    first, last = START_MS + offset_ms, START_MS + offset_ms + span_ms
    pieces = tile(first, last, ALL[skip:], Dirty(slots, hours))
    assert (pieces[0].from_ms, pieces[-1].to_ms) == (first, last)
    assert all(one.to_ms == other.from_ms for one, other in pairwise(pieces))
    for source, begin, end in pieces:
        assert begin < end
        assert begin % LENGTH_MS[source] == end % LENGTH_MS[source] == 0
        if source != "raw":
            assert not any(slot < end and slot + SLOT_MS > begin for slot in slots)
        if source == "hour":
            assert not any(hour < end and hour + HOUR_MS > begin for hour in hours)


@given(st.integers(0, 3 * HOUR_MS), st.integers(1, 4 * HOUR_MS))
def test_split_pieces_are_the_same_stretch_in_shorter_ones(offset_ms: int, span_ms: int) -> None:
    whole = Piece("raw", START_MS + offset_ms, START_MS + offset_ms + span_ms)
    parts = list(split([whole], HOUR_MS))
    assert (parts[0].from_ms, parts[-1].to_ms) == (whole.from_ms, whole.to_ms)
    assert all(one.to_ms == other.from_ms and other.from_ms % HOUR_MS == 0 for one, other in pairwise(parts))
    assert all(part.to_ms - part.from_ms <= HOUR_MS for part in parts)


def test_rows_are_counted_by_period_or_by_bucket() -> None:
    pieces = [Piece("raw", at(0), at(1)), Piece("minute", at(1), at(11)), Piece("hour", at(60), at(180))]
    assert rows_of(pieces, 1000) == 60 + 10 + 2
    assert rows_of(pieces, 300_000) == 1 + 2 + 2
