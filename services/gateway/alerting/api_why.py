"""`/incidents/{incident}/why`: why people were told, or were not; and which routes take an alert somebody thinks of."""

from __future__ import annotations

import asyncio
import time

from infra.storage.database import Connection, Pool
from schemas.alerting import ChannelState, IncidentId, RouteCheck, RouteQuestion, Why
from schemas.channels import Channel
from schemas.matching import Subject
from schemas.routes import Route, Silence
from schemas.rules import Rule
from services.gateway.alerting import shown, sql, sql_telling
from services.gateway.alerting import sql_incidents as incidents_sql
from services.gateway.alerting.bodies import Stored, read
from services.gateway.alerting.channel_states import channel_state
from services.gateway.alerting.incidents import MOST_NOTIFICATIONS, MOST_STEPS, read_incident
from services.gateway.alerting.routing import route_check
from services.gateway.alerting.why import Known, subject_of, why
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation

MOST_SILENCES = 1000


def why_operations(pool: Pool) -> list[Operation]:
    async def get_why(call: Call[Nothing, None]) -> Why:
        async with connected(pool) as database, database.transaction(isolation="repeatable_read", readonly=True):
            known = await _known(database, call.path["incident"], now_s := time.time())
        return await asyncio.to_thread(why, known, now_s)

    async def check(call: Call[Nothing, RouteQuestion]) -> RouteCheck:
        asked = call.body
        async with connected(pool) as database, database.transaction(isolation="repeatable_read", readonly=True):
            routes, channels, _ = await _ways(database)
            tags = asked.tags
            if tags is None:
                row = await database.fetchrow(sql_telling.HOST, asked.host or "")
                tags = [] if row is None else row["tags"]
        subject = Subject(asked.host or "", frozenset(tags), asked.rule, asked.instance, asked.severity)
        return route_check(routes.items.values(), channels, subject)

    return [
        Operation(
            "GET",
            "/incidents/{incident}/why",
            get_why,
            tag="alerting",
            summary="Why people were told of an incident, or were not, step by step",
            role="viewer",
            answers={200: Why},
            path_types={"incident": IncidentId},
        ),
        Operation(
            "POST",
            "/routes/check",
            check,
            tag="alerting",
            summary="Which routes would take an alert, and which channels they would tell",
            role="operator",
            answers={200: RouteCheck},
            body=RouteQuestion,
            audited=False,
        ),
    ]


async def _known(database: Connection, number: int, now_s: float) -> Known:
    row = await read_incident(database, number)
    incident = shown.incident(row)
    routes, channels, _ = await _ways(database)
    rule = await database.fetchrow(sql.RULE, incident.rule)
    silences = await database.fetch(sql_telling.SILENCES, now_s, "active", None, None, MOST_SILENCES)
    in_force = {each["id"]: read(each["body"], Silence)[0] for each in silences}
    host = await database.fetchrow(sql_telling.HOST, incident.host)
    steps = await database.fetch(incidents_sql.STEPS, number, MOST_STEPS)
    told = await database.fetch(incidents_sql.TOLD, number)
    messages = await database.fetch(incidents_sql.NOTIFICATIONS_OF, number, MOST_NOTIFICATIONS)
    return Known(
        incident,
        row["level"],
        row["settled"],
        shown.rule_then(row),
        None if rule is None else read(rule["body"], Rule)[0],
        [shown.step(each) for each in steps],
        [shown.told_channel(each) for each in told],
        [shown.notification(each) for each in messages],
        {each: silence for each, silence in in_force.items() if silence is not None},
        (host["muted_s"] or 0) if host is not None else 0,
        route_check(routes.items.values(), channels, subject_of(incident)),
        channels,
    )


async def _ways(database: Connection) -> tuple[Stored[Route], dict[str, ChannelState], Stored[Channel]]:
    """The routes, and the channels that are on with how they do."""
    routes = Stored(await database.fetch(sql_telling.ROUTES), Route)
    rows = await database.fetch(sql_telling.CHANNELS, None)
    channels = Stored(rows, Channel)
    states = {row["id"]: channel_state(row) for row in rows}
    on = {name: states[name] for name, channel in channels.items.items() if channel.enabled}
    return routes, on, channels
