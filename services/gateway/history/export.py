"""The rows of an export in portions, whatever the range: raw ones as they are, roll-ups by the reading rule.

Every portion is read in a transaction of its own, which has ended before the client is sent any of it. One transaction
for the whole would hold its locks and its snapshot for as long as the client likes, and with them every drop of a
partition, the disk guard and vacuum; and a deadline would break off large exports on slow lines that harm nobody. The
portions follow one another in time, so every stored row comes once and in order. Rows that come late to a portion that
is read already are not in it. Rows before the reach of retention are left out from the beginning; where retention drops
some while the export is under way, it ends as a failure, so that a file that is not whole never looks as if it were.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from msgspec import Struct

from infra.clock import to_ms, to_time
from infra.storage.database import Connection, Pool
from schemas.api import Resolution
from schemas.catalogue import Family, Metric
from services.gateway.history import sql
from services.gateway.history.arguments import read_reach, snapshot
from services.gateway.history.exportformat import Format, Row, csv_head, encoder, in_units, paths
from services.gateway.history.pieces import Piece, split
from services.gateway.history.resolution import LENGTH_MS, Grid, widened
from services.gateway.history.series import SOURCES, Line, Wanted, read_lines, read_pieces, read_steps, with_rows
from services.gateway.http.database import connected
from services.gateway.http.problems import unavailable

ENCODED_ROWS = 1000
"""Rows encoded at once: a few milliseconds between two turns of the event loop."""
PORTION_ROWS = 10_000
"""Raw rows read at once."""
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(hours=1)
"""Of what raw rows are read from at once: the server sorts no more."""
WINDOW_STEPS = 720
"""Minutes or hours of all instances read at once."""


class Export(Struct, frozen=True):
    """What to write."""

    host: str
    host_id: int
    wanted: Wanted
    instance: str | None
    from_ms: int
    to_ms: int
    resolution: Resolution
    format: Format


async def lines(pool: Pool, export: Export) -> AsyncGenerator[bytes]:
    """The export, family after family, each in order of time and then of instance.

    Raises ProblemError 503 when the database is away, or when rows are dropped before they are read.
    """
    columns = [name for family, metrics in export.wanted for name in paths(family, metrics, export.resolution)]
    if export.format == "csv":
        yield csv_head(columns)
    read = _raw if export.resolution == "raw" else _summed
    for family, metrics in export.wanted:
        encode = encoder(export.format, export.host, columns, paths(family, metrics, export.resolution))
        of_family, stored = await _stored(pool, export, family)
        for piece in stored:
            async for rows in read(pool, export, family, metrics, of_family, piece):
                for start in range(0, len(rows), ENCODED_ROWS):
                    yield encode(rows[start : start + ENCODED_ROWS])


async def _raw(
    pool: Pool, export: Export, family: Family, metrics: Sequence[Metric], lines: Sequence[Line], piece: Piece
) -> AsyncIterator[Sequence[Row]]:
    """Stored rows, of a stretch of time that has about as many as a portion."""
    names = {line.instance_id: line.instance for line in lines}
    query = sql.export(family, metrics)
    at, end = to_time(piece.from_ms), to_time(piece.to_ms)
    length, most = timedelta(minutes=1), PORTION_ROWS
    while at < end:
        until = min(at + length, end)
        async with snapshot(pool) as (database, _):
            records: Sequence[Any] = await database.fetch(query, export.host_id, list(names), at, until, most + 1)
        await _check_reach(pool, export, at)
        if len(records) > most:
            whole = before_last_moment(records)
            if not whole:
                most *= 2
                continue
            until = records[-1][0]
            length, records = max(until - at, SHORTEST), whole
        elif len(records) < most // 2:
            length = min(2 * length, LONGEST)
        at, most = until, PORTION_ROWS
        if records:
            times, instances, *counts = zip(*records, strict=True)
            values = in_units(metrics, counts)
            yield list(zip(map(to_ms, times), map(names.__getitem__, instances), *values, strict=True))


def before_last_moment(records: Sequence[Any]) -> Sequence[Any]:
    """Records without those of the last one's time, of which there may be more than were read. Pure."""
    count = len(records)
    while count and records[count - 1][0] == records[-1][0]:
        count -= 1
    return records[:count]


async def _summed(
    pool: Pool, export: Export, family: Family, metrics: Sequence[Metric], lines: Sequence[Line], piece: Piece
) -> AsyncIterator[Sequence[Row]]:
    """Average, least, greatest and count of every minute or hour that has a row."""
    step_ms = LENGTH_MS[export.resolution]
    for _, first_ms, until_ms in split([piece], WINDOW_STEPS * step_ms):
        first, last = first_ms // step_ms, until_ms // step_ms
        grid = Grid(first_ms, until_ms, step_ms, first, last - first)
        found: list[tuple[int, str, list[float | None]]] = []
        async with snapshot(pool) as (database, _):
            pieces = await read_pieces(database, [export.host_id], first_ms, until_ms, SOURCES[export.resolution])
            for line in lines:
                (summaries,) = await read_steps(database, family, metrics, [line], pieces, grid)
                columns = [
                    column
                    for metric, summary in zip(metrics, summaries, strict=True)
                    for column in (*summary.columns(metric), summary.known.tolist())
                ]
                rows = list(zip(grid.times_ms, *columns, strict=True))
                there = np.flatnonzero(np.logical_or.reduce([summary.known > 0 for summary in summaries]))
                found += [(rows[k][0], line.instance, list(rows[k][1:])) for k in there]
        await _check_reach(pool, export, to_time(first_ms))
        found.sort(key=lambda row: row[:2])
        yield [(time, instance, *values) for time, instance, values in found]


async def _check_reach(pool: Pool, export: Export, at: datetime) -> None:
    """Raise ProblemError when what was just read, from `at` on, may not have been whole: retention notes what it is
    about to drop before it does so, and this snapshot is younger than that of the rows."""
    async with connected(pool) as database:
        reach = await read_reach(database)
    if to_ms(at) < reach.begin_ms(export.resolution):
        detail = "retention dropped rows of this range during the export; export a range that starts later"
        raise unavailable(detail, "/problems/dropped")


async def _stored(pool: Pool, export: Export, family: Family) -> tuple[list[Line], list[Piece]]:
    """The lines that have rows, and what of the range is worth reading: whole steps from the first row to the last of
    any table it is read from."""
    span = (export.from_ms, export.to_ms)
    times: list[int] = []
    async with snapshot(pool) as (database, _):
        found = (await read_lines(database, {export.host_id: export.host}, [family], export.instance))[family.name]
        pieces = {export.host_id: [Piece(source, *span) for source in SOURCES[export.resolution]]}
        lines = await with_rows(database, family, found, pieces)
        for source in SOURCES[export.resolution]:
            times += await _extent(database, export, family, source, lines)
    if not times:
        return lines, []
    return lines, [Piece(export.resolution, *widened(min(times), max(times) + 1, export.resolution))]


async def _extent(
    database: Connection, export: Export, family: Family, source: Resolution, lines: Sequence[Line]
) -> list[int]:
    """When the first and the last row are from, if there are any."""
    span = (to_time(export.from_ms), to_time(export.to_ms))
    query = sql.extent(family, source)
    found = await database.fetchrow(query, export.host_id, [line.instance_id for line in lines], *span)
    return [to_ms(time) for time in found or () if time is not None]
