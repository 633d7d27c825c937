"""One flush: rows, marks and position of some messages, in ONE transaction.

If the process dies anywhere before the commit, nothing of it exists; after it, everything does. What was learned (ids,
marks, position) becomes known to `Known` only after the commit.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from infra.database import Connection, ensure_hosts
from infra.engine import Engine
from infra.ordered import Position
from infra.positions import Lane, load_marks, save_marks, save_position
from schemas.catalogue import Family
from services.ingest import sql
from services.ingest.columns import FamilyRows, Ints
from services.ingest.copyformat import Field, encode_copy, timestamps

CONSUMER = "ingest"
AHEAD = timedelta(minutes=5)
"""How far ahead of our clock a sample may be."""
COPY_CHUNK_BYTES = 256 * 1024

InstanceKey = tuple[str, str, str]
"""Host, family, instance name."""


@dataclass(slots=True)
class Known:
    """What the database is known to hold; begun anew with every connection."""

    hosts: dict[str, int]
    instances: dict[InstanceKey, tuple[int, dict[str, str]]]
    """Id and labels."""
    marks: dict[Lane, int]
    raw_days: int = 7


@dataclass(slots=True)
class Flush:
    """What one transaction is to write."""

    stream: str
    position: Position
    """Of the last message that this flush accounts for."""
    families: list[FamilyRows]
    marks: dict[Lane, int]
    newest_ms: dict[str, int] = field(default_factory=dict)
    """Newest sample time per host."""


async def load_known(database: Connection) -> Known:
    """What the database holds now."""
    hosts = {row["name"]: row["id"] for row in await database.fetch("SELECT name, id FROM hosts")}
    rows = await database.fetch(sql.INSTANCES)
    instances = {
        (row["host"], row["family"], row["name"]): (row["id"], dict(json.loads(row["labels"]))) for row in rows
    }
    return Known(hosts, instances, await load_marks(database, CONSUMER), await database.fetchval(sql.RAW_DAYS) or 7)


async def commit(
    database: Connection, engine: Engine, catalogue: tuple[Family, ...], flush: Flush, known: Known, now: datetime
) -> int:
    """Write `flush` and tell `known`; returns the number of rows copied."""
    earliest = day_start(now) - timedelta(days=known.raw_days)
    latest = now + AHEAD
    kept = [_within(rows, earliest, latest) for rows in flush.families]
    copied = [rows for rows, _ in kept if rows.rows]
    new_hosts: dict[str, int] = {}
    async with database.transaction():
        if copied:
            first = min(int(rows.times_ms.min()) for rows in copied)
            last = max(int(rows.times_ms.max()) for rows in copied)
            await engine.make_room(database, catalogue, _utc(first), _utc(last))
        missing = {host for host, _, _ in flush.marks} - known.hosts.keys()
        if missing:
            new_hosts = await ensure_hosts(database, missing)
        hosts = {**known.hosts, **new_hosts}
        new_instances = await _ensure_instances(database, copied, hosts, known)
        instances = {**known.instances, **new_instances}
        for rows in copied:
            await _copy(database, rows, hosts, instances)
        await _refuse(database, [refused for _, refused in kept], hosts)
        await save_marks(database, CONSUMER, flush.marks, hosts)
        await _touch(database, flush.newest_ms, hosts, latest)
        await save_position(database, CONSUMER, flush.stream, flush.position)
    known.hosts = hosts
    known.instances = instances
    known.marks.update(flush.marks)
    return sum(rows.rows for rows in copied)


def day_start(at: datetime) -> datetime:
    """Midnight UTC before `at`."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _utc(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def _within(
    rows: FamilyRows, earliest: datetime, latest: datetime
) -> tuple[FamilyRows, dict[tuple[str, str, str], int]]:
    """The rows whose time may be stored, and how many of the others per (host, family, reason)."""
    early = rows.times_ms < earliest.timestamp() * 1000
    late = rows.times_ms > latest.timestamp() * 1000
    if not early.any() and not late.any():
        return rows, {}
    refused: dict[tuple[str, str, str], int] = {}
    for reason, mask in (("too old", early), ("ahead of the clock", late)):
        for index, number in zip(*np.unique(rows.series_of_row[mask], return_counts=True), strict=True):
            key = (rows.series[index][0], rows.family.name, reason)
            refused[key] = refused.get(key, 0) + int(number)
    return rows.keep(~(early | late)), refused


async def _ensure_instances(
    database: Connection, families: list[FamilyRows], hosts: dict[str, int], known: Known
) -> dict[InstanceKey, tuple[int, dict[str, str]]]:
    """Ids of instances that `known` lacks or has with other labels."""
    wanted: dict[InstanceKey, dict[str, str]] = {}
    for rows in families:
        if not rows.family.instance:
            continue
        for (host, instance), labels in zip(rows.series, rows.labels, strict=True):
            key = (host, rows.family.name, instance)
            held = known.instances.get(key)
            if held is None or (labels and held[1] != labels):
                wanted[key] = labels
    if not wanted:
        return {}
    keys = sorted(wanted)
    answer = await database.fetch(
        sql.UPSERT_INSTANCES,
        [hosts[host] for host, _, _ in keys],
        [family for _, family, _ in keys],
        [instance for _, _, instance in keys],
        [json.dumps(wanted[key]) for key in keys],
    )
    names = {hosts[host]: host for host, _, _ in keys}
    return {
        key: (row["id"], wanted[key]) for row in answer for key in [(names[row["host_id"]], row["family"], row["name"])]
    }


async def _copy(
    database: Connection,
    rows: FamilyRows,
    hosts: dict[str, int],
    instances: dict[InstanceKey, tuple[int, dict[str, str]]],
) -> None:
    """COPY one family's rows into its table."""
    family = rows.family
    names = ["time", "host_id"]
    fields = [timestamps(rows.times_ms), Field("int4", _per_row(rows, [hosts[host] for host, _ in rows.series]))]
    if family.instance:
        names.append("instance_id")
        ids = [instances[host, family.name, instance][0] for host, instance in rows.series]
        fields.append(Field("int4", _per_row(rows, ids)))
    for metric, values, nulls in zip(family.metrics, rows.values, rows.nulls, strict=True):
        names.append(metric.name)
        fields.append(Field(metric.column, values, nulls))
    await database.copy_to_table(family.name, source=_chunks(encode_copy(fields)), columns=names, format="binary")


def _per_row(rows: FamilyRows, per_series: list[int]) -> Ints:
    values: Ints = np.array(per_series, dtype=np.int64)[rows.series_of_row]
    return values


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    view = memoryview(data)
    for start in range(0, len(data), COPY_CHUNK_BYTES):
        yield bytes(view[start : start + COPY_CHUNK_BYTES])


async def _refuse(database: Connection, refusals: list[dict[tuple[str, str, str], int]], hosts: dict[str, int]) -> None:
    """Count refused rows per host, family and reason."""
    counts = {key: number for refused in refusals for key, number in refused.items()}
    if counts:
        keys = sorted(counts)
        await database.execute(
            sql.REFUSE,
            [hosts[host] for host, _, _ in keys],
            [family for _, family, _ in keys],
            [reason for _, _, reason in keys],
            [counts[key] for key in keys],
        )


async def _touch(database: Connection, newest_ms: dict[str, int], hosts: dict[str, int], latest: datetime) -> None:
    """Note the newest sample per host; a clock ahead of ours counts as ours."""
    names = sorted(newest_ms)
    if names:
        await database.execute(
            sql.TOUCH_HOSTS, [hosts[name] for name in names], [min(_utc(newest_ms[name]), latest) for name in names]
        )
