"""`/hosts/{host}/export`: the past of one host as a file, streamed.

Rows from before the reach of retention are not in it. Where a request reaches back further, the header `Sonde-Raw-From`
(of roll-ups `Sonde-Minute-From`, `Sonde-Hour-From`) has the time in RFC 3339 from which on the file has every row.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from msgspec import structs
from starlette.responses import Response

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
from services.gateway.http.abort import Abort
from services.gateway.http.download import Download
from services.gateway.http.operations import Call, Media, Operation
from services.gateway.http.problems import unavailable

MOST_EXPORTS = 2
"""How many may be under way; each takes a connection of the pool now and then."""
RETRY_FULL_S = 10


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
        return Download(lambda: lines(pool, export), slots, abort, headers, MEDIA_TYPES[kind])

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


def _file_name(export: Export) -> str:
    def moment(time: datetime) -> str:
        return f"{time:%Y%m%dT%H%M%SZ}"

    span = f"{moment(to_time(export.from_ms))}-{moment(to_time(export.to_ms))}"
    return f"{export.host}_{span}_{export.resolution}.{export.format}"
