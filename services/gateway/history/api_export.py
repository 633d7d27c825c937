"""`/hosts/{host}/export`: the past of one host as a file, streamed.

Rows from before the reach of retention are not in it. Where a request reaches back further, the header `Sonde-Raw-From`
(of roll-ups `Sonde-Minute-From`, `Sonde-Hour-From`) has the time in RFC 3339 from which on the file has every row.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime

from msgspec import structs
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.bus.connection import first_fault
from infra.clock import to_time
from infra.storage.database import Pool
from schemas.api import Resolution
from schemas.catalogue import Family
from schemas.subjects import HostId
from services.gateway.fleet.memory import Fleet
from services.gateway.history.arguments import PastOfHost, find_host, snapshot
from services.gateway.history.export import Export, lines
from services.gateway.history.exportformat import MEDIA_TYPES, Format, rfc3339
from services.gateway.history.resolution import widened
from services.gateway.http.abort import Abort, cut, disconnected
from services.gateway.http.operations import Call, Media, Operation
from services.gateway.http.problems import ProblemError, unavailable

logger = logging.getLogger(__name__)

MOST_EXPORTS = 2
"""How many may be under way; each takes a connection of the pool now and then."""
RETRY_FULL_S = 10
SEND_TIMEOUT_S = 60.0
"""A connection that takes nothing for so long is dead."""


class ExportQuery(PastOfHost, frozen=True, kw_only=True, forbid_unknown_fields=True):
    resolution: Resolution = "raw"
    format: Format = "csv"


def export_operations(pool: Pool, fleet: Fleet, catalogue: tuple[Family, ...], abort: Abort) -> list[Operation]:
    slots = asyncio.Semaphore(MOST_EXPORTS)

    async def get_export(call: Call[ExportQuery, None]) -> Response:
        host, resolution, kind = call.path["host"], call.query.resolution, call.query.format
        from_ms, to_ms = widened(*call.query.span(), resolution)
        wanted = call.query.wanted(catalogue)
        if call.request.method == "GET" and slots.locked():
            detail = f"{MOST_EXPORTS} exports are running, which is the limit; retry when one has finished"
            raise unavailable(detail, "/problems/too-many-exports", RETRY_FULL_S)
        async with snapshot(pool) as (database, reach):
            number = await find_host(database, fleet, host)
        export = Export(host, number, wanted, call.query.instance, from_ms, to_ms, resolution, kind)
        headers = {"Content-Disposition": f'attachment; filename="{_file_name(export)}"'}
        begin_ms = reach.begin_ms(resolution)
        if from_ms < begin_ms:
            headers[f"Sonde-{resolution.capitalize()}-From"] = rfc3339([begin_ms])[0]
            export = structs.replace(export, from_ms=min(begin_ms, to_ms))
        if call.request.method == "HEAD":
            return Response(headers=headers, media_type=MEDIA_TYPES[kind])
        return ExportResponse(lambda: lines(pool, export), slots, abort, headers, MEDIA_TYPES[kind])

    return [
        Operation(
            "GET",
            "/hosts/{host}/export",
            get_export,
            tag="history",
            summary="The past of one host as a file, streamed",
            role="viewer",
            answers={200: Media(tuple(MEDIA_TYPES.values()), "The rows, oldest first; a file that ends early is cut.")},
            query=ExportQuery,
            path_types={"host": HostId},
        )
    ]


class ExportResponse(Response):
    """A body as it comes. What fails before its first chunk is answered; after it, the connection is cut.

    So a file that is not whole never looks as if it were. A client that goes away ends the query at once.
    """

    def __init__(
        self,
        chunks: Callable[[], AsyncGenerator[bytes]],
        slots: asyncio.Semaphore,
        abort: Abort,
        headers: dict[str, str],
        media_type: str,
    ) -> None:
        super().__init__(headers=headers, media_type=media_type)
        del self.headers["content-length"]
        self._chunks = chunks
        self._slots = slots
        self._abort = abort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._slots, aclosing(self._chunks()) as chunks:
            first = await anext(chunks, b"")
            try:
                async with asyncio.TaskGroup() as group:
                    sending = group.create_task(self._send(first, chunks, send))
                    leaving = group.create_task(disconnected(receive))
                    await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
                    sending.cancel()
                    leaving.cancel()
            except BaseExceptionGroup as faults:
                fault = first_fault(faults)
                await cut(self._abort, scope, receive)
                if not isinstance(fault, ProblemError | TimeoutError):
                    raise fault from None
                logger.warning(
                    "export aborted", extra={"path": scope["path"], "error": str(fault) or "client stopped reading"}
                )

    async def _send(self, first: bytes, chunks: AsyncGenerator[bytes], send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _sent(send, first, more=True)
        async for chunk in chunks:
            await _sent(send, chunk, more=True)
        await _sent(send, b"", more=False)


async def _sent(send: Send, body: bytes, more: bool) -> None:
    async with asyncio.timeout(SEND_TIMEOUT_S):
        await send({"type": "http.response.body", "body": body, "more_body": more})


def _file_name(export: Export) -> str:
    def moment(time: datetime) -> str:
        return f"{time:%Y%m%dT%H%M%SZ}"

    span = f"{moment(to_time(export.from_ms))}-{moment(to_time(export.to_ms))}"
    return f"{export.host}_{span}_{export.resolution}.{export.format}"
