"""`/channels/slack/test`: one message through the configured webhook, and word for word what came back."""

from __future__ import annotations

import json

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.storage.database import Pool
from schemas.api import ChannelTest
from services.gateway.http.database import connected
from services.gateway.http.problems import ProblemError
from services.gateway.http.requests import Resource, answer
from services.gateway.settings import sql

TIMEOUT_S = 10.0
ANSWER_CHARACTERS = 1000
TEXT = "Test message from Sonde: alerts of your fleet will arrive here."


def channel_routes(pool: Pool) -> list[BaseRoute]:
    async def test_slack(request: Request) -> Response:
        async with connected(pool) as database:
            stored = await database.fetchval(sql.SETTING, "slack_webhook_url")
        url = json.loads(stored) if stored else ""
        if not url:
            detail = "no Slack webhook is configured; set it with PUT /api/v1/settings/slack_webhook_url"
            raise ProblemError(409, detail, type="/problems/no-channel")
        return answer(await post_test(url))

    return [Resource("/channels/slack/test", POST=test_slack)]


async def post_test(url: str) -> ChannelTest:
    """Post the test message. `status` is 0 when no answer came; `ok` as Slack defines it: 200 with the body `ok`."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            response = await client.post(url, json={"text": TEXT})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The URL is a secret and may be part of the message.
        return ChannelTest(False, 0, f"{type(error).__name__}: {error}".replace(url, "<webhook>"))
    body = response.text[:ANSWER_CHARACTERS]
    return ChannelTest(response.status_code == 200 and body.strip() == "ok", response.status_code, body)
