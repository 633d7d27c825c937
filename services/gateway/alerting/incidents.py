"""`/incidents`: what is wrong and what was, each from its first fire to its end, with what happened to it."""

from __future__ import annotations

from typing import Any

from infra.storage.database import Connection, Pool
from schemas.alerting import IncidentDetail, IncidentId, Incidents
from services.gateway.alerting import shown
from services.gateway.alerting import sql_incidents as sql
from services.gateway.alerting.filters import IncidentsQuery, Position
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation, Reply
from services.gateway.http.problems import unknown

MOST_STEPS = 500
MOST_NOTIFICATIONS = 100


def incident_operations(pool: Pool) -> list[Operation]:
    async def list_incidents(call: Call[IncidentsQuery, None]) -> Incidents:
        sort, page = call.query.sort, call.query.page
        after = call.query.after()
        position = (after.position, after.id) if after else (None, None)
        arguments = [*call.query.arguments(), *position, page.limit + 1]
        async with connected(pool) as database:
            rows = await database.fetch(sql.listed(sort), *arguments)
        shown_rows, following = page.cut(rows, lambda row: Position(sort, row["position"], row["id"]))
        return Incidents([shown.incident(row) for row in shown_rows], following)

    async def get_incident(call: Call[Nothing, None]) -> Reply:
        async with connected(pool) as database, database.transaction(isolation="repeatable_read", readonly=True):
            detail = await read_detail(database, call.path["incident"])
        return Reply.versioned(detail, detail.incident.version)

    return [
        Operation(
            "GET",
            "/incidents",
            list_incidents,
            tag="alerting",
            summary="Incidents that fit, such as those that are open, a page at a time",
            role="viewer",
            answers={200: Incidents},
            query=IncidentsQuery,
        ),
        Operation(
            "GET",
            "/incidents/{incident}",
            get_incident,
            tag="alerting",
            summary="One incident with its steps, and with who was told",
            role="viewer",
            answers={200: IncidentDetail},
            path_types={"incident": IncidentId},
        ),
    ]


async def read_incident(database: Connection, number: int) -> Any:
    """The row of an incident. Raises ProblemError 404."""
    row = await database.fetchrow(sql.INCIDENT, number)
    if row is None:
        raise unknown("incident", str(number))
    return row


async def read_detail(database: Connection, number: int) -> IncidentDetail:
    """Raises ProblemError 404."""
    row = await read_incident(database, number)
    steps = await database.fetch(sql.STEPS, number, MOST_STEPS)
    told = await database.fetch(sql.TOLD, number)
    messages = await database.fetch(sql.NOTIFICATIONS_OF, number, MOST_NOTIFICATIONS)
    return IncidentDetail(
        shown.incident(row),
        shown.rule_then(row),
        [shown.step(each) for each in steps],
        [shown.told_channel(each) for each in told],
        [shown.notification(each) for each in messages],
    )
