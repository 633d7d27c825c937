"""What each table takes, how fast it grows, and what it will come to at that rate with the settings in force.

Row counts are the database's estimates. Rates are those of the parts of the last days, over the time they cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from infra.storage.database import Connection
from infra.storage.engine import Part, Table, detect, tables_of
from infra.storage.engines.tables import Kind, quoted
from schemas.catalogue import Family
from schemas.storage import DayUse, Kept, PartUse, StorageUse, TableUse
from services.retention import sql
from services.retention.guard import ReadSpace, read_space
from services.retention.job import read_settings
from services.retention.policy import COLD_AFTER, kept_days
from services.retention.strays import strays

DAY = timedelta(days=1)
KINDS: tuple[Kind, ...] = ("raw", "minute", "hour")
RATED_PARTS = 7
"""Rates are over the newest so many parts."""
_LEAST_BYTES = 2**18
"""Smaller parts are pages half empty, which say nothing of what a row takes."""
_INDEX_ROW_BYTES = 28
_LEAST_COVERED = timedelta(minutes=10)
"""Of less no rate is told."""


async def measure(
    database: Connection, catalogue: Sequence[Family], now: datetime, space: ReadSpace = read_space
) -> StorageUse:
    """Sizes of everything; reads only what the database knows already, and the oldest row of a few hosts."""
    engine = await detect(database, catalogue)
    kept = kept_days(await read_settings(database))
    tables = tables_of(catalogue)
    parts = await engine.parts(database, tables)
    newest: datetime | None = await database.fetchval(sql.NEWEST_SAMPLE)
    until = min(now, newest or now)
    used = []
    for kind in KINDS:
        some = [table for table in tables if table.kind == kind]
        since = await _oldest_row(database, some)
        for table in some:
            own = [part for part in parts if part.table == table.name]
            used.append(usage(table, own, kept, since, until, engine.name != "native"))
    needs = [table.need_bytes for table in used if table.need_bytes is not None]
    room = await space(database)
    return StorageUse(
        engine.name,
        kept,
        used,
        days_of(parts, catalogue),
        parts_of(parts, catalogue),
        room.database_bytes,
        sum(needs) if needs else None,
        [kind for kind in KINDS if all(table.need_bytes is None for table in used if table.kind == kind)],
        room.free_bytes,
        room.disk_bytes,
        await strays(database, engine, catalogue),
    )


def usage(
    table: Table, parts: Sequence[Part], kept: Kept, since: datetime | None, until: datetime, columnar: bool
) -> TableUse:
    """What `parts` of a table say of it; its rows are from `since` to `until`."""
    rows = sum(part.rows_estimate for part in parts)
    size = sum(part.bytes for part in parts)
    values = rows * len(table.family.metrics)
    rate = rows_per_day(parts, since, until)
    hot = [part for part in parts if not part.compressed and part.rows_estimate]
    cold = [part for part in parts if part.compressed and part.rows_estimate]
    hot_row = _per_row([part.bytes for part in hot], hot) or _per_row([part.bytes_before or 0 for part in cold], cold)
    hot_row = hot_row or table.row_bytes + _INDEX_ROW_BYTES
    cold_row = min(_per_row([part.bytes for part in cold], cold) or hot_row, hot_row)
    need = None
    if rate is not None:
        kept_for = getattr(kept, f"{table.kind}_days") + table.days
        hot_for = min(kept_for, table.days + COLD_AFTER / DAY) if columnar else kept_for
        need = rate * (hot_for * hot_row + (kept_for - hot_for) * cold_row)
    return TableUse(
        table.family.name,
        table.kind,
        rows,
        size,
        sum(part.bytes for part in parts if part.compressed),
        uncompressed(parts),
        values,
        size / values if values else None,
        rate,
        None if rate is None else rate * hot_row,
        need,
    )


def rows_per_day(parts: Sequence[Part], since: datetime | None, until: datetime) -> float | None:
    """Over the newest parts that hold something, and only over what of them lies between `since` and `until`."""
    if since is None:
        return None
    newest = sorted((part for part in parts if part.rows_estimate and part.first < until), key=lambda part: part.first)
    rows = 0
    covered = timedelta()
    for part in newest[-RATED_PARTS:]:
        rows += part.rows_estimate
        covered += max(timedelta(), min(part.last, until) - max(part.first, since))
    return rows / (covered / DAY) if covered >= _LEAST_COVERED else None


def uncompressed(parts: Sequence[Part]) -> int | None:
    """What `parts` would take uncompressed; None where one does not say."""
    total = 0
    for part in parts:
        size = part.bytes_before if part.compressed else part.bytes
        if size is None:
            return None
        total += size
    return total


def days_of(parts: Sequence[Part], catalogue: Sequence[Family]) -> list[DayUse]:
    """Raw parts by day."""
    names = {table.name for table in tables_of(catalogue, "raw")}
    by_day: dict[datetime, list[Part]] = {}
    for part in parts:
        if part.table in names and part.rows_estimate:
            by_day.setdefault(part.first, []).append(part)
    return [
        DayUse(
            f"{first.astimezone(UTC):%Y-%m-%d}",
            sum(part.rows_estimate for part in some),
            sum(part.bytes for part in some),
            sum(part.bytes for part in some if part.compressed),
            uncompressed(some),
        )
        for first, some in sorted(by_day.items())
    ]


def parts_of(parts: Sequence[Part], catalogue: Sequence[Family]) -> list[PartUse]:
    """What holds rows, by family and kind, the oldest first."""
    tables = {table.name: table for table in tables_of(catalogue)}
    order = {name: number for number, name in enumerate(tables)}
    used = [part for part in parts if part.table in tables and part.rows_estimate]
    return [
        PartUse(
            tables[part.table].family.name,
            tables[part.table].kind,
            f"{part.first.astimezone(UTC):%Y-%m-%d}",
            tables[part.table].days,
            part.rows_estimate,
            part.bytes,
            part.compressed,
        )
        for part in sorted(used, key=lambda part: (order[part.table], part.first))
    ]


def _per_row(sizes: Sequence[int], parts: Sequence[Part]) -> float | None:
    rows = sum(part.rows_estimate for part in parts)
    return sum(sizes) / rows if rows and sum(sizes) >= _LEAST_BYTES else None


async def _oldest_row(database: Connection, tables: Sequence[Table]) -> datetime | None:
    """When the rows of these tables begin, by those of a few hosts in the tables where an index finds them."""
    found = []
    for table in tables:
        if not table.family.instance:
            query = sql.OLDEST_OF_HOSTS.format(table=quoted(table.name))
            found.append(await database.fetchval(query))
            if found[-1] is not None:
                break
    return min((time for time in found if time is not None), default=None)
