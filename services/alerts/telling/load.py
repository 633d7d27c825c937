"""The planner's world as the tables have it. What cannot be read is passed over, and logged.

Thousands of incidents may go on for days, so only those are read that are not as they were. What was told is written
here alone: it is read at the beginning, and when channels are other ones.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from infra.storage.database import Connection
from schemas.channels import Channel as StoredChannel
from schemas.incidents import Acknowledged, Facts
from schemas.routes import Route, Silence, is_zone
from schemas.settings import StoredSettings
from services.alerts.notify.drafts import BUDGET_S
from services.alerts.notify.outcomes import MOST_RETRY_AFTER_S, MOST_WAIT_S
from services.alerts.notify.world import Channel, Incident, Storm, Told, World
from services.alerts.telling import sql

logger = logging.getLogger(__name__)
T = TypeVar("T")


class About(Struct):
    """What a message says of an incident besides what the planner has to know."""

    mark: str
    """Another one: the row is another one."""
    label: str = ""
    opened_s: float = 0
    closed_s: float | None = None


class Tables(Struct):
    """What was read so far."""

    world: World = field(default_factory=World)
    about: dict[int, About] = field(default_factory=dict)
    channels: dict[str, StoredChannel] = field(default_factory=dict)
    """Those that are on."""
    marks: dict[str, str] = field(default_factory=dict)
    """By channel; another one: it was changed."""
    mended: list[str] = field(default_factory=list)
    """Channels that were held and are other ones now, or were tested; to be written down."""
    settings: StoredSettings = field(default_factory=StoredSettings)


Said = set[tuple[str, str]]
"""What was logged of unreadable rows."""


async def load(database: Connection, tables: Tables, now_s: float, said: Said) -> None:
    """Take in all that there is, as after a restart."""
    await refresh(database, tables, now_s, said)
    world = tables.world
    async with database.transaction(isolation="repeatable_read", readonly=True):
        for row in await database.fetch(sql.SENT_LATELY, now_s - world.ahead_s - BUDGET_S):
            at_s = min(now_s, row["at_s"] + world.ahead_s)
            world.sent_s.setdefault((row["channel"], row["route"]), []).append(at_s)


async def refresh(database: Connection, tables: Tables, now_s: float, said: Said) -> None:
    """Take in what has changed."""
    world = tables.world
    unix_s = now_s - world.ahead_s
    async with database.transaction(isolation="repeatable_read", readonly=True):
        await _read_incidents(database, tables, now_s, said)
        rows = await database.fetch(sql.CHANNELS)
        if {row["id"]: row["mark"] for row in rows} != tables.marks:
            world.told = await _read_told(database, world, now_s, said)
        _take_channels(rows, tables, now_s, said)
        routes = [_route(row["body"], row["id"], said) for row in await database.fetch(sql.ROUTES)]
        world.routes = sorted((route for route in routes if route), key=lambda route: (route.position, route.id))
        silences = {
            row["id"]: _read(row["body"], Silence, "silence", str(row["id"]), said)
            for row in await database.fetch(sql.SILENCES, unix_s)
        }
        world.silences = {number: silence for number, silence in silences.items() if silence is not None}
        world.muted_until = {row["name"]: row["until_s"] for row in await database.fetch(sql.MUTED, unix_s)}
        for fault in tables.settings.take({row["key"]: row["value"] for row in await database.fetch(sql.SETTINGS)}):
            logger.error("stored setting invalid, keeping what was in force", extra={"reason": str(fault)})


async def _read_incidents(database: Connection, tables: Tables, now_s: float, said: Said) -> None:
    world, about = tables.world, tables.about
    marks = {row["id"]: row["mark"] for row in await database.fetch(sql.INCIDENT_MARKS)}
    for number in [number for number in about if number not in marks]:
        del about[number]
        world.incidents.pop(number, None)
        world.told.pop(number, None)
    changed = [number for number, mark in marks.items() if number not in about or about[number].mark != mark]
    if not changed:
        return
    for row in await database.fetch(sql.INCIDENTS, changed):
        number = row["id"]
        about[number] = About(marks[number], row["label"] or row["host"], row["opened_s"], row["closed_s"])
        facts = _read(row["body"], Facts, "incident", str(number), said)
        if facts is not None:
            seen = _read(row["acknowledged"], Acknowledged, "acknowledgement", str(number), said)
            world.incidents[number] = _incident(row, facts, seen, min(now_s, row["noticed_s"] + world.ahead_s))
        else:
            world.incidents.pop(number, None)


def _route(body: str, name: str, said: Said) -> Route | None:
    """A stored route; without hours of a zone that this machine does not know, as too early is better than never."""
    route = _read(body, Route, "route", name, said)
    if route is None or route.hours is None or is_zone(route.hours.zone):
        return route
    if ("route", name) not in said:
        said.add(("route", name))
        fault = f"unknown time zone {route.hours.zone}, so its hours hold nothing"
        logger.error("stored row invalid, skipped", extra={"what": "hours of route", "row": name, "error": fault})
    return msgspec.structs.replace(route, hours=None)


def _incident(row: Mapping[str, Any], facts: Facts, seen: Acknowledged | None, noticed_s: float) -> Incident:
    return Incident(
        row["id"],
        row["rule_id"],
        row["host"],
        row["instance"],
        row["level"],
        noticed_s,
        facts,
        frozenset(row["tags"]),
        row["past"],
        seen,
    )


async def _read_told(database: Connection, world: World, now_s: float, said: Said) -> dict[int, dict[str, Told]]:
    told: dict[int, dict[str, Told]] = {}
    for row in await database.fetch(sql.TOLD):
        reference = _read(row["reference"], dict[str, Any], "reference", str(row["incident_id"]), said) or {}
        at_s, since_s = (min(now_s, row[name] + world.ahead_s) for name in ("at_s", "since_s"))
        what = Told(row["level"], at_s, since_s, row["times"], reference, row["unsure"])
        told.setdefault(row["incident_id"], {})[row["channel"]] = what
    return told


def _take_channels(rows: list[Any], tables: Tables, now_s: float, said: Said) -> None:
    """Take in the channels that are on. What came of messages is known here best, but for one that was mended."""
    world = tables.world
    before, marks = world.channels, tables.marks
    world.channels, tables.channels, tables.marks = {}, {}, {}
    for row in rows:
        name = row["id"]
        tables.marks[name] = row["mark"]
        stored = _read(row["body"], StoredChannel, "channel", name, said)
        if stored is None or not stored.enabled:
            continue
        tables.channels[name] = stored
        known = before.get(name)
        if known is None or (known.held and not row["held"]) or marks.get(name) != row["mark"]:
            world.channels[name] = _channel(row, stored, now_s, world.ahead_s)
        else:
            world.channels[name] = known
        if row["held_reason"] and not row["held"]:
            tables.mended.append(name)
        if name not in marks:
            storms = _read(row["storms"], dict[str, Storm], "storms", name, said) or {}
            for route, storm in storms.items():
                world.storms[name, route] = msgspec.structs.replace(storm, next_s=storm.next_s + world.ahead_s)


def _channel(row: Mapping[str, Any], stored: StoredChannel, now_s: float, ahead_s: float) -> Channel:
    if not row["same"]:  # whatever was wrong with it, now it is another one
        return Channel(stored.id, fallback=stored.fallback)
    held = row["held_reason"] if row["held"] else ""
    # A clock that was set back meanwhile must not make anybody wait for it.
    most_s = MOST_RETRY_AFTER_S if held or row["failures"] else MOST_WAIT_S
    next_s = 0.0 if row["held_reason"] and not held else min(row["next_s"] + ahead_s, now_s + most_s)
    return Channel(stored.id, held, next_s, stored.fallback, row["failures"])


def _read(body: str | None, type: type[T], what: str, name: str, said: Said) -> T | None:
    """`body` as `type`; None for none, and for what this version cannot read: that is logged once."""
    if body is None:
        return None
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.MsgspecError as fault:
        if (what, name) not in said:
            said.add((what, name))
            logger.error("stored row invalid, skipped", extra={"what": what, "row": name, "error": str(fault)})
        return None
