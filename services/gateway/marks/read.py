"""Marks of hosts, read from the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from infra.storage.database import Connection
from schemas.configuration import FLEET
from schemas.marks import Mark, MarkKind, Marks
from services.gateway.marks import sql
from services.gateway.marks.words import (
    ALL_HOSTS,
    IMPORTED,
    SETTINGS,
    change_mark,
    event_mark,
    incident_mark,
    mute_marks,
    silence_marks,
)

ORDERS = ("POST /hosts/{host}/commands/{verb}", "POST /hosts/bulk")
MUTES = ("PATCH /hosts/{host}", "POST /hosts/bulk")
IMPORT = "PUT /configuration"
ACTIONS: Mapping[MarkKind, Sequence[str]] = {"change": (*SETTINGS, IMPORT), "order": ORDERS, "mute": MUTES}
"""What the audit log calls that of which marks are made."""
MOST_SILENCES = 2000
EVENT_KINDS = ("reboot", "update", "settings", "refused", "away")


class Asked(Struct, frozen=True):
    """Of which time, and of what."""

    from_ms: int
    to_ms: int
    limit: int
    kinds: frozenset[MarkKind]


async def read_marks(database: Connection, hosts: Sequence[Mapping[str, Any]], asked: Asked) -> Marks:
    """The marks of `hosts`, rows of `sql.HOSTS`; of more than `limit` the latest."""
    ids = [host["id"] for host in hosts]
    first = asked.limit + 1
    bounds = (asked.from_ms, asked.to_ms, first)
    found: list[Mark] = []
    earlier = False
    if "alert" in asked.kinds:
        found += [incident_mark(row) for row in await database.fetch(sql.INCIDENTS, ids, *bounds)]
    kinds = sorted(asked.kinds.intersection(EVENT_KINDS))
    if kinds:
        found += [event_mark(row) for row in await database.fetch(sql.EVENTS, ids, *bounds, kinds)]
    if asked.kinds.intersection(ACTIONS):
        changes, earlier = await _read_changes(database, hosts, asked)
        found += changes
    if "silence" in asked.kinds:
        rows = await database.fetch(sql.SILENCES, asked.from_ms, asked.to_ms, MOST_SILENCES)
        found += [mark for row in rows for mark in silence_marks(row, hosts)]
    wanted = sorted((mark for mark in found if mark.kind in asked.kinds), key=lambda mark: (mark.time, mark.kind))
    return Marks(wanted[-asked.limit :], earlier or len(wanted) > asked.limit)


async def _read_changes(
    database: Connection, hosts: Sequence[Mapping[str, Any]], asked: Asked
) -> tuple[list[Mark], bool]:
    """What people did, by the audit log, and whether there is more of it than was read.

    What the log has of a host of the same name before this one was there is not told.
    """
    since = {host["name"]: host["first_seen_ms"] for host in hosts}
    targets = {name: name for name in since} | {IMPORTED + name: name for name in since}
    targets |= {ALL_HOSTS: "", IMPORTED + FLEET: ""}
    actions = sorted({action for kind in asked.kinds for action in ACTIONS.get(kind, ())})
    bounds = (asked.from_ms, asked.to_ms, asked.limit + 1)
    rows = await database.fetch(sql.CHANGES, list(targets), *bounds, actions)
    mine = [row for row in rows if row["time_ms"] >= since.get(targets[row["target"]], 0)]
    found = [change_mark(row, targets[row["target"]]) for row in mine]
    marks = [mark for mark in found if mark is not None]
    if "mute" in asked.kinds:
        earlier = await database.fetch(sql.MUTES_BEFORE, list(since), asked.from_ms, list(MUTES))
        for name, first_ms in since.items():
            own = [row for row in (*earlier, *reversed(mine)) if row["target"] == name and row["time_ms"] >= first_ms]
            marks += mute_marks(name, own, asked.from_ms)
    return marks, len(rows) > asked.limit
