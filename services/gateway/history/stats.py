"""Reading statistics: from raw rows where those are few, else from hour rows, and raw ones for the ragged edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infra.storage import packed
from infra.storage.database import Connection
from schemas.api import Resolution
from schemas.catalogue import Family, Metric
from schemas.rules import InvalidField
from services.gateway.history import sql
from services.gateway.history.pieces import Piece, rows_of, split
from services.gateway.history.resolution import HOUR_MS, Reach, widened
from services.gateway.history.series import Line, Lines, Stretch, Wanted, bounds_of, fetch
from services.gateway.history.tally import Tally

EXACT_ROWS = 25_000
"""Ranges with at most so many raw rows per instance are answered from those alone: 7 hours at 1 Hz."""
EXACT_COUNTS = 10_000_000
"""Nor are more counts than this kept of one family at once."""
PORTION_COUNTS = 1_000_000
"""About so many counts come with one query."""
MOST_SKETCHES = 200_000
"""Most hours of all metrics of one answer together: a second of work."""


def choose_sources(from_ms: int, to_ms: int, period_ms: int, reach: Reach) -> tuple[int, int, tuple[Resolution, ...]]:
    """The range to answer and what from. Where raw rows are gone the range is widened to whole hours. Pure."""
    if from_ms < reach.raw_ms:
        first, last = widened(from_ms, to_ms, "hour")
        return first, last if to_ms <= reach.raw_ms else to_ms, ("hour", "raw")
    if rows_of([Piece("raw", from_ms, to_ms)], period_ms) <= EXACT_ROWS:
        return from_ms, to_ms, ("raw",)
    return from_ms, to_ms, ("hour", "raw")


async def read_tallies(
    database: Connection,
    family: Family,
    metrics: Sequence[Metric],
    lines: Sequence[Line],
    pieces: Mapping[int, list[Piece]],
    periods_ms: Mapping[int, int],
) -> list[list[Tally]]:
    """A tally per line and metric over each host's pieces; exact where all of those are raw and few.

    `periods_ms`: how often each host has a row.
    """
    rows = [rows_of(pieces[line.host_id], periods_ms[line.host_id]) for line in lines]
    few = sum(rows) * len(metrics) <= EXACT_COUNTS
    tallies: list[list[Tally]] = []
    for line, of_line in zip(lines, rows, strict=True):
        raw = all(piece.source == "raw" for piece in pieces[line.host_id])
        tallies.append([Tally(raw and few and of_line <= EXACT_ROWS) for _ in metrics])
    numbers = {line: k for k, line in enumerate(lines)}
    hours = [Stretch(line, piece) for line in lines for piece in pieces[line.host_id] if piece.source == "hour"]
    for stretch, begins, *sums in await fetch(database, sql.hours(family, metrics), hours):
        times = packed.times_ms(begins)
        for k, tally in enumerate(tallies[numbers[stretch.line]]):
            known, total, least, greatest, sketches = sums[5 * k : 5 * k + 5]
            tally.add_buckets(
                times,
                packed.ints(known),
                packed.floats(total),
                packed.ints(least),
                packed.ints(greatest),
                sketches,
            )
    for portion in _portions(lines, pieces, len(metrics), periods_ms):
        for stretch, times_us, *counts in await fetch(database, sql.rows(family, metrics), portion):
            times = packed.times_ms(times_us)
            for tally, column in zip(tallies[numbers[stretch.line]], counts, strict=True):
                tally.add_rows(times, packed.ints(column))
    return tallies


async def check_sketches(database: Connection, wanted: Wanted, lines: Lines, pieces: Mapping[int, list[Piece]]) -> None:
    """Raise InvalidField when there are more hours to read than MOST_SKETCHES; they are counted where they may be."""
    hours = {number: [piece for piece in own if piece.source == "hour"] for number, own in pieces.items()}
    columns, possible, there = 0, 0, 0
    for family, metrics in wanted:
        columns += len(metrics) * len(lines[family.name])
        for line in lines[family.name]:
            possible += len(metrics) * sum(piece.to_ms - piece.from_ms for piece in hours[line.host_id]) // HOUR_MS
    if possible <= MOST_SKETCHES:
        return
    for family, metrics in wanted:
        stretches = [Stretch(line, piece) for line in lines[family.name] for piece in hours[line.host_id]]
        there += len(metrics) * await database.fetchval(sql.count_hours(family), *bounds_of(stretches))
    if there > MOST_SKETCHES:
        remedy = (
            f"{there} hour rows would have to be read, at most {MOST_SKETCHES} are allowed; "
            f"request fewer metrics, one instance, or a shorter range"
        )
        raise InvalidField("metrics", columns, remedy)


def _portions(
    lines: Sequence[Line], pieces: Mapping[int, list[Piece]], metrics: int, periods_ms: Mapping[int, int]
) -> Iterator[list[Stretch]]:
    """The raw stretches in portions of bounded size, however long they are: cut into hours."""
    portion: list[Stretch] = []
    counts = 0
    for line in lines:
        for piece in split((piece for piece in pieces[line.host_id] if piece.source == "raw"), HOUR_MS):
            portion.append(Stretch(line, piece))
            counts += metrics * rows_of([piece], periods_ms[line.host_id])
            if counts >= PORTION_COUNTS:
                yield portion
                portion, counts = [], 0
    if portion:
        yield portion
