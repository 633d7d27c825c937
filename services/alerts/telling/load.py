"""The planner's world, read from the tables as it is at one moment. What cannot be read is passed over, and logged."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from infra.storage.database import Connection
from schemas.channels import Channel as StoredChannel
from schemas.incidents import Acknowledged, Facts
from schemas.routes import Route, Silence
from services.alerts.notify.plan import BUDGET_S
from services.alerts.notify.world import Channel, Incident, Storm, Told, World
from services.alerts.telling import sql

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Around(Struct):
    """What a message says besides what the planner has to know, by incident."""

    label: dict[int, str] = field(default_factory=dict)
    opened_s: dict[int, float] = field(default_factory=dict)
    closed_s: dict[int, float] = field(default_factory=dict)


class Loaded(Struct):
    """What one look at the tables found."""

    world: World
    around: Around
    channels: dict[str, StoredChannel]
    """Those that are on."""
    failures: dict[str, int]
    """By channel: attempts in a row that failed."""
    hosts: int
    """How many there are."""


async def load(database: Connection, now_s: float, said: set[tuple[str, str]]) -> Loaded:
    """All that there is to tell at `now_s`; `said` holds what was logged of unreadable rows before."""
    async with database.transaction(isolation="repeatable_read", readonly=True):
        world = World()
        around = Around()
        for row in await database.fetch(sql.INCIDENTS):
            facts = _read(row["body"], Facts, "incident", str(row["id"]), said)
            if facts is None:
                continue
            seen = _read(row["acknowledged"], Acknowledged, "acknowledgement", str(row["id"]), said)
            world.incidents.append(_incident(row, facts, seen))
            around.label[row["id"]] = row["label"] or row["host"]
            around.opened_s[row["id"]] = row["opened_s"]
            if row["closed_s"] is not None:
                around.closed_s[row["id"]] = row["closed_s"]
        for row in await database.fetch(sql.TOLD):
            reference = _read(row["reference"], dict[str, Any], "reference", str(row["incident_id"]), said) or {}
            told = Told(row["level"], row["at_s"], row["since_s"], row["times"], reference)
            world.told.setdefault(row["incident_id"], {})[row["channel"]] = told
        routes = [_read(row["body"], Route, "route", row["id"], said) for row in await database.fetch(sql.ROUTES)]
        world.routes = sorted((route for route in routes if route), key=lambda route: (route.position, route.id))
        for row in await database.fetch(sql.SILENCES, now_s):
            silence = _read(row["body"], Silence, "silence", str(row["id"]), said)
            if silence is not None:
                world.silences[row["id"]] = silence
        world.muted_until = {row["name"]: row["until_s"] for row in await database.fetch(sql.MUTED, now_s)}
        for row in await database.fetch(sql.SENT_LATELY, now_s - BUDGET_S):
            world.sent_s.setdefault((row["channel"], row["route"]), []).append(row["at_s"])
        channels, failures = {}, {}
        for row in await database.fetch(sql.CHANNELS):
            stored = _read(row["body"], StoredChannel, "channel", row["id"], said)
            if stored is None or not stored.enabled:
                continue
            channels[row["id"]], failures[row["id"]] = stored, row["failures"]
            held = row["held_reason"] if row["held"] else ""
            world.channels[row["id"]] = Channel(row["id"], held, False, row["next_s"], stored.fallback)
            storms = _read(row["storms"], dict[str, Storm], "storms", row["id"], said) or {}
            world.storms.update({(row["id"], route): storm for route, storm in storms.items()})
        hosts = await database.fetchval(sql.HOSTS)
    return Loaded(world, around, channels, failures, hosts)


def _incident(row: Mapping[str, Any], facts: Facts, seen: Acknowledged | None) -> Incident:
    return Incident(
        row["id"],
        row["rule_id"],
        row["host"],
        row["instance"],
        row["level"],
        row["noticed_s"],
        facts,
        frozenset(row["tags"]),
        row["past"],
        seen,
    )


def _read(body: str | None, type: type[T], what: str, name: str, said: set[tuple[str, str]]) -> T | None:
    """`body` as `type`; None for none, and for what this version cannot read: that is logged once."""
    if body is None:
        return None
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.MsgspecError as fault:
        if (what, name) not in said:
            said.add((what, name))
            logger.error("stored row invalid, skipped", extra={"what": what, "name": name, "error": str(fault)})
        return None
