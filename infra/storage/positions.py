"""Where each consumer stands: positions in streams, and per-host marks that tell a repeat from something new.

Both are written in the transaction that writes what was consumed.

Epochs come from agents, who are half-trusted: one that made a new epoch for every batch would fill table and memory.
So of each host and lane only the epochs are kept that were raised last, `EPOCHS_KEPT` of them. Repeats stay known, as
a message comes again for two reasons only. An agent did not hear that it was stored, and sends it once more, perhaps
after days without a bus: age therefore decides nothing. But each lane is sent in order, so no newer epoch of that
agent has been raised before. Or a stream lost its tail and is read again from a second before the position: for that
to reach a forgotten epoch, a host would have to begin `EPOCHS_KEPT` new ones within that second. Who does so on
purpose doubles rows of its own, which it could have sent twice to begin with. ADR 14.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infra.bus.ordered import Position
from infra.storage.database import Connection

MarkKey = tuple[str, str, str]
"""Host name, lane, epoch."""

EPOCHS_KEPT = 16
"""Per consumer, host and lane. A host has one at a time, and another one after a boot, a loss of its spool, a copy."""


class Marks(Mapping[MarkKey, int]):
    """Highest batch number processed per host, lane and epoch; of each host and lane the epochs raised last."""

    def __init__(self, marks: Mapping[MarkKey, int] | None = None) -> None:
        """`marks` in the order in which they were raised."""
        self._numbers: dict[MarkKey, int] = {}
        self._epochs: dict[tuple[str, str], dict[str, None]] = {}
        """By host and lane, the epoch raised last at the end."""
        self.forgotten = self.raise_to(marks or {})
        """What was too much of what it began with."""

    def __getitem__(self, key: MarkKey) -> int:
        return self._numbers[key]

    def __iter__(self) -> Iterator[MarkKey]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def raise_to(self, marks: Mapping[MarkKey, int]) -> list[MarkKey]:
        """Raise marks in order, and forget the epochs that are too many then: those are returned."""
        forgotten: list[MarkKey] = []
        for key, number in marks.items():
            host, lane, epoch = key
            self._numbers[key] = max(number, self._numbers.get(key, 0))
            epochs = self._epochs.setdefault((host, lane), {})
            epochs.pop(epoch, None)
            epochs[epoch] = None
            if len(epochs) > EPOCHS_KEPT:
                oldest = next(iter(epochs))
                del epochs[oldest], self._numbers[host, lane, oldest]
                forgotten.append((host, lane, oldest))
        return forgotten


FORGET_MARKS = """
DELETE FROM marks m USING unnest($2::integer[], $3::text[], $4::text[]) AS old (host_id, lane, epoch)
WHERE m.consumer = $1 AND (m.host_id, m.lane, m.epoch) = (old.host_id, old.lane, old.epoch)
"""

MOVE_POSITION = """
INSERT INTO positions (consumer, stream, seq, time_ns) VALUES ($1, $2, $3, $4)
ON CONFLICT (consumer, stream) DO UPDATE SET seq = excluded.seq, time_ns = excluded.time_ns
"""

# Locks the row, which is there afterwards.
LOCK_POSITION = """
INSERT INTO positions (consumer, stream, seq, time_ns) VALUES ($1, $2, 0, 0)
ON CONFLICT (consumer, stream) DO UPDATE SET seq = positions.seq RETURNING seq, time_ns
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


async def lock_position(database: Connection, consumer: str, stream: str) -> Position:
    """The same, kept from other processes that are this consumer until the transaction ends."""
    row = await database.fetchrow(LOCK_POSITION, consumer, stream)
    assert row is not None  # noqa: S101 -- RETURNING
    return Position(row["seq"], row["time_ns"])


async def save_position(database: Connection, consumer: str, stream: str, position: Position) -> None:
    await database.execute(MOVE_POSITION, consumer, stream, position.seq, position.time_ns)


async def load_marks(database: Connection, consumer: str) -> Marks:
    """Highest batch number `consumer` has processed, per host, lane and epoch."""
    rows = await database.fetch(
        """
        SELECT h.name, m.lane, m.epoch, m.seq FROM marks m JOIN hosts h ON h.id = m.host_id
        WHERE m.consumer = $1 AND h.state <> 'removing' ORDER BY m.seen, m.epoch
        """,
        consumer,
    )
    return Marks({(row["name"], row["lane"], row["epoch"]): row["seq"] for row in rows})


async def save_marks(
    database: Connection, consumer: str, marks: Mapping[MarkKey, int], host_ids: Mapping[str, int]
) -> None:
    """Raise the marks to `marks`; `host_ids` has every host named in them."""
    await database.execute(raise_marks(2), consumer, *mark_columns(marks, host_ids))


async def forget_marks(
    database: Connection, consumer: str, forgotten: Sequence[MarkKey], host_ids: Mapping[str, int]
) -> None:
    """Delete the marks that `Marks` has forgotten, in the transaction that raises the others."""
    if forgotten:
        hosts, lanes, epochs, _ = mark_columns(dict.fromkeys(forgotten, 0), host_ids)
        await database.execute(FORGET_MARKS, consumer, hosts, lanes, epochs)


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
