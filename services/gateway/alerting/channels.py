"""`/channels/slack/test`: one message through the configured webhook, and word for word what came back."""

from __future__ import annotations

import json

import httpx

from infra.storage.database import Pool
from schemas.api import ChannelTest
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.http.problems import ProblemError
from services.gateway.settings import sql

TIMEOUT_S = 10.0
ANSWER_CHARACTERS = 1000
TEXT = "Test message from Sonde: alerts of your fleet will arrive here."


def channel_operations(pool: Pool) -> list[Operation]:
    async def send_test(_: Call[Nothing, None]) -> ChannelTest:
        async with connected(pool) as database:
            stored = await database.fetchval(sql.SETTING, "slack_webhook_url")
        url = json.loads(stored) if stored else ""
        if not url:
            detail = "no Slack webhook is configured; set it with PUT /api/v1/settings/slack_webhook_url"
            raise ProblemError(409, detail, type="/problems/no-channel")
        return await post_test(url)

    return [
        Operation(
            "POST",
            "/channels/slack/test",
            send_test,
            tag="alerting",
            summary="Send a test message to Slack, and say word for word what came back",
            role="operator",
            answers={200: ChannelTest},
            refuses=(409,),
        )
    ]


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
