"""`/notifications`: the messages that channels were sent, and what came of each."""

from __future__ import annotations

from msgspec import Struct, field

from infra.clock import now_ms, to_time
from infra.storage.database import Pool
from schemas.alerting import IncidentId, Notifications, NotificationStatus
from schemas.routes import ChannelId
from schemas.rules import InvalidField
from services.gateway.alerting import shown
from services.gateway.alerting import sql_incidents as sql
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Operation
from services.gateway.http.paging import Number, Page
from services.gateway.http.ranges import Time, parse_time


class NotificationsQuery(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest first."""

    channel: ChannelId | None = None
    status: NotificationStatus | None = None
    incident: IncidentId | None = None
    """Those that tell of it."""
    from_: Time | None = field(default=None, name="from")
    to: Time | None = None


class Position(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    id: Number


def notification_operations(pool: Pool) -> list[Operation]:
    async def list_notifications(call: Call[NotificationsQuery, None]) -> Notifications:
        page, after = call.query, call.query.after(Position)
        now = now_ms()
        from_ms = None if page.from_ is None else parse_time("from", page.from_, now)
        to_ms = None if page.to is None else parse_time("to", page.to, now)
        if from_ms is not None and to_ms is not None and from_ms >= to_ms:
            raise InvalidField("from", page.from_, "must be earlier than to")
        async with connected(pool) as database:
            rows = await database.fetch(
                sql.NOTIFICATIONS,
                page.channel,
                page.status,
                page.incident,
                None if from_ms is None else to_time(from_ms),
                None if to_ms is None else to_time(to_ms),
                after.id if after else None,
                page.limit + 1,
            )
        here, following = page.cut(rows, lambda row: Position(row["id"]))
        return Notifications([shown.notification(row) for row in here], following)

    return [
        Operation(
            "GET",
            "/notifications",
            list_notifications,
            tag="alerting",
            summary="The messages that channels were sent, the newest first, with what came of each",
            role="viewer",
            answers={200: Notifications},
            query=NotificationsQuery,
        )
    ]
