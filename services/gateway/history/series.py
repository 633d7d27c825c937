"""Reading series from the family tables: whose rows, what of them is dirty, and sums over the steps of a grid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from infra.clock import to_ms, to_time
from infra.storage import packed
from infra.storage.database import Connection
from schemas.api import Resolution
from schemas.catalogue import Family, Metric
from services.gateway.history import sql
from services.gateway.history.aggregate import Summary, place
from services.gateway.history.pieces import Dirty, Piece, tile
from services.gateway.history.resolution import Grid

Wanted = Sequence[tuple[Family, Sequence[Metric]]]

SOURCES: dict[Resolution, tuple[Resolution, ...]] = {
    "raw": ("raw",),
    "minute": ("minute", "raw"),
    "hour": ("hour", "minute", "raw"),
}
"""What an answer of each resolution is read from, coarse before fine."""


class Line(NamedTuple):
    """One instance of one family on one host: what has a value of each metric at a time."""

    host: str
    host_id: int
    instance_id: int
    """0 in a family without instances."""
    instance: str


class Stretch(NamedTuple):
    """A piece to read for a line."""

    line: Line
    piece: Piece


Lines = Mapping[str, list[Line]]
"""Family -> its lines, by host and then by instance."""


async def read_lines(
    database: Connection, hosts: Mapping[int, str], families: Iterable[Family], instance: str | None
) -> dict[str, list[Line]]:
    """The lines of each family on `hosts`, id -> name; of a family with instances only `instance`, unless None."""
    families = list(families)
    named = [family.name for family in families if family.instance]
    found: dict[tuple[str, int], list[Line]] = {}
    if named:
        for row in await database.fetch(sql.INSTANCES, list(hosts), named, instance):
            line = Line(hosts[row["host_id"]], row["host_id"], row["id"], row["name"])
            found.setdefault((row["family"], line.host_id), []).append(line)
    return {
        family.name: [
            line
            for number, name in hosts.items()
            for line in (found.get((family.name, number), []) if family.instance else [Line(name, number, 0, "")])
        ]
        for family in families
    }


async def with_rows(
    database: Connection, family: Family, lines: Sequence[Line], pieces: Mapping[int, list[Piece]]
) -> list[Line]:
    """Those of `lines` that have a row within their host's pieces; of a family without instances all.

    Every container and disk that there ever was has a line, and most are long gone.
    """
    return await with_any_row(database, family, lines, pieces) if family.instance else list(lines)


async def with_any_row(
    database: Connection, family: Family, lines: Sequence[Line], pieces: Mapping[int, list[Piece]]
) -> list[Line]:
    """Those of `lines` that have a row within their host's pieces."""
    there: set[Line] = set()
    for source in SOURCES["hour"]:
        spans = []
        for line in lines:
            own = [piece for piece in pieces[line.host_id] if piece.source == source]
            if own and line not in there:
                spans.append(Stretch(line, Piece(source, own[0].from_ms, own[-1].to_ms)))
        there |= {row[0].line for row in await fetch(database, sql.any_row(family, source), spans)}
    return [line for line in lines if line in there]


async def read_dirty(database: Connection, host_ids: Collection[int], from_ms: int, until_ms: int) -> dict[int, Dirty]:
    """What of each host awaits its roll-up within [from_ms, until_ms); read it in one snapshot with the rows."""
    bounds = (list(host_ids), to_time(from_ms), to_time(until_ms))
    slots: dict[int, list[int]] = {}
    hours: dict[int, list[int]] = {}
    for number, is_hour, begin in await database.fetch(sql.DIRTY, *bounds):
        (hours if is_hour else slots).setdefault(number, []).append(to_ms(begin))
    return {number: Dirty(slots.get(number, ()), hours.get(number, ())) for number in host_ids}


async def read_pieces(
    database: Connection, host_ids: Collection[int], from_ms: int, to_ms: int, sources: Sequence[Resolution]
) -> dict[int, list[Piece]]:
    """Per host the pieces that make up [from_ms, to_ms), from the coarsest of `sources` that may serve each stretch."""
    if len(sources) == 1:
        return {number: [Piece(sources[0], from_ms, to_ms)] for number in host_ids}
    dirty = await read_dirty(database, host_ids, from_ms, to_ms)
    return {number: tile(from_ms, to_ms, sources, dirty[number]) for number in host_ids}


async def read_steps(
    database: Connection,
    family: Family,
    metrics: Sequence[Metric],
    lines: Sequence[Line],
    pieces: Mapping[int, list[Piece]],
    grid: Grid,
    period_ms: int = 0,
) -> list[list[Summary]]:
    """A summary per line and metric over `grid`; steps as long as `period_ms` take each row to its nearest border."""
    summaries = [[Summary(grid) for _ in metrics] for _ in lines]
    numbers = {line: k for k, line in enumerate(lines)}
    stretches = [Stretch(line, piece) for line in lines for piece in pieces[line.host_id]]
    if period_ms == grid.step_ms:
        for stretch, times, *counts in await fetch(database, sql.rows(family, metrics), stretches):
            index = place(packed.times_ms(times), grid)
            for summary, column in zip(summaries[numbers[stretch.line]], counts, strict=True):
                summary.add_rows(index, packed.ints(column))
        return summaries
    step = timedelta(milliseconds=grid.step_ms)
    for source in SOURCES["hour"]:
        some = [stretch for stretch in stretches if stretch.piece.source == source]
        for stretch, begins, *sums in await fetch(database, sql.steps(family, metrics, source), some, step):
            index = packed.times_ms(begins) // grid.step_ms - grid.first
            for k, summary in enumerate(summaries[numbers[stretch.line]]):
                known, total, least, greatest = sums[4 * k : 4 * k + 4]
                summary.add(index, packed.ints(known), packed.floats(total), packed.ints(least), packed.ints(greatest))
    return summaries


async def fetch(database: Connection, query: str, stretches: Sequence[Stretch], *more: object) -> list[Any]:
    """The answer of a query of `sql` over pieces, each row headed by its stretch instead of its number."""
    if not stretches:
        return []
    first = min(stretch.piece.from_ms for stretch in stretches)
    last = max(stretch.piece.to_ms for stretch in stretches)
    found = await database.fetch(query, *bounds_of(stretches), to_time(first), to_time(last), *more)
    return [(stretches[row[0]], *tuple(row)[1:]) for row in found]


def bounds_of(stretches: Sequence[Stretch]) -> tuple[list[int], list[int], list[datetime], list[datetime]]:
    """The first four parameters of a query over pieces."""
    return (
        [stretch.line.host_id for stretch in stretches],
        [stretch.line.instance_id for stretch in stretches],
        [to_time(stretch.piece.from_ms) for stretch in stretches],
        [to_time(stretch.piece.to_ms) for stretch in stretches],
    )
