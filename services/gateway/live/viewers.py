"""`/viewers`: who watches the live stream, and how well they keep up."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.gateway.http.requests import Resource, answer
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


def viewer_routes(hub: Hub) -> list[BaseRoute]:
    async def list_viewers(request: Request) -> Response:
        return answer(
            Viewers(
                [
                    ViewerItem(v.id, v.address, v.user_agent, v.since_ms, v.state, v.sent, v.dropped, v.lag_ms)
                    for v in hub.viewers()
                ]
            )
        )

    return [Resource("/viewers", GET=list_viewers)]
