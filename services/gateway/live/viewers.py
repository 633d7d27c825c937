"""`/viewers`: who watches the live stream, and how well they keep up."""

from __future__ import annotations

from schemas import viewers as shown
from schemas.viewers import Viewers
from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.live.hub import Hub
from services.gateway.live.viewer import Viewer


def viewer_operations(hub: Hub) -> list[Operation]:
    async def list_viewers(_: Call[Nothing, None]) -> Viewers:
        return Viewers([_item(viewer) for viewer in hub.viewers()])

    return [
        Operation(
            "GET",
            "/viewers",
            list_viewers,
            tag="live",
            summary="Who watches the live stream, and how well they keep up",
            role="operator",
            answers={200: Viewers},
        )
    ]


def _item(viewer: Viewer) -> shown.Viewer:
    return shown.Viewer(
        viewer.id,
        viewer.person.name,
        viewer.person.address,
        viewer.user_agent,
        viewer.since_ms,
        viewer.state,
        viewer.sent,
        viewer.dropped,
        viewer.lag_ms,
    )
