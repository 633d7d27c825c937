"""Incidents and what belongs to them, in the tables as the alerts service writes them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from infra.clock import to_time
from infra.storage.database import Connection, ensure_hosts
from schemas.channels import Channel
from schemas.incidents import Facts
from schemas.routes import Route
from schemas.rules import Rule

AT_S = 1_795_219_200.0
"""When things begin here, Unix seconds."""
LEVELS = {"warning": 1, "critical": 2}


def facts(**changes: Any) -> Facts:
    """What is known of a critical alert about the CPU."""
    base = Facts("CPU busy", "cpu.total", "%", "critical", "critical", 97.5, 90.0, AT_S - 300, AT_S, 99.0, AT_S + 5)
    return msgspec.structs.replace(base, **changes)


async def open_incident(
    database: Connection, host: str = "web-1", rule: str = "cpu", instance: str = "", **changes: Any
) -> int:
    """Its number. `opened_s`, `past`, and fields of `Facts` may be given; an empty host: it is about Sonde itself."""
    opened_s, past = changes.pop("opened_s", AT_S), changes.pop("past", False)
    known = facts(**{"changed": opened_s, **changes})
    host_id = (await ensure_hosts(database, [host]))[host] if host else None
    number: int = await database.fetchval(
        "INSERT INTO incidents (rule_id, host, host_id, instance, past, opened, noticed, level, body) "
        "VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8) RETURNING id",
        *(rule, host, host_id, instance, past, at(opened_s), LEVELS[known.severity]),
        msgspec.json.encode(known).decode(),
    )
    await transition(database, number, "fire", opened_s)
    return number


async def end_incident(database: Connection, number: int, at_s: float = AT_S + 600, settled: bool = True) -> None:
    await database.execute(
        "UPDATE incidents SET closed = $2, noticed = $2, level = 0, settled = $3, "
        """body = body || jsonb_build_object('ending', 'resolve', 'changed', $4::float8) WHERE id = $1""",
        *(number, at(at_s), settled, at_s),
    )
    await transition(database, number, "resolve", at_s)


async def transition(database: Connection, number: int, kind: str, at_s: float) -> int:
    """One of incident `number`, as it is now."""
    row = await database.fetchrow("SELECT * FROM incidents WHERE id = $1", number)
    assert row is not None
    transition_id: int = await database.fetchval(
        "SELECT nextval(pg_get_serial_sequence('alert_transitions', 'id'))",
    )
    known = json.loads(row["body"])
    kept = ("rule_name", "metric", "unit", "severity", "value", "threshold", "since", "peak", "peak_time")
    body = {
        "id": transition_id,
        "time": at_s,
        "kind": kind,
        "host": row["host"],
        "rule": row["rule_id"],
        "instance": row["instance"],
        "incident": number,
        "past": row["past"],
        **{name: known[name] for name in kept},
    }
    await database.execute(
        "INSERT INTO alert_transitions (id, time, host_id, rule_id, instance, kind, body, incident_id, published) "
        "OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8, true)",
        *(transition_id, at(at_s), row["host_id"], row["rule_id"], row["instance"], kind, json.dumps(body), number),
    )
    return transition_id


async def step(database: Connection, number: int, kind: str, text: str, at_s: float = AT_S, **further: Any) -> None:
    body = {"at": at_s, "kind": kind, "text": text, **further}
    await database.execute(
        "INSERT INTO incident_steps (incident_id, at, kind, body) VALUES ($1, $2, $3, $4)",
        *(number, at(at_s), kind, json.dumps(body)),
    )


async def store_rule(database: Connection, rule: Rule) -> None:
    body = msgspec.json.encode(rule).decode()
    await database.execute("INSERT INTO rules (id, body) VALUES ($1, $2)", rule.id, body)


async def store_channel(database: Connection, channel: Channel) -> None:
    body = msgspec.json.encode(channel).decode()
    await database.execute("INSERT INTO channels (id, body) VALUES ($1, $2)", channel.id, body)


async def store_route(database: Connection, route: Route) -> None:
    body = msgspec.json.encode(route).decode()
    await database.execute("INSERT INTO routes (id, body) VALUES ($1, $2)", route.id, body)


async def message(
    database: Connection, channel: str, status: str = "sent", answer: str = "ok", incident: int = 0, **further: Any
) -> int:
    """A message to `channel` that was made now."""
    number: int = await database.fetchval(
        "INSERT INTO notifications (channel, route, form, status, attempts, answer, done, delay_s) "
        "VALUES ($1, $2, 'alert', $3, 1, $4, now(), 0.5) RETURNING id",
        *(channel, further.get("route", "everything"), status, answer),
    )
    if incident:
        await database.execute("INSERT INTO notification_items VALUES ($1, $2, 'fire')", number, incident)
    return number


async def told(database: Connection, number: int, channel: str, level: int = 2) -> None:
    await database.execute(
        "INSERT INTO told (incident_id, channel, level, at, since) VALUES ($1, $2, $3, $4, $4)",
        *(number, channel, level, at(AT_S + 1)),
    )


def at(at_s: float) -> Any:
    return to_time(round(at_s * 1000))


async def hold_channel(database: Connection, channel: str, reason: str = "404 no_service") -> None:
    """Nothing can be sent on `channel` as it is now, and it is not tried again for an hour."""
    await database.execute(
        "INSERT INTO channel_states (channel, held_since, held_reason, failures, next_try, version) "
        "SELECT id, now(), $2, 3, now() + interval '1 h', version FROM channels WHERE id = $1",
        channel,
        reason,
    )
