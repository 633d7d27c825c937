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
from schemas.messages import AlertTransition, Severity
from services.gateway.agents import sql_removal as sql
from services.gateway.identities.revocation import revoke_host
from services.gateway.settings.stored import setting_in_force

logger = logging.getLogger(__name__)

ACTIVE = ("firing", "recovering")


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


class _Machine(Struct):
    last_ms: int = 0
    peak_ms: int = 0


class _State(Struct):
    """What an alert's end tells of it: the part of `alert_states.body` that is for readers."""

    rule_name: str
    metric: str
    unit: str
    severity: Severity
    threshold: float
    since: float
    peak: float | None = None
    machine: _Machine = msgspec.field(default_factory=_Machine)


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
    """Forget the states of the host's alerts; those that are active end with `gone`, and people are told."""
    active = [
        (row, state)
        for row in await database.fetch(sql.TAKE_STATES, host_id)
        if row["state"] in ACTIVE and (state := _readable(host, row)) is not None
    ]
    if not active:
        return
    channels = ["bus", "slack"] if await setting_in_force(database, "slack_webhook_url") else ["bus"]
    numbers = await database.fetch(sql.TRANSITION_IDS, len(active))
    for number, (row, state) in zip(numbers, active, strict=True):
        ended = ended_alert(number["id"], host, row["rule_id"], row["instance"], state, now_ms())
        body = msgspec.json.encode(ended).decode()
        at = to_time(round(ended.time * 1000))
        await database.execute(sql.ADD_TRANSITION, ended.id, at, host_id, ended.rule, ended.instance, body, channels)


def _readable(host: str, row: Mapping[str, Any]) -> _State | None:
    """What a row of `alert_states` tells of its alert; None, and logged, for one that this version cannot read."""
    try:
        return msgspec.json.decode(row["body"], type=_State)
    except msgspec.MsgspecError as fault:
        keys = {"host": host, "rule": row["rule_id"], "instance": row["instance"]}
        logger.error("stored alert state invalid, skipped", extra={**keys, "error": str(fault)})
        return None


def ended_alert(number: int, host: str, rule: str, instance: str, state: _State, at_ms: int) -> AlertTransition:
    """The end of an alert whose host is no more."""
    return AlertTransition(
        id=number,
        time=max(at_ms, state.machine.last_ms) / 1000,
        kind="gone",
        host=host,
        rule=rule,
        rule_name=state.rule_name,
        metric=state.metric,
        instance=instance,
        severity=state.severity,
        value=None,
        unit=state.unit,
        threshold=state.threshold,
        since=state.since,
        peak=state.peak,
        peak_time=state.machine.peak_ms / 1000 if state.machine.peak_ms else None,
    )
