"""What a metric and a family are.

A value on the bus and in a raw table is an integer count of its metric's `resolution`; multiplied by `resolution` it is
in `unit`. Unknown is null, never 0.

Codes number a family's metrics on the wire. They are never reused and never change their meaning.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, structs

Column = Literal["int2", "int4", "int8"]

COLUMN_LIMITS: dict[str, tuple[int, int]] = {
    "int2": (-(2**15), 2**15 - 1),
    "int4": (-(2**31), 2**31 - 1),
    "int8": (-(2**56), 2**56 - 1),
}
"""Range of counts a column takes. int8 stops short of its type's so that sums of differences cannot wrap unnoticed."""


class Metric(Struct, frozen=True):
    """One measured quantity of a family."""

    code: int
    """Number on the wire, unique within the family, never reused."""
    name: str
    """Column name, snake_case."""
    unit: str
    """Unit after multiplying by `resolution`: %, B, B/s, 1/s, s, ms, °C, W, or empty for a plain count."""
    resolution: float
    """Units that one stored count stands for."""
    column: Column
    """PostgreSQL type of the stored count."""
    meaning: str
    """One sentence for people."""
    label: str = ""
    """Its name for people, to follow the family's: `used` of File system; made of `name` unless given."""

    most: float | None = None
    """What it cannot exceed, in units; it is never negative then. None: whatever its column takes."""

    def __post_init__(self) -> None:
        if not self.label:
            structs.force_setattr(self, "label", self.name.replace("_", " "))

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value that it can have, in units."""
        if self.most is not None:
            return 0, self.most
        least, most = COLUMN_LIMITS[self.column]
        return round(least * self.resolution, 9), round(most * self.resolution, 9)


class Family(Struct, frozen=True):
    """Metrics that are read together and stored in one table of the same name."""

    name: str
    meaning: str
    period_s: float
    """Default seconds between two samples."""
    metrics: tuple[Metric, ...]
    instance: str = ""
    """What one row is about besides host and time (mount, disk, interface ...); empty: the host itself."""
    sampled: Literal["always", "watched", "never"] = "always"
    """When agents sample it unless told otherwise: `watched` is while somebody looks at the host."""
    label: str = ""
    """Its name for people; made of `name` unless given."""

    def __post_init__(self) -> None:
        if not self.label:
            structs.force_setattr(self, "label", self.name.replace("_", " ").capitalize())

    def metric(self, name: str) -> Metric:
        """The metric called `name`; KeyError when the family has none."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(f"{self.name}.{name}")


def percent(code: int, name: str, meaning: str, label: str = "", most: float | None = 100) -> Metric:
    """A share; `most` is None where the part may exceed the whole."""
    return Metric(code, name, "%", 0.01, "int2", meaning, label, most)


def size(code: int, name: str, meaning: str, label: str = "") -> Metric:
    return Metric(code, name, "B", 1, "int8", meaning, label)


def rate(code: int, name: str, meaning: str, unit: str = "1/s", resolution: float = 1, label: str = "") -> Metric:
    return Metric(code, name, unit, resolution, "int8" if unit == "B/s" else "int4", meaning, label)


def count(code: int, name: str, meaning: str, label: str = "") -> Metric:
    return Metric(code, name, "", 1, "int8", meaning, label)


def flag(code: int, name: str, meaning: str, label: str = "") -> Metric:
    return Metric(code, name, "", 1, "int2", meaning, label)


def number(code: int, name: str, meaning: str, label: str = "") -> Metric:
    """A count that stays small."""
    return Metric(code, name, "", 1, "int4", meaning, label)
