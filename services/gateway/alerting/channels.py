"""`/channels/slack/test`: one message through the configured webhook, and word for word what came back."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.outbound import Outbound, OutboundError, outbound
from infra.storage.database import Pool
from schemas.api import ChannelTest
from services.gateway.http.database import connected
from services.gateway.http.problems import ProblemError
from services.gateway.http.requests import Resource, answer
from services.gateway.settings import sql

ANSWER_CHARACTERS = 1000
TEXT = "Test message from Sonde: alerts of your fleet will arrive here."


def channel_routes(pool: Pool, private: bool) -> list[BaseRoute]:
    async def test_slack(request: Request) -> Response:
        async with connected(pool) as database:
            stored = await database.fetchval(sql.SETTING, "slack_webhook_url")
        url = json.loads(stored) if stored else ""
        if not url:
            detail = "no Slack webhook is configured; set it with PUT /api/v1/settings/slack_webhook_url"
            raise ProblemError(409, detail, type="/problems/no-channel")
        async with outbound(private) as http:
            return answer(await post_test(http, url))

    return [Resource("/channels/slack/test", POST=test_slack)]


async def post_test(http: Outbound, url: str) -> ChannelTest:
    """Post the test message. `status` is 0 when no answer came; `ok` as Slack defines it: 200 with the body `ok`."""
    try:
        answer = await http.post(url, json.dumps({"text": TEXT}).encode(), {"Content-Type": "application/json"})
    except OutboundError as error:
        return ChannelTest(False, 0, str(error))
    body = answer.text(ANSWER_CHARACTERS).replace(url, "<webhook>")
    return ChannelTest(answer.status == 200 and body.strip() == "ok", answer.status, body)
