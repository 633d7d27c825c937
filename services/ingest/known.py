"""What the database is known to hold: ids of hosts and instances, what was accepted of each host, the raw horizon."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from infra.database import Connection, ensure_hosts
from infra.positions import Lane, load_marks
from services.ingest import sql
from services.ingest.columns import FamilyRows

CONSUMER = "ingest"

InstanceKey = tuple[str, str, str]
"""Host, family, instance name."""


@dataclass(slots=True)
class Known:
    """What the database is known to hold; begun anew with every connection."""

    hosts: dict[str, int]
    instances: dict[InstanceKey, tuple[int, dict[str, str]]]
    """Id and labels."""
    marks: dict[Lane, int]
    """Of everything that was prepared, whether it is committed yet or not."""
    raw_days: int
    horizon_ms: int
    """Raw rows before this are gone or about to be; as of the last flush, so the next one looks again."""


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
    hosts = {row["name"]: row["id"] for row in await database.fetch("SELECT name, id FROM hosts")}
    rows = await database.fetch(sql.INSTANCES)
    instances = {
        (row["host"], row["family"], row["name"]): (row["id"], dict(json.loads(row["labels"]))) for row in rows
    }
    marks = await load_marks(database, CONSUMER)
    return Known(hosts, instances, marks, await load_raw_days(database), await hold_horizon(database))


async def load_raw_days(database: Connection) -> int:
    return await database.fetchval(sql.RAW_DAYS) or 7


async def hold_horizon(database: Connection) -> int:
    """The raw horizon, Unix milliseconds, which cannot move on before this transaction ends."""
    before: int | None = await database.fetchval(sql.HORIZON)
    return before or 0


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
