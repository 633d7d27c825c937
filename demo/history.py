"""The past in the tables: what the curves were, written straight as the rows that an installation would have by now.

Of long ago there are minutes and hours, as of a sample a minute, without the raw rows that any installation drops that
keeps them for a short time. Of the last hour or two there are raw rows, as dense as so many hosts allow, with the
minutes and hours that have ended; the rest is left to retention.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import numpy as np
from msgspec import Struct, field

from demo import sql
from demo.curves import lines_of
from demo.machines import DAY_S, Machine
from demo.noise import Ints
from demo.rows import Copy, hour_records, minute_copy, moment, raw_copy, rows_of
from demo.stories import HOUR_S
from infra.storage.database import Connection
from infra.storage.engine import Engine, Table, days_between, tables_of
from infra.storage.engines.tables import Kind
from schemas.catalogue import CATALOGUE, Family
from schemas.slots import SLOT_MS

logger = logging.getLogger(__name__)

SPARSE_S = 60
SLOT_S = SLOT_MS // 1000
DENSE_AT_LEAST_S = 1200
DENSE_HOST_SECONDS = 100_000
"""Raw seconds of all hosts together; more hosts have fewer samples each."""
_STEPS_S = (1, 2, 5, 10, 30, 60)
_TOGETHER_ROWS = 50_000
"""Made in one go, about."""
_TOGETHER_HOSTS = 100
PROGRESS_EVERY_S = 5.0
STORED = tuple(family for family in CATALOGUE if family.sampled != "watched")
Some = Sequence[Machine]
Instances = dict[tuple[int, str, str], int]
"""Id by host, family and name."""


class Span(Struct, frozen=True):
    """Samples every `step_s` from `from_s` to before `until_s`, Unix seconds."""

    from_s: int
    until_s: int
    step_s: int
    kinds: tuple[Kind, ...] = ("raw",)
    """Of tables that get rows."""

    def times(self, family: Family) -> Ints:
        """When `family` is sampled."""
        step_s = max(self.step_s, round(family.period_s))
        return np.arange(-(-self.from_s // step_s) * step_s, self.until_s, step_s, dtype=np.int64)


class Fleet(Struct, frozen=True):
    """Hosts that are in the tables."""

    machines: Sequence[Machine]
    ids: dict[str, int]
    instances: Instances


class Made(Struct):
    """Rows of one family, of some hosts, ready to be written."""

    family: Family
    raw: Copy | None
    minutes: Copy | None
    hours: tuple[list[str], list[tuple[Any, ...]]] | None
    rows: int
    newest_s: dict[int, int]
    """By host id."""


class Written(Struct):
    """What the tables have got."""

    rows: int = 0
    newest_s: dict[int, int] = field(default_factory=dict)
    """By host id."""


def spans(hosts: int, days: float, until_s: int) -> tuple[Span, Span]:
    """The sparse past and the dense one that follows it, from a whole hour on."""
    dense_s = (until_s - DENSE_AT_LEAST_S) // HOUR_S * HOUR_S
    from_s = min(dense_s, (until_s - round(days * DAY_S)) // HOUR_S * HOUR_S)
    return Span(from_s, dense_s, SPARSE_S, ("minute", "hour")), dense_span(hosts, dense_s, until_s)


def dense_span(hosts: int, from_s: int, until_s: int) -> Span:
    """A span with raw rows, as dense as so many hosts allow in an hour or two."""
    wanted_s = hosts * (until_s - from_s) / DENSE_HOST_SECONDS
    step_s = next((step for step in _STEPS_S if step >= wanted_s), _STEPS_S[-1])
    return Span(from_s, until_s, step_s, ("raw", "minute", "hour"))


async def enter_instances(database: Connection, machines: Sequence[Machine], ids: dict[str, int], at_s: int) -> Fleet:
    """Enter all instances of hosts that have none yet."""
    fleet = Fleet(machines, ids, {})
    for first in range(0, len(machines), _TOGETHER_HOSTS):
        entries = await asyncio.to_thread(_instances, machines[first : first + _TOGETHER_HOSTS], ids, at_s)
        columns = [list(column) for column in zip(*entries, strict=True)]
        for row in await database.fetch(sql.ADD_INSTANCES, *columns):
            fleet.instances[row["host_id"], row["family"], row["name"]] = row["id"]
    return fleet


def _instances(machines: Sequence[Machine], ids: dict[str, int], at_s: int) -> list[tuple[int, str, str, str]]:
    now = np.array([at_s])
    return [
        (ids[machine.name], family.name, line.instance, json.dumps(line.labels))
        for machine in machines
        for family in STORED
        if family.instance
        for line in lines_of(machine, family, now)
    ]


async def write_span(database: Connection, engine: Engine, fleet: Fleet, span: Span, written: Written) -> None:
    """Fill the tables with what was in `span`, of which they have nothing yet; minutes and hours as far as ended."""
    told_s = time.monotonic()
    days = days_between(moment(span.from_s), moment(span.until_s))
    await database.execute("SET synchronous_commit = off")
    async with database.transaction():
        await engine.make_room(database, tables_of(STORED, *span.kinds), days)

    def make(some: Some) -> list[Made]:
        return [made for family in STORED if (made := _make(fleet, some, family, span)) is not None]

    done = 0
    portions = list(_portions(fleet.machines, span))
    async with aclosing(_ahead(portions, make)) as coming:
        async for some, made in coming:
            for each in made:
                await _write(database, each, written)
            done += len(some)
            if time.monotonic() - told_s > PROGRESS_EVERY_S:
                told_s = time.monotonic()
                facts = {"done": done, "hosts": len(fleet.machines), "rows": written.rows}
                logger.info("history progress", extra={**facts, "raw": "raw" in span.kinds})


async def settle(database: Connection, fleet: Fleet, raw: Span, written: Written) -> None:
    """Say since when there are raw rows, those of `raw`, and leave to retention what of them it has yet to roll up."""
    await database.execute(sql.RAW_FROM, moment(raw.from_s))
    await database.execute(sql.MARK, sorted(fleet.ids.values()), moment(_rolled_until(raw)), moment(raw.until_s - 1))
    newest = sorted(written.newest_s.items())
    await database.execute(sql.NEWEST, [host for host, _ in newest], [moment(at_s) for _, at_s in newest])
    for table in tables_of(STORED):
        await database.execute(f"ANALYZE {table.name}")
    await database.execute("ANALYZE instances")


def _rolled_until(span: Span) -> int:
    """The end of the last slot that `span` has whole."""
    return span.until_s // SLOT_S * SLOT_S if "minute" in span.kinds else span.from_s


def _portions(machines: Sequence[Machine], span: Span) -> Iterator[Sequence[Machine]]:
    """Hosts whose rows are made in one go."""
    each = sum(len(span.times(family)) * (3 if family.instance else 1) for family in STORED)
    many = max(1, _TOGETHER_ROWS // max(1, each))
    for first in range(0, len(machines), many):
        yield machines[first : first + many]


async def _ahead(
    portions: Sequence[Some], make: Callable[[Some], list[Made]]
) -> AsyncGenerator[tuple[Some, list[Made]]]:
    """What `make` makes of each portion, in a thread, while the one before is written."""
    coming: tuple[Some, asyncio.Future[list[Made]]] | None = None
    try:
        for some in portions:
            before, coming = coming, (some, asyncio.ensure_future(asyncio.to_thread(make, some)))
            if before is not None:
                yield before[0], await before[1]
        if coming is not None:
            yield coming[0], await coming[1]
    finally:
        if coming is not None:
            coming[1].cancel()


def _make(fleet: Fleet, some: Sequence[Machine], family: Family, span: Span) -> Made | None:
    rows = rows_of(some, family, span.times(family), fleet.ids, fleet.instances)
    if rows is None:
        return None
    ended = rows.part(rows.times < _rolled_until(span))
    whole = rows.part(rows.times < _rolled_until(span) // HOUR_S * HOUR_S)
    last = np.append(np.diff(rows.hosts) != 0, True)
    return Made(
        family,
        raw_copy(rows) if "raw" in span.kinds else None,
        minute_copy(ended) if "minute" in span.kinds and len(ended.times) else None,
        hour_records(whole) if "hour" in span.kinds and len(whole.times) else None,
        len(rows.times),
        dict(zip(rows.hosts[last].tolist(), rows.times[last].tolist(), strict=True)),
    )


async def _write(database: Connection, made: Made, written: Written) -> None:
    for table, rows in ((Table(made.family), made.raw), (Table(made.family, "minute"), made.minutes)):
        if rows is not None:
            names, data = rows
            await database.copy_to_table(table.name, source=data, columns=names, format="binary")  # type: ignore[arg-type]
    if made.hours is not None:
        names, records = made.hours
        await database.copy_records_to_table(Table(made.family, "hour").name, records=records, columns=names)
    written.rows += made.rows
    for host, newest_s in made.newest_s.items():
        written.newest_s[host] = max(newest_s, written.newest_s.get(host, 0))
