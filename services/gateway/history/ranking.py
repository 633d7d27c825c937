"""Which instances lead in a metric: by average or greatest value from sums, by p95 from sketches and raw rows.

Of each host the rows that a request takes are estimated from its own period before any is read, so that no answer takes
more than some seconds; and they are read in portions, so that memory stays flat however many hosts there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from infra.clock import now_ms
from infra.storage.database import Connection
from schemas.api import Ranking, Resolution
from schemas.catalogue import Family, Metric
from schemas.rules import InvalidField
from services.gateway.fleet.units import mean_to_unit, to_unit
from services.gateway.history.aggregate import Summary
from services.gateway.history.pieces import Piece, rows_of
from services.gateway.history.resolution import Grid, Reach, widened
from services.gateway.history.series import SOURCES, Line, read_pieces, read_steps
from services.gateway.history.stats import EXACT_ROWS, read_tallies
from services.gateway.history.tally import SHARES

MOST_ROWS = 3_000_000
"""Most rows that one answer may take to read: some seconds of work."""
MOST_RANKED_ROWS = 10_000_000
"""The same for ranking, of which only sums leave the database, or rows in portions: the running hour of 2,500 hosts at
1 Hz, which no sketch covers yet."""
SKETCH_ROWS = 5
"""An hour's sketch is as much work as so many raw rows of one metric."""
PORTION_ROWS = 250_000
"""About so many rows are ranked at once: some ten megabytes."""
P95 = SHARES.index(0.95)
ONE_STEP = Grid(0, 73_000 * 86_400_000, 73_000 * 86_400_000, 0, 1)
"""Two centuries from 1970 on: sums over a whole range."""

Pieces = Mapping[int, list[Piece]]
Periods = Mapping[int, int]
"""Host id -> milliseconds between its rows."""


def check_rows(lines: Sequence[Line], pieces: Pieces, periods_ms: Periods, most: int) -> None:
    """Raise InvalidField when the rows to read for `lines` are more than `most`."""
    rows = sum(_work(line, pieces, periods_ms, 1) for line in lines)
    if rows > most:
        raise _too_many(lines, periods_ms, rows, most)


async def rank(
    database: Connection,
    family: Family,
    metric: Metric,
    lines: Sequence[Line],
    span: tuple[int, int],
    periods_ms: Periods,
    reach: Reach,
    by: Ranking,
) -> list[tuple[float, Line]]:
    """The lines that have a value within `span`, each with the value that it is ranked by.

    Ranges of more raw rows than are read at once are widened to whole hours where p95 is asked, which have sketches.
    Raises InvalidField when even so there are too many.
    """
    if by == "p95":
        from_ms, to_ms, sources = choose_ranked(*span, lines, periods_ms, reach, now_ms())
        pieces = await read_pieces(database, {line.host_id for line in lines}, from_ms, to_ms, sources)
        ranked = await _percentiles(database, family, metric, lines, pieces, periods_ms)
    else:
        pieces = await read_pieces(database, {line.host_id for line in lines}, *span, SOURCES["hour"])
        check_rows(lines, pieces, periods_ms, MOST_RANKED_ROWS)
        summaries = await read_steps(database, family, [metric], lines, pieces, ONE_STEP)
        ranked = [(_extent(summary, metric, by), line) for (summary,), line in zip(summaries, lines, strict=True)]
    return [(value, line) for value, line in ranked if value is not None]


def choose_ranked(
    from_ms: int, to_ms: int, lines: Sequence[Line], periods_ms: Periods, reach: Reach, now_ms: int
) -> tuple[int, int, tuple[Resolution, ...]]:
    """The range to rank by p95 and what from: raw rows while those are few, else whole hours with sketches. Pure.

    Of an hour that has not ended there is no sketch; it is not widened to.
    """
    each = [rows_of([Piece("raw", from_ms, to_ms)], periods_ms[line.host_id]) for line in lines]
    if from_ms >= reach.raw_ms and sum(each) <= MOST_ROWS and max(each, default=0) <= EXACT_ROWS:
        return from_ms, to_ms, ("raw",)
    first, last = widened(from_ms, to_ms, "hour")
    return first, last if last <= now_ms else to_ms, ("hour", "raw")


async def _percentiles(
    database: Connection,
    family: Family,
    metric: Metric,
    lines: Sequence[Line],
    pieces: Pieces,
    periods_ms: Periods,
) -> list[tuple[float | None, Line]]:
    work = [_work(line, pieces, periods_ms, SKETCH_ROWS) for line in lines]
    if sum(work) > MOST_RANKED_ROWS:
        raise _too_many(lines, periods_ms, sum(work), MOST_RANKED_ROWS)
    convert = to_unit(metric)
    ranked: list[tuple[float | None, Line]] = []
    for portion in _portions(lines, work):
        tallies = await read_tallies(database, family, [metric], portion, pieces, periods_ms)
        # Off the event loop: the sketches of a thousand hosts' month take seconds.
        found = await asyncio.to_thread(lambda some: [tally.percentiles()[P95] for (tally,) in some], tallies)
        ranked += [(None if p is None else convert(p), line) for p, line in zip(found, portion, strict=True)]
    return ranked


def _portions(lines: Sequence[Line], work: Sequence[int]) -> Iterator[list[Line]]:
    portion: list[Line] = []
    total = 0
    for line, rows in zip(lines, work, strict=True):
        portion.append(line)
        total += rows
        if total >= PORTION_ROWS:
            yield portion
            portion, total = [], 0
    if portion:
        yield portion


def _work(line: Line, pieces: Pieces, periods_ms: Periods, sketch_rows: int) -> int:
    """The rows to read for a line, an hour's counted as `sketch_rows`."""
    own, period_ms = pieces[line.host_id], periods_ms[line.host_id]
    hours = rows_of((piece for piece in own if piece.source == "hour"), period_ms)
    return rows_of(own, period_ms) + (sketch_rows - 1) * hours


def _extent(summary: Summary, metric: Metric, by: Ranking) -> float | None:
    if by == "max":
        peak = summary.peak()
        return None if peak is None else to_unit(metric)(peak)
    mean = summary.mean()
    return None if mean is None else mean_to_unit(metric, mean)


def _too_many(lines: Sequence[Line], periods_ms: Periods, rows: int, most: int) -> InvalidField:
    """With what helps for certain: so short a range that even its raw rows are few enough."""
    periods = [periods_ms[line.host_id] for line in lines]
    longest_s = int(min(0.9 * MOST_ROWS / sum(1 / period for period in periods), EXACT_ROWS * min(periods)) / 1000)
    shorter = f", or request a range of at most {longest_s} s" if longest_s > 0 else ""
    remedy = f"about {rows} rows would have to be read, at most {most} are allowed; name fewer hosts{shorter}"
    return InvalidField("hosts", len(lines), remedy)
