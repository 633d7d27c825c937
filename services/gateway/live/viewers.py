"""`/viewers`: who watches the live stream, and how well they keep up."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.gateway.http.requests import Resource, answer
from services.gateway.live.hub import Hub
from services.gateway.live.viewer import Viewer


class ViewerItem(Struct):
    id: str
    person: str
    """Name of who watches."""
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


def viewer_routes(hub: Hub) -> list[BaseRoute]:
    async def list_viewers(request: Request) -> Response:
        return answer(Viewers([_item(viewer) for viewer in hub.viewers()]))

    return [Resource("/viewers", GET=list_viewers)]


def _item(viewer: Viewer) -> ViewerItem:
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
    )
