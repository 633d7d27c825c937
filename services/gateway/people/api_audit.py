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
from services.gateway.people import sql_audit
from services.gateway.people.people import People

Words = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00]*\Z", description="text without NUL characters")]
Moment = Annotated[int, Meta(ge=0, le=253_402_300_799_999, description="Unix milliseconds")]
Cursor = Annotated[int, Meta(ge=1, le=2**63 - 1, description="what `next` of the page before had")]


class Asked(Struct, frozen=True, rename={"from_": "from"}):
    """The newest first, down from `cursor`; each of the others narrows it."""

    who: Words | None = None
    action: Words | None = None
    target: Words | None = None
    from_: Moment | None = None
    to: Moment | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


def audit_operations(people: People) -> list[Operation]:
    async def list_entries(call: Call[Asked, None]) -> AuditEntries:
        asked = call.query
        async with connected(people.pool) as database:
            rows = await database.fetch(
                sql_audit.PAGE,
                asked.cursor,
                asked.who,
                asked.action,
                asked.target,
                _moment(asked.from_),
                _moment(asked.to),
                asked.limit + 1,
            )
        page = rows[: asked.limit]
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
            for row in page
        ]
        return AuditEntries(entries, str(page[-1]["id"]) if len(rows) > asked.limit else None)

    return [
        Operation(
            "GET", "/audit", list_entries, "people", "Who changed what", "admin", {200: AuditEntries}, query=Asked
        )
    ]


def _moment(time_ms: int | None) -> datetime | None:
    return None if time_ms is None else to_time(time_ms)
