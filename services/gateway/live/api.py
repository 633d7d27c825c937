"""`/live`: the stream of server-sent events."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta, Struct, structs
from starlette.responses import Response

from schemas.api import Complete, Frame, Gone, Host, Processes, Snapshot, Watching
from schemas.catalogue import Family
from schemas.health import Health
from schemas.messages import AlertTransition
from schemas.settings import SettingChanged
from services.gateway.fleet.selection import (
    INTERVAL_S,
    MAX_DETAIL,
    MAX_TAGS,
    STEPS_S,
    HostsShown,
    MetricsShown,
    parse_detail,
    parse_selection,
)
from services.gateway.http.abort import Abort
from services.gateway.http.operations import Call, Media, Nothing, Operation
from services.gateway.http.problems import ProblemError
from services.gateway.live.encoding import choose
from services.gateway.live.feed import parse_event_id
from services.gateway.live.hub import Hub
from services.gateway.live.limits import Scope, TooMany
from services.gateway.live.response import LiveResponse
from services.gateway.live.viewer import Viewer

RETRY_FULL_S = 30

Tags = Annotated[
    str, Meta(description=f"at most {MAX_TAGS} tags separated by commas: only hosts that have all; empty for all hosts")
]
Interval = Annotated[
    str,
    Meta(
        description=f"seconds between frames of one host, from {INTERVAL_S[0]:g} to {INTERVAL_S[1]:g}; there are "
        f"{', '.join(f'{step:g}' for step in STEPS_S)}, others are rounded down"
    ),
]
Detail = Annotated[
    str, Meta(description=f"at most {MAX_DETAIL} host ids separated by commas, whose every metric is sent besides")
]


OF_HOSTS = {"snapshot": Snapshot, "frame": Frame, "host": Host, "gone": Gone}
EVENTS = {
    **OF_HOSTS,
    "complete": Complete,
    "alert": AlertTransition,
    "settings": SettingChanged,
    **{f"detail-{name}": data for name, data in OF_HOSTS.items()},
    "detail-processes": Processes,
    "viewers": Watching,
    "health": Health,
    "resync": Nothing,
}
"""The type of the data of each event."""


class LiveQuery(Struct, frozen=True, forbid_unknown_fields=True):
    hosts: HostsShown = ""
    tags: Tags = ""
    metrics: MetricsShown = ""
    interval: Interval = "1"
    detail: Detail = ""


def live_operations(hub: Hub, catalogue: tuple[Family, ...], abort: Abort) -> list[Operation]:
    door = asyncio.Lock()

    async def get_live(call: Call[LiveQuery, None]) -> Response:
        request, parameters = call.request, structs.asdict(call.query)
        async with door:
            await asyncio.sleep(0)  # a herd comes in one by one, and frames go out in between
            selection = parse_selection(parameters, catalogue)
            hosts = parse_detail(parameters)
        position = parse_event_id(request.headers.get("last-event-id", ""))
        viewer = Viewer(call.person, request.headers.get("user-agent", "")[:300], choose(request.headers))
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        try:
            hub.join(viewer, selection, position, hosts)
        except TooMany as full:
            raise too_many(full) from None
        return LiveResponse(hub, viewer, abort)

    return [
        Operation(
            "GET",
            "/live",
            get_live,
            tag="live",
            summary="What happens, as a stream of server-sent events",
            role="viewer",
            answers={200: Media(("text/event-stream",), "Events until either side ends the stream.", events=EVENTS)},
            query=LiveQuery,
            refuses=(429, 503),
            headers={"Last-Event-ID": "The last event that was seen; those since then come instead of a snapshot."},
        )
    ]


def too_many(full: TooMany) -> ProblemError:
    """503 when others hold what there is, 429 when the one who asks does."""
    problems: dict[Scope, tuple[int, str, str]] = {
        "viewers": (
            503,
            "/problems/too-many-viewers",
            f"{full.limit} viewers are connected, the limit; close one, or raise max_viewers",
        ),
        "streams": (
            429,
            "/problems/too-many-streams",
            f"you have {full.limit} streams open, the limit; close one, or raise max_viewers_per_person",
        ),
        "selections": (
            429,
            "/problems/too-many-selections",
            f"you watch {full.limit} selections, the limit; ask for one of them, or raise max_selections_per_person",
        ),
    }
    status, kind, detail = problems[full.scope]
    return ProblemError(status, detail, type=kind, headers={"Retry-After": str(RETRY_FULL_S)})
