"""What both engines share: columns from the catalogue, real-unit views, and what they report."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import asyncpg
from msgspec import Struct

from infra.database import Connection
from schemas.catalogue import Family, Metric


class SchemaError(Exception):
    """The database holds something that the catalogue contradicts; the text says what and what to do."""


class Dropped(Struct, frozen=True):
    """A partition or chunk that was dropped."""

    table: str
    """Family."""
    name: str
    bytes: int
    """With its indexes."""
    rows_estimate: int


class TableSize(Struct, frozen=True):
    """How much one family's table holds."""

    table: str
    bytes: int
    """With its indexes."""
    rows_estimate: int
    parts: int
    """Partitions or chunks."""


def days_of(first: datetime, last: datetime) -> list[date]:
    """The UTC days that the closed range touches."""
    start = first.astimezone(UTC).date()
    return [start + timedelta(days=number) for number in range((last.astimezone(UTC).date() - start).days + 1)]


def midnight(day: date) -> datetime:
    """The first moment of `day` in UTC."""
    return datetime.combine(day, time(), UTC)


def quoted(name: str) -> str:
    """An identifier for SQL; metrics may be called what SQL reserves, such as `user`."""
    return '"' + name.replace('"', '""') + '"'


def key_columns(family: Family) -> list[str]:
    """What rows are found by, besides the metrics."""
    return ["host_id", "instance_id", "time"] if family.instance else ["host_id", "time"]


def columns(family: Family) -> dict[str, str]:
    """Every column of a family's table with its type, in order."""
    keys = {"time": "timestamptz", "host_id": "int4"} | ({"instance_id": "int4"} if family.instance else {})
    return keys | {metric.name: metric.column for metric in family.metrics}


def create_table(family: Family) -> str:
    """The statement that makes a family's table, without how it is divided."""
    keys = {"time", *key_columns(family)}
    lines = [
        f"    {quoted(name)} {kind}{' NOT NULL' if name in keys else ''}" for name, kind in columns(family).items()
    ]
    return f"CREATE TABLE {quoted(family.name)} (\n" + ",\n".join(lines) + "\n)"


def create_index(family: Family) -> str:
    """The statement that makes a family's only index."""
    keys = ", ".join(key_columns(family))
    return f"CREATE INDEX {quoted(family.name + '_key')} ON {quoted(family.name)} ({keys})"


async def existing(database: Connection, catalogue: Sequence[Family]) -> set[str]:
    """The families whose table is there."""
    names = [family.name for family in catalogue]
    rows = await database.fetch(
        "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(quote_ident(name)) IS NOT NULL", names
    )
    return {row["name"] for row in rows}


async def ensure_columns(database: Connection, catalogue: Sequence[Family]) -> None:
    """Add the columns that tables lack. Raises SchemaError for one of another type.

    Columns that the catalogue does not know stay: a newer version's, or a removed metric's past.
    """
    rows = await database.fetch(
        """
        SELECT c.relname AS family, a.attname AS name, t.typname AS type
        FROM unnest($1::text[]) AS family
        JOIN pg_class c ON c.oid = to_regclass(quote_ident(family))
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        """,
        [family.name for family in catalogue],
    )
    found = {(row["family"], row["name"]): row["type"] for row in rows}
    for family in catalogue:
        for name, kind in columns(family).items():
            held = found.get((family.name, name))
            if held is None:
                await database.execute(f"ALTER TABLE {quoted(family.name)} ADD COLUMN {quoted(name)} {kind}")
            elif held != kind:
                raise SchemaError(
                    f"{family.name}.{name} is stored as {held}, the catalogue says {kind}: "
                    f"a stored metric keeps its type; declare a new metric instead"
                )


async def ensure_views(database: Connection, catalogue: Sequence[Family]) -> None:
    """Make each `metrics_<family>` view what the catalogue says. Raises SchemaError when that would break others."""
    rows = await database.fetch(
        """
        SELECT family, obj_description(to_regclass(quote_ident('metrics_' || family)), 'pg_class') AS comment
        FROM unnest($1::text[]) AS family
        """,
        [family.name for family in catalogue],
    )
    comments = {row["family"]: row["comment"] or "" for row in rows}
    for family in catalogue:
        query = view_query(family)
        described = [(quoted(metric.name), _literal(_column_comment(metric))) for metric in family.metrics]
        digest = hashlib.sha256(repr((query, described)).encode()).hexdigest()[:12]
        if comments[family.name].endswith(f"({digest})"):
            continue
        view = quoted(f"metrics_{family.name}")
        async with database.transaction():
            await _replace_view(database, view, query)
            lines = [f"COMMENT ON VIEW {view} IS {_literal(f'{family.meaning} ({digest})')}"]
            lines += [f"COMMENT ON COLUMN {view}.{name} IS {comment}" for name, comment in described]
            await database.execute(";\n".join(lines))


async def _replace_view(database: Connection, view: str, query: str) -> None:
    """CREATE OR REPLACE, which keeps dependents but only appends columns; where that is not enough, drop and create."""
    try:
        async with database.transaction():
            await database.execute(f"CREATE OR REPLACE VIEW {view} AS {query}")
        return
    except (asyncpg.InvalidTableDefinitionError, asyncpg.FeatureNotSupportedError):
        pass
    try:
        await database.execute(f"DROP VIEW {view}")
    except asyncpg.DependentObjectsStillExistError as error:
        raise SchemaError(f"{view} must be made anew, but others depend on it: {error.detail}; drop those") from None
    await database.execute(f"CREATE VIEW {view} AS {query}")


def view_query(family: Family) -> str:
    """The family's rows with names instead of ids, and real units instead of counts."""
    names = ["t.time", "h.name AS host"]
    tables = f"{quoted(family.name)} t JOIN hosts h ON h.id = t.host_id"
    if family.instance:
        names += ["i.name AS instance", "i.labels"]
        tables += " JOIN instances i ON i.id = t.instance_id"
    names += [f"{_in_units(metric)} AS {quoted(metric.name)}" for metric in family.metrics]
    return f"SELECT {', '.join(names)} FROM {tables}"  # noqa: S608  (names come from the catalogue)


def _in_units(metric: Metric) -> str:
    """count * resolution as float8; by division where the resolution is 1/n, which rounds to the shortest decimal."""
    column = f"t.{quoted(metric.name)}::float8"
    if metric.resolution == 1:
        return column
    divisor = round(1 / metric.resolution)
    if abs(divisor * metric.resolution - 1) < 1e-12:
        return f"{column} / {divisor}"
    return f"{column} * {metric.resolution!r}::float8"


def _column_comment(metric: Metric) -> str:
    return f"{metric.meaning} [{metric.unit}]" if metric.unit else metric.meaning


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
