"""Days of history in seconds: what the curves were, copied into the raw tables and rolled up by the retention's code.

Long ago a sample a minute is taken, rolled up, and the raw rows are dropped like those of any installation that keeps
them for a short time. Of the last hour or two raw rows stay, as dense as so many hosts allow.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from msgspec import Struct

from demo import sql
from demo.curves import lines_of
from demo.lines import Line
from demo.machines import DAY_S, Machine
from demo.noise import Ints
from demo.stories import HOUR_S, is_up
from infra.clock import to_time
from infra.storage.database import Connection
from infra.storage.engine import Engine, days_between, tables_of
from schemas.catalogue import CATALOGUE, Family
from services.ingest.copyformat import Field, encode_copy, timestamps
from services.retention.rollup import roll_up

logger = logging.getLogger(__name__)

SPARSE_S = 60
DENSE_AT_LEAST_S = 1200
DENSE_HOST_SECONDS = 100_000
"""Raw seconds of all hosts together; more hosts have fewer samples each."""
_STEPS_S = (1, 2, 5, 10, 30, 60)
_TOGETHER_ROWS = 150_000
"""In one COPY, about."""
STORED = tuple(family for family in CATALOGUE if family.sampled != "watched")


class Span(Struct, frozen=True):
    """Samples every `step_s` from `from_s` to before `until_s`, Unix seconds."""

    from_s: int
    until_s: int
    step_s: int

    def times(self, family: Family) -> Ints:
        """When `family` is sampled."""
        step_s = max(self.step_s, round(family.period_s))
        return np.arange(-(-self.from_s // step_s) * step_s, self.until_s, step_s, dtype=np.int64)


class Written(Struct):
    """What the tables have got."""

    rows: int = 0
    newest_s: dict[int, int] = {}
    """By host id."""


def spans(hosts: int, days: float, until_s: int) -> tuple[Span, Span]:
    """The sparse past and the dense one that follows it, from a whole hour on."""
    dense_s = (until_s - DENSE_AT_LEAST_S) // HOUR_S * HOUR_S
    wanted_s = hosts * (until_s - dense_s) / DENSE_HOST_SECONDS
    step_s = next((step for step in _STEPS_S if step >= wanted_s), _STEPS_S[-1])
    from_s = min(dense_s, (until_s - round(days * DAY_S)) // HOUR_S * HOUR_S)
    return Span(from_s, dense_s, SPARSE_S), Span(dense_s, until_s, step_s)


async def write_history(
    database: Connection, engine: Engine, fleet: Sequence[Machine], ids: dict[str, int], days: float, until_s: int
) -> Written:
    """Fill the tables of hosts that have none yet, up to `until_s`."""
    started, written = time.perf_counter(), Written()
    logger.info("writing history", extra={"hosts": len(fleet), "days": days})
    sparse, dense = spans(len(fleet), days, until_s)
    instances = await _add_instances(database, fleet, ids, sparse.from_s)
    everyone = sorted(ids.values())
    await database.execute("SET synchronous_commit = off")
    if sparse.from_s < sparse.until_s:
        await _copy_span(database, engine, fleet, ids, instances, sparse, written)
        await database.execute(sql.MARK, everyone, _at(sparse.from_s), _at(sparse.until_s - 1))
        for table in tables_of(STORED, "raw"):
            await database.execute(f"ANALYZE {table.name}")
        await database.execute("ANALYZE instances, dirty_minutes")
        rolled = await roll_up(database, engine, CATALOGUE, _at(until_s), _at(sparse.until_s))
        tables = ", ".join(table.name for table in tables_of(STORED, "raw"))
        await database.execute(f"TRUNCATE {tables}")
        await database.execute(sql.UNMARK)
        await database.execute(sql.RAW_FROM, _at(sparse.until_s))
        logger.debug("history rolled up", extra={"slots": rolled.slots, "hours": rolled.hours, "s": rolled.seconds})
    await _copy_span(database, engine, fleet, ids, instances, dense, written)
    await database.execute(sql.MARK, everyone, _at(dense.from_s), _at(until_s))
    newest = sorted(written.newest_s.items())
    await database.execute(sql.NEWEST, [host for host, _ in newest], [_at(at_s) for _, at_s in newest])
    for table in tables_of(STORED):
        await database.execute(f"ANALYZE {table.name}")
    took_s = round(time.perf_counter() - started, 1)
    logger.info("history written", extra={"hosts": len(fleet), "days": days, "rows": written.rows, "seconds": took_s})
    return written


def _at(time_s: int) -> datetime:
    return to_time(time_s * 1000)


async def _add_instances(
    database: Connection, fleet: Sequence[Machine], ids: dict[str, int], at_s: int
) -> dict[tuple[int, str, str], int]:
    """Enter all instances; id by host, family and name."""
    now = np.array([at_s])
    entries = [
        (ids[machine.name], family.name, line.instance, json.dumps(line.labels))
        for machine in fleet
        for family in STORED
        if family.instance
        for line in lines_of(machine, family, now)
    ]
    columns = [list(column) for column in zip(*entries, strict=True)]
    rows = await database.fetch(sql.ADD_INSTANCES, *columns)
    return {(row["host_id"], row["family"], row["name"]): row["id"] for row in rows}


async def _copy_span(
    database: Connection,
    engine: Engine,
    fleet: Sequence[Machine],
    ids: dict[str, int],
    instances: dict[tuple[int, str, str], int],
    span: Span,
    written: Written,
) -> None:
    days = days_between(_at(span.from_s), _at(span.until_s))
    async with database.transaction():
        await engine.make_room(database, tables_of(STORED, "raw"), days)
    for family in STORED:
        for some in _portions(fleet, family, span):
            columns, data, rows = await asyncio.to_thread(_encode, some, family, ids, instances, span, written)
            if rows:
                await database.copy_to_table(family.name, source=data, columns=columns, format="binary")  # type: ignore[arg-type]
                written.rows += rows


def _portions(fleet: Sequence[Machine], family: Family, span: Span) -> Iterator[Sequence[Machine]]:
    """Hosts whose rows go into one COPY."""
    each = len(span.times(family)) * (3 if family.instance else 1)
    many = max(1, _TOGETHER_ROWS // max(1, each))
    for first in range(0, len(fleet), many):
        yield fleet[first : first + many]


def _encode(
    some: Sequence[Machine],
    family: Family,
    ids: dict[str, int],
    instances: dict[tuple[int, str, str], int],
    span: Span,
    written: Written,
) -> tuple[list[str], bytearray, int]:
    """Columns, COPY stream and number of the rows of `family`, host by host, instance by instance."""
    whole = span.times(family)
    times: list[Ints] = []
    hosts: list[Ints] = []
    numbers: list[Ints] = []
    lines: list[Line] = []
    for machine in some:
        at = whole[is_up(machine, whole)]
        if not len(at):
            continue
        host = ids[machine.name]
        for line in lines_of(machine, family, at):
            lines.append(line)
            times.append(at)
            hosts.append(np.full(len(at), host))
            numbers.append(np.full(len(at), instances.get((host, family.name, line.instance), 0)))
            written.newest_s[host] = max(written.newest_s.get(host, 0), int(at[-1]))
    if not lines:
        return [], bytearray(), 0
    names = ["time", "host_id"]
    fields = [timestamps(1000 * np.concatenate(times)), Field("int4", np.concatenate(hosts))]
    if family.instance:
        names.append("instance_id")
        fields.append(Field("int4", np.concatenate(numbers)))
    for number, metric in enumerate(family.metrics):
        names.append(metric.name)
        unknown = np.repeat([line.unknown[number] for line in lines], [len(at) for at in times])
        values = np.concatenate([line.counts[number] for line in lines])
        fields.append(Field(metric.column, values, unknown if unknown.any() else None))
    return names, encode_copy(fields), len(fields[0].values)
