"""`/alerts`: what is wrong now, and what was, with the fate of each notification. Written by the alerts service."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from infra.storage.database import Pool
from schemas.api import ActiveAlert, Alerts, Delivery, PastAlert
from schemas.incidents import is_seen
from services.gateway.alerting import shown
from services.gateway.alerting import sql_incidents as sql
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Operation
from services.gateway.http.paging import Number, Page

logger = logging.getLogger(__name__)


class AlertsQuery(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pages are those of the history."""

    state: Literal["active", "all"] = "all"
    """`active`: without the history."""


class _Past(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page of the history ended."""

    id: Number


def alert_operations(pool: Pool) -> list[Operation]:
    async def get_alerts(call: Call[AlertsQuery, None]) -> Alerts:
        page, after = call.query, call.query.after(_Past)
        past: list[Any] = []
        async with connected(pool) as database:
            active = await database.fetch(sql.ACTIVE_ALERTS)
            if page.state == "all":
                past = await database.fetch(sql.ALERT_HISTORY, page.limit + 1, after.id if after else None)
        rows, following = page.cut(past, lambda row: _Past(row["id"]))
        return Alerts(_active(active), _history(rows), following)

    return [
        Operation(
            "GET",
            "/alerts",
            get_alerts,
            tag="alerting",
            summary="What is wrong now, and what was, with the fate of each notification",
            role="viewer",
            answers={200: Alerts},
            query=AlertsQuery,
        )
    ]


def _active(rows: list[Any]) -> list[ActiveAlert]:
    """Alerts that are not ok, the gravest and then the latest first; unreadable rows are left out and logged."""
    alerts, now_s = [], time.time()
    for row in rows:
        keys = {"rule": row["rule_id"], "host": row["host"], "instance": row["instance"], "state": row["state"]}
        seen = shown.acknowledged(row["acknowledged"])
        holds = is_seen(seen, row["level"], now_s)
        until = seen.until if seen is not None and holds else None
        incident = {"incident": row["incident"] or 0, "acknowledged": holds, "acknowledged_until": until}
        try:
            alerts.append(msgspec.convert({**msgspec.json.decode(row["body"]), **keys, **incident}, ActiveAlert))
        except msgspec.ValidationError as error:
            logger.error("stored alert state invalid, skipped", extra={**keys, "error": str(error)})
    grave = {("firing", "critical"): 0, ("recovering", "critical"): 1, ("firing", "warning"): 2}
    return sorted(alerts, key=lambda alert: (grave.get((alert.state, alert.severity), 3), -alert.since))


def _history(rows: Sequence[Any]) -> list[PastAlert]:
    """Transitions, the latest first, each once however many channels heard of it."""
    past = []
    for row in rows:
        try:
            transition = msgspec.json.decode(row["body"], type=PastAlert)
            transition.deliveries = msgspec.json.decode(row["deliveries"], type=list[Delivery])
        except msgspec.ValidationError as error:
            logger.error(
                "stored alert transition invalid, skipped", extra={"body": row["body"][:200], "error": str(error)}
            )
            continue
        past.append(transition)
    return past
