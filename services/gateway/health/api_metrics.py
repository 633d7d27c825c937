"""`/metrics` and `/metrics/fleet`, at the root: what Prometheus scrapes."""

from __future__ import annotations

from prometheus_client.exposition import choose_encoder
from starlette.responses import Response, StreamingResponse

from services.gateway.health.examine import Examination, examine
from services.gateway.health.fleetpage import OPEN_METRICS, TEXT, FleetPage, compressed
from services.gateway.health.meters import Meters, Page, Told
from services.gateway.http.operations import Call, Media, Nothing, Operation

FORMATS = ("text/plain", "application/openmetrics-text")


def scrape_operations(it: Examination, meters: Meters, page: FleetPage) -> list[Operation]:
    async def own(call: Call[Nothing, None]) -> Response:
        found = await examine(it)
        encode, content_type = choose_encoder(call.request.headers.get("accept", ""))
        told = Told(found, it.states(), it.viewers(), *it.counts(), it.bus, it.vitals)
        return Response(encode(Page(meters, told)), media_type=None, headers={"Content-Type": content_type})

    async def fleet(call: Call[Nothing, None]) -> Response:
        open_metrics = FORMATS[1] in call.request.headers.get("accept", "")
        headers = {"Content-Type": OPEN_METRICS if open_metrics else TEXT, "Vary": "Accept, Accept-Encoding"}
        pieces = page.page(open_metrics)
        if "gzip" in call.request.headers.get("accept-encoding", ""):
            return StreamingResponse(compressed(pieces), headers={**headers, "Content-Encoding": "gzip"})
        return StreamingResponse(pieces, headers=headers)

    return [
        Operation(
            "GET",
            "/metrics",
            own,
            tag="metrics",
            summary="Sonde's own metrics for Prometheus",
            role="viewer",
            answers={200: Media(FORMATS, "The exposition")},
            headers={"Accept": "Which of the two formats"},
        ),
        Operation(
            "GET",
            "/metrics/fleet",
            fleet,
            tag="metrics",
            summary="The latest values of every host that sends, for Prometheus",
            role="viewer",
            answers={200: Media(FORMATS, "The exposition")},
            headers={"Accept": "Which of the two formats"},
        ),
    ]
