"""The tables of a family: raw rows, and roll-ups to minutes and to hours; what both engines share about them.

A roll-up has per metric how many values are known (`_n`), their exact sum (`_sum`), the least and the greatest (`_min`,
`_max`), and for an hour a sketch for percentiles (`_sketch`, see `infra.storage.sketch`). Where nothing is known, `_n`
is 0 and the rest null. Sums are integers of counts, so that roll-ups of roll-ups stay exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from msgspec import Struct

from infra.storage.database import Connection
from schemas.catalogue import Family, Metric

Kind = Literal["raw", "minute", "hour"]

SUFFIX: dict[Kind, str] = {"raw": "", "minute": "_1m", "hour": "_1h"}
_DAYS: dict[Kind, int] = {"raw": 1, "minute": 7, "hour": 28}
_EPOCH = date(1970, 1, 1)
_WIDTHS = {"int2": 2, "int4": 4, "int8": 8, "timestamptz": 8, "numeric": 10, "bytea": 60}
_VARYING = ("numeric", "bytea")
_ROW_BYTES = 32
"""Header, item pointer and padding of a row."""


class SchemaError(Exception):
    """The database holds something that the catalogue contradicts; the text says what and what to do."""


class Table(Struct, frozen=True):
    """One table of a family."""

    family: Family
    kind: Kind = "raw"

    @property
    def name(self) -> str:
        return self.family.name + SUFFIX[self.kind]

    @property
    def days(self) -> int:
        """How many UTC days one partition or chunk is for."""
        return _DAYS[self.kind]

    @property
    def keys(self) -> list[str]:
        """What rows are found by, besides the metrics."""
        return ["host_id", "instance_id", "time"] if self.family.instance else ["host_id", "time"]

    @property
    def columns(self) -> dict[str, str]:
        """Every column with its type, in order.

        A roll-up's are laid out without gaps and have those of varying length last: readers find the others quicker.
        """
        keys = {"time": "timestamptz", "host_id": "int4"} | ({"instance_id": "int4"} if self.family.instance else {})
        if self.kind == "raw":
            return keys | {metric.name: metric.column for metric in self.family.metrics}
        rolled: dict[str, str] = {}
        for metric in self.family.metrics:
            rolled |= _rolled(metric, self.kind)
        varying = {name: kind for name, kind in rolled.items() if kind in _VARYING}
        return keys | {name: kind for name, kind in rolled.items() if name not in varying} | varying

    @property
    def row_bytes(self) -> int:
        """About what a row takes in the table alone, as long as nobody has counted."""
        return _ROW_BYTES + sum(_WIDTHS[kind] for kind in self.columns.values())


class Part(Struct, frozen=True):
    """A partition or chunk."""

    table: str
    name: str
    first: datetime
    last: datetime
    """Its end, exclusive."""
    bytes: int
    """With its indexes."""
    rows_estimate: int
    compressed: bool = False
    bytes_before: int | None = None
    """What it took before it was compressed, if it is."""
    stale: bool = False
    """Compressed, but rows came since; it will be compressed again."""
    relation: str = ""
    """What it is called in SQL."""


class Dropped(Struct, frozen=True):
    """A partition or chunk that was dropped."""

    table: str
    name: str
    bytes: int
    """With its indexes."""
    rows_estimate: int


def tables_of(catalogue: Sequence[Family], *kinds: Kind) -> list[Table]:
    """The tables of every family, all of each of `kinds` together; of all kinds without any."""
    return [Table(family, kind) for kind in kinds or tuple(SUFFIX) for family in catalogue]


def _rolled(metric: Metric, kind: Kind) -> dict[str, str]:
    """A metric's columns in a roll-up, wide ones first."""
    name, column = metric.name, metric.column
    total = {f"{name}_sum": "numeric" if column == "int8" else "int8"}
    extremes = {f"{name}_min": column, f"{name}_max": column}
    known = {f"{name}_n": "int4"}
    columns = extremes | known | total if column == "int8" else total | known | extremes
    return columns | ({f"{name}_sketch": "bytea"} if kind == "hour" else {})


def begin_of(at: datetime, days: int) -> date:
    """The first day of the part of `days` days that `at` is in; parts are counted from 1970."""
    return _EPOCH + timedelta(days=(at.astimezone(UTC).date() - _EPOCH).days // days * days)


def days_between(first: datetime, last: datetime) -> list[datetime]:
    """The midnight before `first`, and every one after it until `last`, UTC."""
    begin = midnight(first.astimezone(UTC).date())
    return [begin + timedelta(days=number) for number in range((last - begin).days + 1)]


def midnight(day: date) -> datetime:
    """The first moment of `day` in UTC."""
    return datetime.combine(day, time(), UTC)


def quoted(name: str) -> str:
    """An identifier for SQL; metrics may be called what SQL reserves, such as `user`."""
    return '"' + name.replace('"', '""') + '"'


def create_table(table: Table) -> str:
    """The statement that makes a table, without how it is divided."""
    keys = set(table.keys)
    lines = [f"    {quoted(name)} {kind}{' NOT NULL' if name in keys else ''}" for name, kind in table.columns.items()]
    return f"CREATE TABLE {quoted(table.name)} (\n" + ",\n".join(lines) + "\n)"


def create_index(table: Table) -> str:
    """The statement that makes a table's only index."""
    return f"CREATE INDEX {quoted(table.name + '_key')} ON {quoted(table.name)} ({', '.join(table.keys)})"


async def existing(database: Connection, tables: Sequence[Table]) -> set[str]:
    """The names of those tables that are there."""
    rows = await database.fetch(
        "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(quote_ident(name)) IS NOT NULL",
        [table.name for table in tables],
    )
    return {row["name"] for row in rows}


async def ensure_columns(database: Connection, tables: Sequence[Table]) -> None:
    """Add the columns that tables lack. Raises SchemaError for one of another type.

    Columns that the catalogue does not know stay: a newer version's, or a removed metric's past.
    """
    rows = await database.fetch(
        """
        SELECT c.relname AS table, a.attname AS name, t.typname AS type
        FROM unnest($1::text[]) AS wanted
        JOIN pg_class c ON c.oid = to_regclass(quote_ident(wanted))
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        """,
        [table.name for table in tables],
    )
    found = {(row["table"], row["name"]): row["type"] for row in rows}
    for table in tables:
        for name, kind in table.columns.items():
            held = found.get((table.name, name))
            if held is None:
                await database.execute(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {quoted(name)} {kind}")
            elif held != kind:
                raise SchemaError(
                    f"{table.name}.{name} is stored as {held}, the catalogue says {kind}: "
                    f"a stored metric keeps its type; declare a new metric instead"
                )
