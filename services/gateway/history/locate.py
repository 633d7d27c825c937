"""When a greatest value occurred and what the last value is, where a tally knows only the minute or the hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from infra.clock import to_ms
from infra.storage.database import Connection
from schemas.api import Resolution
from schemas.catalogue import Family, Metric
from services.gateway.history import sql
from services.gateway.history.pieces import Piece
from services.gateway.history.resolution import LENGTH_MS
from services.gateway.history.series import Line, Stretch, bounds_of
from services.gateway.history.tally import At, Tally

FINER: tuple[Resolution, ...] = ("minute", "raw")


class _Sought(NamedTuple):
    """A count of which only the hour or minute is known."""

    tally: Tally
    metric: int
    at: At
    stretch: Stretch


async def locate(
    database: Connection,
    family: Family,
    metrics: Sequence[Metric],
    lines: Sequence[Line],
    tallies: Sequence[Sequence[Tally]],
) -> None:
    """Make `greatest` and `last` of each tally as exact as the rows that remain allow.

    A greatest count whose raw row is gone keeps the begin of its minute or hour; a last count is unknown then.
    """
    for source in FINER:
        sought = _sought(lines, tallies, lambda tally: tally.greatest)
        if not sought:
            break
        query = sql.first_with(family, metrics, source)
        counts = [one.at.value for one in sought]
        for row, one in zip(await database.fetch(query, *_parameters(sought), counts), sought, strict=True):
            if row[0] is not None:
                one.tally.greatest = At(one.at.value, to_ms(row[0]), source)
    sought = _sought(lines, tallies, lambda tally: tally.last)
    if sought:
        query = sql.last_of(family, metrics)
        for row, one in zip(await database.fetch(query, *_parameters(sought)), sought, strict=True):
            one.tally.last = None if row[0] is None else At(row[0], one.at.time_ms, "raw")


def _sought(
    lines: Sequence[Line], tallies: Sequence[Sequence[Tally]], which: Callable[[Tally], At | None]
) -> list[_Sought]:
    """What `which` gives that is not yet from a raw row, with the bucket to search."""
    sought = []
    for line, of_line in zip(lines, tallies, strict=True):
        for k, tally in enumerate(of_line):
            at = which(tally)
            if at is not None and at.source != "raw":
                bucket = Piece(at.source, at.time_ms, at.time_ms + LENGTH_MS[at.source])
                sought.append(_Sought(tally, k, at, Stretch(line, bucket)))
    return sought


def _parameters(sought: Sequence[_Sought]) -> tuple[object, ...]:
    return (*bounds_of([one.stretch for one in sought]), [one.metric for one in sought])
