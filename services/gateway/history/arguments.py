"""What the operations of the past have in common: metrics, range, instance and host of a request, and its limits."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Annotated

from msgspec import Meta, Struct, field

from infra.clock import now_ms
from infra.storage.database import Connection, Pool
from schemas.catalogue import Family
from schemas.matching import NO_NUL
from schemas.metric import Metric
from schemas.rules import InvalidField
from schemas.subjects import valid_host
from services.gateway.fleet import sql as fleet_sql
from services.gateway.fleet.memory import Fleet
from services.gateway.history import sql
from services.gateway.history.resolution import Reach, reach_of
from services.gateway.http.database import connected
from services.gateway.http.metricpaths import MetricNames, parse_metrics
from services.gateway.http.problems import unknown
from services.gateway.http.ranges import Time, parse_range

DEFAULT_POINTS = 600
MOST_POINTS = 5000
MOST_CELLS = 250_000
"""Most points of all columns of one answer together."""
MOST_INSTANCE_CHARACTERS = 300


Points = Annotated[int, Meta(ge=1, le=MOST_POINTS)]
Instance = Annotated[
    str,
    Meta(
        max_length=MOST_INSTANCE_CHARACTERS,
        pattern=NO_NUL,
        description="an instance name, as GET /api/v1/hosts/{host} lists them under latest",
    ),
]


class RangeOfPast(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of every request about the past."""

    from_: Time = field(default="-1h", name="from")
    to: Time = "now"

    def span(self) -> tuple[int, int]:
        """The range [from, to) asked for, Unix milliseconds. Raises InvalidField."""
        return parse_range(self.from_, self.to, now_ms())


class Past(RangeOfPast, frozen=True, kw_only=True, forbid_unknown_fields=True):
    instance: Instance | None = None
    """None: all."""


class PastOfHost(Past, frozen=True, kw_only=True, forbid_unknown_fields=True):
    metrics: MetricNames

    def wanted(self, catalogue: tuple[Family, ...]) -> list[tuple[Family, list[Metric]]]:
        """The metrics asked for, by family. Raises InvalidField."""
        wanted = parse_metrics(self.metrics, catalogue)
        check_instance(self.instance, [family for family, _ in wanted])
        return wanted


def check_instance(instance: str | None, families: Iterable[Family]) -> None:
    """Raise InvalidField when `instance` is asked of a family that has none: its data are those of the host."""
    without = sorted({family.name for family in families if not family.instance})
    if instance is not None and without:
        names = ", ".join(without)
        remedy = f"these metrics have no instances: those of {names}; leave instance out, or request the others alone"
        raise InvalidField("instance", instance, remedy)


def check_cells(columns: int, points: int) -> None:
    """Raise InvalidField when an answer would be larger than a browser has use for."""
    if columns * points > MOST_CELLS:
        remedy = f"{columns} series can have at most {MOST_CELLS // columns} points each; request fewer of either"
        raise InvalidField("points", points, remedy)


@contextlib.asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[tuple[Connection, Reach]]:
    """A connection that sees the tables as they are now until it is left, and how far back they go. Raises as
    `connected` does.

    What is dropped, what is dirty and what the roll-ups hold go together only within one snapshot.
    """
    async with connected(pool) as database, database.transaction(isolation="repeatable_read", readonly=True):
        yield database, await read_reach(database)


async def read_reach(database: Connection) -> Reach:
    """Where raw, minute and hour rows begin, as far as any were dropped; readies the transaction, see `OPENING`."""
    [(names, befores, *_)] = await database.fetch(sql.OPENING)
    return reach_of(dict(zip(names, befores, strict=True)))


async def find_host(database: Connection, fleet: Fleet, host: str) -> int:
    """The host's number; 0, of which there are no rows, for one so new that only the bus knows it."""
    number: int | None = await database.fetchval(fleet_sql.HOST_ID, host) if valid_host(host) else None
    if number is None and host not in fleet:
        raise unknown("host", host)
    return number or 0
