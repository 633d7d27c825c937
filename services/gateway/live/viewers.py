"""`/viewers`: who watches the live stream, and how well they keep up."""

from __future__ import annotations

from msgspec import Struct

from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.live.hub import Hub


class ViewerItem(Struct):
    id: str
    address: str
    user_agent: str
    since: int
    """Unix milliseconds."""
    state: str
    sent: int
    dropped: int
    lag_ms: int


class Viewers(Struct):
    viewers: list[ViewerItem]


def viewer_operations(hub: Hub) -> list[Operation]:
    async def list_viewers(_: Call[Nothing, None]) -> Viewers:
        return Viewers(
            [
                ViewerItem(v.id, v.address, v.user_agent, v.since_ms, v.state, v.sent, v.dropped, v.lag_ms)
                for v in hub.viewers()
            ]
        )

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
