"""Hosts that were removed or archived: which of their messages count no more.

A removal leaves the moment, by the bus's clock, up to which the bus's messages are of the host that is no more: they
make nobody anew, however often they are read. Later ones count once somebody has enrolled under that name again, which
makes a row in `hosts`; before that they come from an agent that has not heard yet. Of an archived host it is the other
way round: what came before is still stored, what comes later is not taken.

Whoever remembers ids holds the generation while it writes, so that no removal comes in between.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from msgspec import Struct

from infra.bus.ordered import StoredMessage
from infra.storage.database import Connection
from schemas.subjects import host_of

logger = logging.getLogger(__name__)

_REMOVED = """
SELECT r.name, r.time_ns, h.id IS NOT NULL AS again FROM removed_hosts r LEFT JOIN hosts h ON h.name = r.name
WHERE $1::text[] IS NULL OR r.name = ANY($1)
"""
_ARCHIVED = """
SELECT name, coalesce(archived_ns, 0) AS archived_ns FROM hosts
WHERE state = 'archived' AND ($1::text[] IS NULL OR name = ANY($1))
"""


class Removed(Struct):
    """Hosts removed or archived, as of when they were last read."""

    until_ns: dict[str, int] = {}
    """By name: messages that the bus stored up to then are of a removed host. Unix nanoseconds."""
    again: set[str] = set()
    """Of those, who has enrolled again."""
    archived_ns: dict[str, int] = {}
    """By name: messages that the bus stored later are not taken, as the host is archived."""
    dropped: int = 0
    """Messages dropped so far."""

    def drops(self, host: str, time_ns: int) -> bool:
        """Whether a message of `host` that the bus stored at `time_ns` counts no more."""
        archived_ns = self.archived_ns.get(host)
        if archived_ns is not None and time_ns > archived_ns:
            return True
        until_ns = self.until_ns.get(host)
        return until_ns is not None and (time_ns <= until_ns or host not in self.again)

    def outdated(self, host: str, time_ns: int) -> bool:
        """Whether that message is dropped only unless `host` has enrolled again since this was read."""
        return self.drops(host, time_ns) and time_ns > self.until_ns.get(host, 0)

    def count(self, hosts: Sequence[str]) -> None:
        """Note that a message of each of `hosts` was dropped; log the 1st, 2nd, 4th, 8th ... of all."""
        before, self.dropped = self.dropped, self.dropped + len(hosts)
        if before.bit_length() != self.dropped.bit_length():
            logger.warning("messages of removed hosts dropped", extra={"host": hosts[-1], "dropped": self.dropped})


async def load_removed(database: Connection, names: list[str] | None = None) -> Removed:
    """All hosts that are removed or archived, or those of `names`."""
    removed = await database.fetch(_REMOVED, names)
    archived = await database.fetch(_ARCHIVED, names)
    return Removed(
        {row["name"]: row["time_ns"] for row in removed},
        {row["name"] for row in removed if row["again"]},
        {row["name"]: row["archived_ns"] for row in archived},
    )


async def read_again(database: Connection, removed: Removed, messages: Iterable[StoredMessage]) -> None:
    """Bring `removed` up to date where that decides about `messages`: their hosts may have enrolled again.

    An agent publishes only once its enrolment is in the table, so what is found after a message has come is true of it.
    """
    names = outdated_hosts(removed, messages)
    if not names:
        return
    now = await load_removed(database, names)
    removed.until_ns |= now.until_ns
    removed.again = (removed.again - set(names)) | now.again
    removed.archived_ns = {
        name: time_ns for name, time_ns in removed.archived_ns.items() if name not in names
    } | now.archived_ns


def outdated_hosts(removed: Removed, messages: Iterable[StoredMessage]) -> list[str]:
    """The hosts of `messages` about whom the tables must be asked again."""
    if not removed.until_ns and not removed.archived_ns:
        return []
    hosts = ((host_of(message.subject), message.time_ns) for message in messages)
    return sorted({host for host, time_ns in hosts if removed.outdated(host, time_ns)})


async def hold_generation(database: Connection) -> int:
    """The generation of hosts and instances, which stays until the transaction ends in which it was read."""
    generation: int = await database.fetchval("SELECT generation FROM horizons WHERE name = 'raw' FOR SHARE")
    return generation
