"""`/alerts`: what is wrong now, and what was, with the fate of each notification. Written by the alerts service."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.storage.database import Pool
from schemas.api import ActiveAlert, Alerts, Delivery, PastAlert
from services.gateway.alerting import sql
from services.gateway.http.database import connected
from services.gateway.http.problems import invalid
from services.gateway.http.requests import Resource, answer, query_int

logger = logging.getLogger(__name__)

DEFAULT_LIMIT = 100
MOST = 1000


def alert_routes(pool: Pool) -> list[BaseRoute]:
    async def get_alerts(request: Request) -> Response:
        state = request.query_params.get("state", "all")
        if state not in ("active", "all"):
            raise invalid("state", state[:60], "must be active or all")
        limit = query_int(request, "limit", DEFAULT_LIMIT, 1, MOST)
        async with connected(pool) as database:
            active = await database.fetch(sql.ACTIVE_ALERTS)
            history = await database.fetch(sql.ALERT_HISTORY, limit) if state == "all" else []
        return answer(Alerts(_active(active), _history(history)))

    return [Resource("/alerts", GET=get_alerts)]


def _active(rows: list[Any]) -> list[ActiveAlert]:
    """Alerts that are not ok, the gravest and then the latest first; unreadable rows are left out and logged."""
    alerts = []
    for row in rows:
        keys = {"rule": row["rule_id"], "host": row["host"], "instance": row["instance"], "state": row["state"]}
        try:
            alerts.append(msgspec.convert({**msgspec.json.decode(row["body"]), **keys}, ActiveAlert))
        except msgspec.ValidationError as error:
            logger.error("stored alert state invalid, skipped", extra={**keys, "error": str(error)})
    grave = {("firing", "critical"): 0, ("recovering", "critical"): 1, ("firing", "warning"): 2}
    return sorted(alerts, key=lambda alert: (grave.get((alert.state, alert.severity), 3), -alert.since))


def _history(rows: list[Any]) -> list[PastAlert]:
    """Transitions, the latest first."""
    past = []
    for row in rows:
        delivery = None
        if row["channel"] is not None:
            delivery = Delivery(row["channel"], row["status"], row["attempts"], row["answer"])
        try:
            transition = msgspec.json.decode(row["body"], type=PastAlert)
        except msgspec.ValidationError as error:
            logger.error(
                "stored alert transition invalid, skipped", extra={"body": row["body"][:200], "error": str(error)}
            )
            continue
        transition.delivery = delivery
        past.append(transition)
    return past
