"""`/audit`: who changed what. For administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from infra.clock import to_ms, to_time
from schemas.people import AuditEntries, AuditEntry
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Operation
from services.gateway.http.paging import Number, Page
from services.gateway.people import sql_audit
from services.gateway.people.people import People

Words = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00]*\Z", description="text without NUL characters")]
Moment = Annotated[int, Meta(ge=0, le=253_402_300_799_999, description="Unix milliseconds")]


class Asked(Page, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The newest first; each of these narrows it."""

    who: Words | None = None
    action: Words | None = None
    target: Words | None = None
    from_: Moment | None = None
    to: Moment | None = None


class _Entry(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page ended."""

    id: Number


def audit_operations(people: People) -> list[Operation]:
    async def list_entries(call: Call[Asked, None]) -> AuditEntries:
        asked, after = call.query, call.query.after(_Entry)
        async with connected(people.pool) as database:
            found = await database.fetch(
                sql_audit.PAGE,
                after.id if after else None,
                asked.who,
                asked.action,
                asked.target,
                _moment(asked.from_),
                _moment(asked.to),
                asked.limit + 1,
            )
        rows, following = asked.cut(found, lambda row: _Entry(row["id"]))
        entries = [
            AuditEntry(
                row["id"],
                to_ms(row["time"]),
                row["who"],
                row["by"],
                row["address"],
                row["action"],
                row["target"],
                msgspec.Raw((row["before"] or "null").encode()),
                msgspec.Raw((row["after"] or "null").encode()),
            )
            for row in rows
        ]
        return AuditEntries(entries, following)

    return [
        Operation(
            "GET", "/audit", list_entries, "people", "Who changed what", "admin", {200: AuditEntries}, query=Asked
        )
    ]


def _moment(time_ms: int | None) -> datetime | None:
    return None if time_ms is None else to_time(time_ms)
