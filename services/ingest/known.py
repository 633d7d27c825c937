"""What the database is known to hold: ids of hosts and instances, what was accepted of each host, the raw horizon."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Struct

from infra.storage.database import Connection, ensure_hosts
from infra.storage.positions import Marks, forget_marks, load_marks
from infra.storage.removed import Removed, load_removed
from schemas.rules import InvalidField
from schemas.settings import RuntimeSettings, parse_stored
from services.ingest import sql
from services.ingest.columns import FamilyRows

logger = logging.getLogger(__name__)

CONSUMER = "ingest"
ANY_DAYS = 3650
"""While the setting is invalid: nothing is refused by it, only what is below the horizon."""

InstanceKey = tuple[str, str, str]
"""Host, family, instance name."""


class Held(Struct, frozen=True):
    """What stays as it is until the transaction ends in which it was read, and when that was."""

    horizon_ms: int
    """Raw rows before this are gone or about to be."""
    generation: int
    """Goes up whenever instances are forgotten, or a host is removed or archived."""
    database_ms: int
    """The database's clock."""


@dataclass(slots=True)
class Known:
    """What the database is known to hold; begun anew with every connection."""

    hosts: dict[str, int]
    instances: dict[InstanceKey, tuple[int, dict[str, str]]]
    """Id and labels."""
    marks: Marks
    """Of everything that was prepared, whether it is committed yet or not."""
    removed: Removed
    raw_days: int
    held: Held
    """As of the last flush, so the next one looks again."""


@dataclass(slots=True)
class Unknown:
    """What must be in the dictionaries before rows of it can be written."""

    hosts: set[str]
    instances: dict[InstanceKey, dict[str, str]]
    """Labels."""

    def __bool__(self) -> bool:
        return bool(self.hosts or self.instances)


async def load_known(database: Connection) -> Known:
    """What the database holds now."""
    held = await hold(database)  # before the ids: what is forgotten while they are read makes a flush begin anew
    hosts = {row["name"]: row["id"] for row in await database.fetch(sql.HOSTS)}
    rows = await database.fetch(sql.INSTANCES)
    instances = {
        (row["host"], row["family"], row["name"]): (row["id"], dict(json.loads(row["labels"]))) for row in rows
    }
    marks = await load_marks(database, CONSUMER)
    await forget_marks(database, CONSUMER, marks.forgotten, hosts)
    removed = await load_removed(database)
    return Known(hosts, instances, marks, removed, await load_raw_days(database), held)


async def load_raw_days(database: Connection, before: int | None = None) -> int:
    """How many whole days of raw rows are taken; ANY_DAYS when the stored setting is invalid, said if news."""
    text = await database.fetchval(sql.RAW_DAYS)
    if text is None:
        return RuntimeSettings().raw_days
    try:
        return int(parse_stored("raw_days", text))
    except InvalidField as error:
        if before != ANY_DAYS:
            facts = {"setting": "raw_days", "value": text[:100], "error": str(error)}
            logger.error("invalid setting raw_days, age limit not enforced", extra=facts)
        return ANY_DAYS


async def hold(database: Connection) -> Held:
    """The raw horizon and the generation of instances, neither of which can change before this transaction ends."""
    [row] = await database.fetch(sql.HOLD)
    return Held(row["before_ms"], row["generation"], row["database_ms"])


def find_unknown(hosts: Iterable[str], families: list[FamilyRows], known: Known) -> Unknown:
    """The hosts and instances that `known` lacks, or has with other labels."""
    instances: dict[InstanceKey, dict[str, str]] = {}
    for rows in families:
        if not rows.family.instance:
            continue
        name = rows.family.name
        for (host, instance), labels in zip(rows.series, rows.labels, strict=True):
            held = known.instances.get((host, name, instance))
            if held is None or (labels and held[1] != labels):
                instances[host, name, instance] = labels
    return Unknown(set(hosts) - known.hosts.keys(), instances)


async def ensure(database: Connection, unknown: Unknown, known: Known) -> None:
    """Enter `unknown` and tell `known`.

    A transaction of its own: an entry without rows does no harm, and the ids are wanted before the rows are encoded.
    """
    keys = sorted(unknown.instances)
    async with database.transaction():
        hosts = await ensure_hosts(database, unknown.hosts) if unknown.hosts else {}
        known.hosts.update(hosts)
        if not keys:
            return
        answer = await database.fetch(
            sql.UPSERT_INSTANCES,
            [known.hosts[host] for host, _, _ in keys],
            [family for _, family, _ in keys],
            [instance for _, _, instance in keys],
            [json.dumps(unknown.instances[key]) for key in keys],
        )
    names = {known.hosts[host]: host for host, _, _ in keys}
    for row in answer:
        key = (names[row["host_id"]], row["family"], row["name"])
        known.instances[key] = (row["id"], unknown.instances[key])
