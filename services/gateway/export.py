"""The rows of an export in portions, whatever the range: raw ones through a cursor, roll-ups by the reading rule."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import numpy as np
from msgspec import Struct

from infra.database import Connection
from schemas.catalogue import Family, Metric
from services.gateway import sql_history
from services.gateway.exportformat import Format, Row, csv_head, encoder, in_units, paths
from services.gateway.history import SOURCES, Line, Wanted, read_lines, read_pieces, read_steps, to_ms, to_time
from services.gateway.pieces import Piece, split
from services.gateway.resolution import HOUR_MS, LENGTH_MS, Grid, Resolution, widened

PORTION_ROWS = 1000
"""Rows encoded at once: a few milliseconds between two turns of the event loop."""
WINDOW_STEPS = 720
"""Minutes or hours of all instances read at once."""


class Export(Struct, frozen=True):
    """What to write."""

    host: str
    wanted: Wanted
    instance: str | None
    from_ms: int
    to_ms: int
    resolution: Resolution
    format: Format


async def lines(database: Connection, host_id: int, export: Export) -> AsyncIterator[bytes]:
    """The export, family after family, each in order of time and then of instance; `database` is in one snapshot."""
    of_family = await read_lines(
        database, {host_id: export.host}, [family for family, _ in export.wanted], export.instance
    )
    columns = [name for family, metrics in export.wanted for name in paths(family, metrics, export.resolution)]
    if export.format == "csv":
        yield csv_head(columns)
    read = _raw if export.resolution == "raw" else _summed
    for family, metrics in export.wanted:
        encode = encoder(export.format, export.host, columns, paths(family, metrics, export.resolution))
        if of_family[family.name]:
            async for rows in read(database, export, family, metrics, of_family[family.name]):
                for start in range(0, len(rows), PORTION_ROWS):
                    yield encode(rows[start : start + PORTION_ROWS])


async def _raw(
    database: Connection, export: Export, family: Family, metrics: Sequence[Metric], lines: Sequence[Line]
) -> AsyncIterator[Sequence[Row]]:
    """Stored rows, hour by hour, so that the server never sorts more than that."""
    names = {line.instance_id: line.instance for line in lines}
    query = sql_history.export(family, metrics)
    stored = await _stored(database, export, family, lines)
    for _, first_ms, until_ms in split(stored, HOUR_MS):
        cursor = await database.cursor(query, lines[0].host_id, list(names), to_time(first_ms), to_time(until_ms))
        while records := await cursor.fetch(PORTION_ROWS):
            times, instances, *counts = zip(*records, strict=True)
            values = in_units(metrics, counts)
            yield list(zip(map(to_ms, times), map(names.__getitem__, instances), *values, strict=True))


async def _summed(
    database: Connection, export: Export, family: Family, metrics: Sequence[Metric], lines: Sequence[Line]
) -> AsyncIterator[Sequence[Row]]:
    """Average, least, greatest and count of every minute or hour that has a row."""
    step_ms = LENGTH_MS[export.resolution]
    stored = await _stored(database, export, family, lines)
    for _, first_ms, until_ms in split(stored, WINDOW_STEPS * step_ms):
        first, last = first_ms // step_ms, until_ms // step_ms
        grid = Grid(first_ms, until_ms, step_ms, first, last - first)
        pieces = await read_pieces(database, [lines[0].host_id], first_ms, until_ms, SOURCES[export.resolution])
        found: list[tuple[int, str, list[float | None]]] = []
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
        found.sort(key=lambda row: row[:2])
        yield [(time, instance, *values) for time, instance, values in found]


async def _stored(database: Connection, export: Export, family: Family, lines: Sequence[Line]) -> list[Piece]:
    """What of the range is worth reading: whole steps from the first row to the last of any table it is read from."""
    span = (to_time(export.from_ms), to_time(export.to_ms))
    times: list[int] = []
    for source in SOURCES[export.resolution]:
        query = sql_history.extent(family, source)
        found = await database.fetchrow(query, lines[0].host_id, [line.instance_id for line in lines], *span)
        times += [to_ms(time) for time in found or () if time is not None]
    if not times:
        return []
    return [Piece(export.resolution, *widened(min(times), max(times) + 1, export.resolution))]
