"""What Sonde's tables take, by family, kind and day, how fast they grow, and what they will come to."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

StoredKind = Literal["raw", "minute", "hour"]
"""Raw rows, and their roll-ups to minutes and hours."""


class Kept(Struct, frozen=True):
    """How many days of what are kept; never less of a roll-up than of what it replaces."""

    raw_days: int
    minute_days: int
    hour_days: int


class TableUse(Struct, frozen=True):
    """One table: a kind of a family."""

    family: str
    kind: StoredKind
    rows: int
    """About."""
    bytes: int
    """With indexes."""
    columnar_bytes: int
    """Of those, in compressed parts."""
    uncompressed_bytes: int | None
    """What it would take without compression; null where that is not known."""
    values: int
    """Rows times metrics."""
    bytes_per_value: float | None
    rows_per_day: float | None
    """Null: too few yet for a rate."""
    bytes_per_day: float | None
    """Of new rows before compression."""
    need_bytes: float | None
    """When it holds as many days as the settings say and the whole part of the oldest, at today's rate."""


class DayUse(Struct, frozen=True):
    """Raw rows of all families on one day."""

    day: str
    """Of UTC, such as 2026-11-21."""
    rows: int
    bytes: int
    columnar_bytes: int
    uncompressed_bytes: int | None


class PartUse(Struct, frozen=True):
    """A part of a table that holds rows: a day of raw ones, several days of roll-ups."""

    family: str
    kind: StoredKind
    day: str
    """Its first day, of UTC."""
    days: int
    rows: int
    """About."""
    bytes: int
    columnar: bool


class Stray(Struct, frozen=True):
    """A family that was."""

    family: str
    tables: list[str]
    bytes: int
    remedy: str
    """The SQL that removes all of it. Every hypertable needs a DROP of its own."""


class StorageUse(Struct, frozen=True):
    """All tables together."""

    engine: str
    """`timescale` or `native`."""
    kept: Kept
    tables: list[TableUse]
    days: list[DayUse]
    """Oldest first."""
    parts: list[PartUse]
    """By family and kind, the oldest first."""
    database_bytes: int
    """With everything else that is in the database."""
    need_bytes: float | None
    """Of all tables that have a rate; null where none has."""
    need_without: list[StoredKind]
    """Kinds of which no table has a rate yet, and that are not in it."""
    free_bytes: int | None
    """Of the database's disk; null where that is another machine's than the retention service's."""
    disk_bytes: int | None
    strays: list[Stray]


class StorageReport(Struct):
    """GET /storage: what the retention service measured last; it does so after each pruning, and every few minutes."""

    time: int | None
    """When, Unix milliseconds; null: nothing was measured yet."""
    use: StorageUse | None
