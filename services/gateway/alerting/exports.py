"""`/incidents/export` and `/alerts/export`: incidents and transitions as files, read and sent portion by portion.

Each portion is read in a statement of its own, so no transaction is open while a slow client takes it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from msgspec import Struct, field
from starlette.responses import Response

from infra.clock import now_ms, to_time
from infra.storage.database import Pool
from schemas.messages import AlertTransition
from schemas.rules import InvalidField
from services.gateway.alerting import shown
from services.gateway.alerting import sql_incidents as sql
from services.gateway.alerting.exportformat import (
    INCIDENT_COLUMNS,
    MEDIA_TYPES,
    TRANSITION_COLUMNS,
    Format,
    encoded,
    head,
    incident_row,
    transition_row,
)
from services.gateway.alerting.filters import Filter
from services.gateway.http.abort import Abort
from services.gateway.http.database import connected
from services.gateway.http.download import Download
from services.gateway.http.operations import Call, Media, Operation
from services.gateway.http.problems import unavailable
from services.gateway.http.ranges import Time, parse_time

logger = logging.getLogger(__name__)

MOST_EXPORTS = 2
RETRY_FULL_S = 10
PORTION_ROWS = 1000
SORT = "oldest"


class IncidentsExport(Filter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Format = "csv"


class TransitionsExport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    from_: Time | None = field(default=None, name="from")
    to: Time | None = None
    format: Format = "csv"


def alert_export_operations(pool: Pool, abort: Abort) -> list[Operation]:
    slots = asyncio.Semaphore(MOST_EXPORTS)

    async def export_incidents(call: Call[IncidentsExport, None]) -> Response:
        asked = call.query
        arguments = asked.arguments()
        return _file(call, "incidents", asked.format, lambda: _incidents(pool, arguments, asked.format))

    async def export_transitions(call: Call[TransitionsExport, None]) -> Response:
        asked = call.query
        span = _span(asked)
        return _file(call, "alerts", asked.format, lambda: _transitions(pool, span, asked.format))

    def _file(call: Call[Any, None], name: str, format: Format, chunks: Any) -> Response:
        headers = {"Content-Disposition": f'attachment; filename="{name}.{format}"'}
        if call.request.method == "HEAD":
            return Response(headers=headers, media_type=MEDIA_TYPES[format])
        if slots.locked():
            detail = f"{MOST_EXPORTS} exports are running, which is the limit; retry when one has finished"
            raise unavailable(detail, "/problems/too-many-exports", RETRY_FULL_S)
        return Download(chunks, slots, abort, headers, MEDIA_TYPES[format])

    file = Media(tuple(MEDIA_TYPES.values()), "The rows, oldest first; a file that ends early is cut.")
    return [
        Operation(
            "GET",
            "/incidents/export",
            export_incidents,
            tag="alerting",
            summary="Incidents that fit as a file, streamed",
            role="viewer",
            answers={200: file},
            query=IncidentsExport,
        ),
        Operation(
            "GET",
            "/alerts/export",
            export_transitions,
            tag="alerting",
            summary="Every change of alerts as a file, streamed",
            role="viewer",
            answers={200: file},
            query=TransitionsExport,
        ),
    ]


def _span(asked: TransitionsExport) -> tuple[Any, Any]:
    """Raises InvalidField."""
    now = now_ms()
    from_ms = None if asked.from_ is None else parse_time("from", asked.from_, now)
    to_ms = None if asked.to is None else parse_time("to", asked.to, now)
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise InvalidField("from", asked.from_, "must be earlier than to")
    return None if from_ms is None else to_time(from_ms), None if to_ms is None else to_time(to_ms)


async def _incidents(pool: Pool, arguments: list[Any], format: Format) -> AsyncGenerator[bytes]:
    yield head(INCIDENT_COLUMNS, format)
    statement = sql.listed(SORT)
    position: tuple[int | None, int | None] = (None, None)
    while True:
        async with connected(pool) as database:
            rows = await database.fetch(statement, *arguments, *position, PORTION_ROWS)
        if rows:
            yield encoded([incident_row(shown.incident(row)) for row in rows], format)
        if len(rows) < PORTION_ROWS:
            return
        position = (rows[-1]["position"], rows[-1]["id"])


async def _transitions(pool: Pool, span: tuple[Any, Any], format: Format) -> AsyncGenerator[bytes]:
    yield head(TRANSITION_COLUMNS, format)
    after = 0
    while True:
        async with connected(pool) as database:
            rows = await database.fetch(sql.TRANSITIONS, *span, after, PORTION_ROWS)
        if chunk := encoded([transition_row(each) for row in rows if (each := _transition(row)) is not None], format):
            yield chunk
        if len(rows) < PORTION_ROWS:
            return
        after = rows[-1]["id"]


def _transition(row: Any) -> AlertTransition | None:
    """None, and logged, for one that this version cannot read."""
    try:
        return msgspec.json.decode(row["body"], type=AlertTransition)
    except msgspec.MsgspecError as error:
        logger.error("stored alert transition invalid, skipped", extra={"body": row["body"][:200], "error": str(error)})
        return None
