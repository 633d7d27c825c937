"""`/viewers`: who watches the live stream, what they look at, and how well they keep up; ending one's stream."""

from __future__ import annotations

import logging
from typing import Annotated

from msgspec import Meta, Struct

from infra.storage.database import Pool
from services.gateway.fleet.selection import Selection
from services.gateway.http.audit import record
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.http.problems import unknown
from services.gateway.live.hub import Hub
from services.gateway.live.viewer import Viewer, ViewerState

logger = logging.getLogger(__name__)


class Watched(Struct):
    """What a viewer looks at."""

    hosts: int | None
    """How many are named; null: all."""
    tags: list[str]
    metrics: int | None
    """How many are named; null: all."""
    interval: float
    """Seconds."""
    detail: list[str]
    """Hosts whose every metric it gets."""


class ViewerItem(Struct):
    id: str
    person: str
    """Name of who watches."""
    address: str
    user_agent: str
    since: int
    """Unix milliseconds."""
    state: ViewerState
    sent: int
    """Events."""
    dropped: int
    lag_ms: int
    """Age of the oldest event that waits for it."""
    selection: Watched


ViewerId = Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z", description="12 hexadecimal digits")]


class Viewers(Struct):
    viewers: list[ViewerItem]


def viewer_operations(hub: Hub, pool: Pool) -> list[Operation]:
    async def list_viewers(_: Call[Nothing, None]) -> Viewers:
        return Viewers([_item(viewer, *hub.viewed(viewer)) for viewer in hub.viewers()])

    async def delete_viewer(call: Call[Nothing, None]) -> None:
        wanted = call.path["viewer"]
        viewer = next((viewer for viewer in hub.viewers() if viewer.id == wanted), None)
        if viewer is None:
            raise unknown("viewer", wanted)
        async with connected(pool) as database, database.transaction():
            person = viewer.person
            await record(database, call, wanted, {"person": person.name, "address": person.address})
        viewer.close()
        facts = {"viewer": viewer.id, "person": viewer.person.name, "by": call.person.name}
        logger.info("viewer disconnected by an admin", extra=facts)

    return [
        Operation(
            "GET",
            "/viewers",
            list_viewers,
            tag="live",
            summary="Who watches the live stream, and how well they keep up",
            role="operator",
            answers={200: Viewers},
        ),
        Operation(
            "DELETE",
            "/viewers/{viewer}",
            delete_viewer,
            tag="live",
            summary="End the stream of one viewer",
            role="admin",
            answers={204: None},
            path_types={"viewer": ViewerId},
            description="Its browser comes back after a while, unless its session is ended too.",
        ),
    ]


def _item(viewer: Viewer, selection: Selection, detail: list[str]) -> ViewerItem:
    return ViewerItem(
        viewer.id,
        viewer.person.name,
        viewer.person.address,
        viewer.user_agent,
        viewer.since_ms,
        viewer.state,
        viewer.sent,
        viewer.dropped,
        viewer.lag_ms,
        Watched(
            None if selection.hosts is None else len(selection.hosts),
            sorted(selection.tags),
            None if selection.metrics is None else len(selection.metrics),
            selection.interval_s,
            detail,
        ),
    )
