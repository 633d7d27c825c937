"""`/live`: the stream of server-sent events."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from schemas.catalogue import Family
from services.gateway.fleet.selection import parse_detail, parse_selection
from services.gateway.http.abort import Abort
from services.gateway.http.person import Person
from services.gateway.http.problems import ProblemError
from services.gateway.http.requests import Resource
from services.gateway.live.encoding import choose
from services.gateway.live.feed import parse_event_id
from services.gateway.live.hub import Hub
from services.gateway.live.limits import Scope, TooMany
from services.gateway.live.response import LiveResponse
from services.gateway.live.viewer import Viewer

RETRY_FULL_S = 30
FULL: dict[Scope, tuple[int, str, str]] = {
    "viewers": (
        503,
        "/problems/too-many-viewers",
        "{} viewers are connected, the limit; close one, or raise max_viewers",
    ),
    "streams": (
        429,
        "/problems/too-many-streams",
        "you have {} streams open, the limit; close one, or let an admin raise max_viewers_per_person",
    ),
    "selections": (
        429,
        "/problems/too-many-selections",
        "you look at {} different selections, the limit; use one of them, or let an admin raise "
        "max_selections_per_person",
    ),
}
"""Status, type and detail of what is answered when there are too many."""


def live_routes(hub: Hub, catalogue: tuple[Family, ...], abort: Abort) -> list[BaseRoute]:
    async def get_live(request: Request) -> Response:
        selection = parse_selection(request.query_params, catalogue)
        hosts = parse_detail(request.query_params)
        position = parse_event_id(request.headers.get("last-event-id", ""))
        address = request.client.host if request.client else ""
        person = Person("anonymous", "admin", "anonymous", address)
        viewer = Viewer(person, request.headers.get("user-agent", "")[:300], choose(request.headers))
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        try:
            hub.join(viewer, selection, position, hosts)
        except TooMany as full:
            raise too_many(full) from None
        return LiveResponse(hub, viewer, abort)

    return [Resource("/live", GET=get_live)]


def too_many(full: TooMany) -> ProblemError:
    status, type, detail = FULL[full.scope]
    return ProblemError(status, detail.format(full.limit), type=type, headers={"Retry-After": str(RETRY_FULL_S)})
