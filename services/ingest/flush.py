"""One flush: rows, marks, dirty stretches and position of some messages, in ONE transaction.

If the process dies anywhere before the commit, nothing of it exists; after it, everything does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from infra.bus.ordered import Position
from infra.clock import to_time
from infra.storage.database import Connection, StaleIds
from infra.storage.engine import Engine, Table
from infra.storage.positions import MarkKey, forget_marks, mark_columns
from schemas.slots import SLOT_MS
from services.ingest import sql
from services.ingest.columns import FamilyRows
from services.ingest.copyformat import Field, encode_copy, timestamps
from services.ingest.known import CONSUMER, Known, hold
from services.ingest.unpack import Ints
from services.ingest.window import Clocks, Window, window

SLOTS_OF_DAY = 86_400_000 // SLOT_MS

Refusal = tuple[str, str, str]
"""Host, family, reason."""


@dataclass(slots=True)
class Flush:
    """What one transaction is to write."""

    stream: str
    position: Position
    """Of the last message that this flush accounts for."""
    families: list[FamilyRows]
    marks: dict[MarkKey, int]
    forgotten: list[MarkKey] = field(default_factory=list)
    """Marks that are not kept any more, as there are too many newer ones."""


@dataclass(slots=True)
class Encoded:
    """The rows of a flush that may be stored, as the database takes them."""

    window: Window
    """Rows outside of it were refused."""
    copies: list[tuple[str, list[str], bytearray]] = field(default_factory=list)
    """Table, columns and COPY stream."""
    rows: int = 0
    newest_ms: dict[int, int] = field(default_factory=dict)
    """Time of the newest row per host id."""
    slots: set[tuple[int, int]] = field(default_factory=set)
    """Host id and number since 1970 of each stretch of `SLOT_MS` that gets rows."""
    refused: dict[Refusal, int] = field(default_factory=dict)
    """Number of rows."""


def encode(flush: Flush, known: Known, now: datetime) -> Encoded:
    """`flush` for the database, at `now`; `known` knows every host and instance in it."""
    encoded = Encoded(_window(flush, known, now))
    for whole in flush.families:
        rows = _within(whole, encoded)
        if not rows.rows:
            continue
        host_ids = [known.hosts[host] for host, _ in rows.series]
        hosts = _per_row(rows, host_ids)
        columns = ["time", "host_id"]
        fields = [timestamps(rows.times_ms), Field("int4", hosts)]
        if rows.family.instance:
            columns.append("instance_id")
            ids = [known.instances[host, rows.family.name, instance][0] for host, instance in rows.series]
            fields.append(Field("int4", _per_row(rows, ids)))
        for metric, values, nulls in zip(rows.family.metrics, rows.values, rows.nulls, strict=True):
            columns.append(metric.name)
            fields.append(Field(metric.column, values, nulls))
        encoded.copies.append((rows.family.name, columns, encode_copy(fields)))
        encoded.rows += rows.rows
        encoded.slots |= _slots(hosts, rows.times_ms)
        _note_newest(encoded, rows, host_ids)
    return encoded


async def commit(
    database: Connection,
    engine: Engine,
    tables: Sequence[Table],
    flush: Flush,
    known: Known,
    encoded: Encoded,
    now: datetime,
    lock_wait_ms: int | None = None,
) -> Encoded:
    """Write `flush`, all or nothing; returns what was written: `encoded`, unless other rows may be stored by now.

    Waits `lock_wait_ms` for a lock, or as long as the connection does. Raises StaleIds.
    """
    async with database.transaction():
        if lock_wait_ms is not None:
            await database.execute(sql.LOCK_WAIT, str(lock_wait_ms))
        generation = known.held.generation
        known.held = await hold(database)
        if known.held.generation != generation:
            raise StaleIds("a host was removed, or instances were forgotten, since they were read")
        if not encoded.window.serves(_window(flush, known, now)):
            encoded = await asyncio.to_thread(encode, flush, known, now)
        if encoded.rows:
            copied = {table for table, _, _ in encoded.copies}
            days = {slot // SLOTS_OF_DAY for _, slot in encoded.slots}
            times = [to_time(day * SLOTS_OF_DAY * SLOT_MS) for day in days]
            await engine.make_room(database, [table for table in tables if table.name in copied], times)
        for table, columns, data in encoded.copies:
            # In one piece: the event loop gets little time while another thread prepares the next flush.
            await database.copy_to_table(table, source=data, columns=columns, format="binary")  # type: ignore[arg-type]
        await _refuse(database, encoded, known)
        await _finish(database, flush, encoded, known)
    return encoded


def clocks(flush: Flush, known: Known, now: datetime) -> Clocks:
    """What time it is, according to us, to the database when it was last asked, and to the bus."""
    return Clocks(int(now.timestamp() * 1000), known.held.database_ms, flush.position.time_ns // 1_000_000)


def _window(flush: Flush, known: Known, now: datetime) -> Window:
    return window(clocks(flush, known, now), known.raw_days, known.held.horizon_ms)


def _within(rows: FamilyRows, encoded: Encoded) -> FamilyRows:
    """The rows whose time may be stored; the others are counted."""
    early = rows.times_ms < encoded.window.earliest_ms
    late = rows.times_ms > encoded.window.latest_ms
    if not early.any() and not late.any():
        return rows
    for reason, mask in (("too old", early), ("ahead of the clock", late)):
        for index, number in zip(*np.unique(rows.series_of_row[mask], return_counts=True), strict=True):
            key = (rows.series[index][0], rows.family.name, reason)
            encoded.refused[key] = encoded.refused.get(key, 0) + int(number)
    return rows.keep(~(early | late))


def _per_row(rows: FamilyRows, per_series: list[int]) -> Ints:
    values: Ints = np.array(per_series, dtype=np.int64)[rows.series_of_row]
    return values


def _slots(hosts: Ints, times_ms: Ints) -> set[tuple[int, int]]:
    """Every (host id, slot) of some rows: most follow one like them, so few are left to look at."""
    keys = (hosts << 32) + times_ms // SLOT_MS
    changes = np.append(True, keys[1:] != keys[:-1])
    return {(key >> 32, key & 0xFFFFFFFF) for key in keys[changes].tolist()}


def _note_newest(encoded: Encoded, rows: FamilyRows, host_ids: list[int]) -> None:
    """Take the newest of `rows`, which lie together by series, into account; `host_ids` are those of the series."""
    starts = np.flatnonzero(np.append(True, rows.series_of_row[1:] != rows.series_of_row[:-1]))
    newest = np.maximum.reduceat(rows.times_ms, starts)
    for series, time_ms in zip(rows.series_of_row[starts].tolist(), newest.tolist(), strict=True):
        host = host_ids[series]
        encoded.newest_ms[host] = max(encoded.newest_ms.get(host, 0), time_ms)


async def _refuse(database: Connection, encoded: Encoded, known: Known) -> None:
    """Count refused rows per host, family and reason."""
    keys = sorted(encoded.refused)
    if keys:
        await database.execute(
            sql.REFUSE,
            [known.hosts[host] for host, _, _ in keys],
            [family for _, family, _ in keys],
            [reason for _, _, reason in keys],
            [encoded.refused[key] for key in keys],
        )


async def _finish(database: Connection, flush: Flush, encoded: Encoded, known: Known) -> None:
    """Newest samples, marks, what has to be rolled up anew, and the position."""
    newest = sorted(encoded.newest_ms.items())
    slots = sorted(encoded.slots)
    await database.execute(
        sql.FINISH,
        CONSUMER,
        flush.stream,
        flush.position.seq,
        flush.position.time_ns,
        [host for host, _ in newest],
        [to_time(time_ms) for _, time_ms in newest],
        *mark_columns(flush.marks, known.hosts),
        [host for host, _ in slots],
        [to_time(slot * SLOT_MS) for _, slot in slots],
    )
    await forget_marks(database, CONSUMER, flush.forgotten, known.hosts)
