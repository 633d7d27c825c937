"""Removing a host, or archiving it: one transaction, after which nobody takes, judges or shows what it sends.

Everybody who remembers hosts finds another generation of them, now or after an outage, and begins anew. What the bus
still has of a removed host is of somebody who is no more: the moment of the removal, by the bus's own clock, divides it
from what another machine under that name may send later. The rows go bit by bit (`services/retention/erase.py`), under
a name that no host can have, so that the name is free at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, structs

from infra.clock import now_ms, to_ms, to_time
from infra.storage.database import Connection
from schemas.incidents import Facts, Step
from schemas.messages import AlertTransition
from services.gateway.agents import sql_removal as sql
from services.gateway.identities.revocation import revoke_host

logger = logging.getLogger(__name__)


class Departure(Struct, frozen=True):
    """What a removal came to."""

    host_id: int
    generation: int
    """Of hosts, from now on."""
    archived: bool
    last_ms: int | None
    """When its newest stored sample was taken, Unix milliseconds."""
    changed: bool = True
    """False for one that was archived already."""


async def remove_host(database: Connection, host: str, time_ns: int, keep_history: bool) -> Departure | None:
    """Remove `host`, or archive it; None when there is none. `time_ns`: the bus's time, Unix nanoseconds.

    Set `Runtime.revoked` afterwards.
    """
    async with database.transaction():
        await database.execute(sql.LOCK_WAIT)
        generation = await database.fetchval(sql.NEXT_GENERATION)
        await database.execute(sql.WITHDRAW_TOKENS, host)
        found = await database.fetchrow(sql.LOCK_HOST, host)
        if found is None:
            return None
        host_id: int = found["id"]
        last_ms = None if found["last_sample"] is None else to_ms(found["last_sample"])
        departure = Departure(host_id, generation, keep_history, last_ms)
        if keep_history and found["state"] == "archived":
            return structs.replace(departure, changed=False)
        await revoke_host(database, host_id, "archived" if keep_history else "removed")
        await _end_alerts(database, host_id, host)
        if keep_history:
            await database.execute(sql.ARCHIVE, host_id, time_ns)
        else:
            await database.execute(sql.BURY, host, time_ns)
            await database.execute(sql.NOTE_REMOVAL, host_id, host)
            await database.execute(sql.REMOVE, host_id)
        return departure


async def _end_alerts(database: Connection, host_id: int, host: str) -> None:
    """Forget the states of the host's alerts; its open incidents end with `gone`, and people are told."""
    await database.execute(sql.FORGET_STATES, host_id)
    at_s = now_ms() / 1000
    for row in await database.fetch(sql.END_INCIDENTS, host_id, at_s):
        facts = _readable(host, row)
        if facts is None:
            continue
        number = await database.fetchval(sql.TRANSITION_ID)
        ended = ended_alert(number, host, row, facts)
        body = msgspec.json.encode(ended).decode()
        at = to_time(round(ended.time * 1000))
        await database.execute(
            sql.ADD_TRANSITION, ended.id, at, host_id, ended.rule, ended.instance, body, ended.incident
        )
        step = msgspec.json.encode(Step(ended.time, "gone", "its host was removed or archived")).decode()
        await database.execute(sql.ADD_STEP, ended.incident, at, step)


def _readable(host: str, row: Mapping[str, Any]) -> Facts | None:
    """What a row of `incidents` tells; None, and logged, for one that this version cannot read."""
    try:
        return msgspec.json.decode(row["body"], type=Facts)
    except msgspec.MsgspecError as fault:
        keys = {"host": host, "rule": row["rule_id"], "instance": row["instance"]}
        logger.error("stored incident invalid, ended untold", extra={**keys, "error": str(fault)})
        return None


def ended_alert(number: int, host: str, row: Mapping[str, Any], facts: Facts) -> AlertTransition:
    """The end of an alert whose host is no more."""
    return AlertTransition(
        id=number,
        time=row["closed_s"],
        kind="gone",
        host=host,
        rule=row["rule_id"],
        rule_name=facts.rule_name,
        metric=facts.metric,
        instance=row["instance"],
        severity=facts.severity,
        value=None,
        unit=facts.unit,
        threshold=facts.threshold,
        since=facts.since,
        peak=facts.peak,
        peak_time=facts.peak_time,
        incident=row["id"],
        past=row["past"],
        flapping=facts.flapping,
        tags=facts.tags,
    )
