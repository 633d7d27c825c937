"""Where each consumer stands: positions in streams, and per-host marks that tell a repeat from something new.

Both are written in the transaction that writes what was consumed.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.bus.ordered import Position
from infra.storage.database import Connection

MarkKey = tuple[str, str, str]
"""Host name, lane, epoch."""


MOVE_POSITION = """
INSERT INTO positions (consumer, stream, seq, time_ns) VALUES ($1, $2, $3, $4)
ON CONFLICT (consumer, stream) DO UPDATE SET seq = excluded.seq, time_ns = excluded.time_ns
"""


def raise_marks(first: int) -> str:
    """SQL that raises marks of the consumer $1; the columns of `mark_columns` are the parameters from `first` on."""
    hosts, lanes, epochs, numbers = (f"${first + k}" for k in range(4))
    return f"""
        INSERT INTO marks (consumer, host_id, lane, epoch, seq)
        SELECT $1, * FROM unnest({hosts}::integer[], {lanes}::text[], {epochs}::text[], {numbers}::bigint[])
        ON CONFLICT (consumer, host_id, lane, epoch)
        DO UPDATE SET seq = greatest(marks.seq, excluded.seq), seen = now()
    """  # noqa: S608  (numbers of parameters only)


async def load_position(database: Connection, consumer: str, stream: str) -> Position:
    """The position of `consumer` in `stream`; the zero position when it has none."""
    row = await database.fetchrow(
        "SELECT seq, time_ns FROM positions WHERE consumer = $1 AND stream = $2", consumer, stream
    )
    return Position(row["seq"], row["time_ns"]) if row else Position()


async def save_position(database: Connection, consumer: str, stream: str, position: Position) -> None:
    await database.execute(MOVE_POSITION, consumer, stream, position.seq, position.time_ns)


async def load_marks(database: Connection, consumer: str) -> dict[MarkKey, int]:
    """Highest batch number `consumer` has processed, per host, lane and epoch."""
    rows = await database.fetch(
        "SELECT h.name, m.lane, m.epoch, m.seq FROM marks m JOIN hosts h ON h.id = m.host_id WHERE m.consumer = $1",
        consumer,
    )
    return {(row["name"], row["lane"], row["epoch"]): row["seq"] for row in rows}


async def save_marks(
    database: Connection, consumer: str, marks: Mapping[MarkKey, int], host_ids: Mapping[str, int]
) -> None:
    """Raise the marks to `marks`; `host_ids` has every host named in them."""
    await database.execute(raise_marks(2), consumer, *mark_columns(marks, host_ids))


def mark_columns(
    marks: Mapping[MarkKey, int], host_ids: Mapping[str, int]
) -> tuple[list[int], list[str], list[str], list[int]]:
    """Host ids, lanes, epochs and numbers, as `raise_marks` takes them."""
    keys = sorted(marks)
    return (
        [host_ids[host] for host, _, _ in keys],
        [lane for _, lane, _ in keys],
        [epoch for _, _, epoch in keys],
        [marks[key] for key in keys],
    )
