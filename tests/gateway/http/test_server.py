"""The HTTP server alone: what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.gateway.http.server import GatewayServer, bind
from tests.gateway.running import TRUST
from tests.waiting import eventually


async def test_a_cancelled_server_leaves_the_loop_fit_for_the_next() -> None:
    """The next one's socket gets the number of the first one's."""
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("here"))])
    for _ in range(3):
        with contextlib.closing(bind("127.0.0.1", 0)) as bound:
            server = GatewayServer(app)
            serving = asyncio.create_task(server.serve_until_told([bound]))
            await eventually(lambda server=server: server.started)
            url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
            async with httpx.AsyncClient(verify=TRUST, timeout=10) as client:
                assert (await client.get(url)).text == "here"
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving
