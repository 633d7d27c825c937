"""The HTTP server alone: what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.gateway.http.abort import cut
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
            async with httpx.AsyncClient(verify=TRUST, timeout=40) as client:
                assert (await client.get(url)).text == "here"
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving


async def test_a_connection_is_cut_whatever_the_scope_says_of_its_client() -> None:
    """As behind a proxy whose X-Forwarded-For replaces the address."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "client": ("203.0.113.9", 1)}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        if scope["path"] == "/broken":
            await cut(server.abort, scope, receive)
        else:
            await send({"type": "http.response.body", "body": b" and whole"})

    with contextlib.closing(bind("127.0.0.1", 0)) as bound:
        server = GatewayServer(app)
        serving = asyncio.create_task(server.serve_until_told([bound]))
        await eventually(lambda: server.started)
        base = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base, verify=TRUST, timeout=40) as client:
            with pytest.raises(httpx.TransportError):
                await client.get("/broken")
            assert (await client.get("/whole")).text == "half and whole"
        server.should_exit = True
        await serving
