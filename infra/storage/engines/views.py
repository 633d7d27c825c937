"""Views `metrics_<family>` with names instead of ids and real units instead of counts, for psql and Grafana."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import asyncpg

from infra.storage.database import Connection
from infra.storage.engines.tables import SchemaError, quoted
from schemas.catalogue import Family, Metric


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
    tables = (
        f"{quoted(family.name)} t JOIN hosts h ON h.id = t.host_id AND h.name NOT LIKE '~%'"  # those are being removed
    )
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
