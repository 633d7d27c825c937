"""`/channels/slack/test`: one message through the configured webhook, and word for word what came back."""

from __future__ import annotations

import json

from infra.outbound import Outbound, OutboundError, outbound
from infra.storage.database import Pool
from schemas.api import ChannelTest
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.http.problems import ProblemError
from services.gateway.settings.stored import setting_in_force

ANSWER_CHARACTERS = 1000
TEXT = "Test message from Sonde: alerts of your fleet will arrive here."


def channel_operations(pool: Pool, private: bool) -> list[Operation]:
    async def send_test(_: Call[Nothing, None]) -> ChannelTest:
        async with connected(pool) as database:
            url = await setting_in_force(database, "slack_webhook_url")
        if not url:
            detail = "no Slack webhook is configured; set it with PUT /api/v1/settings/slack_webhook_url"
            raise ProblemError(409, detail, type="/problems/no-channel")
        async with outbound(private) as http:
            return await post_test(http, url)

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
            audited=False,
        )
    ]


async def post_test(http: Outbound, url: str) -> ChannelTest:
    """Post the test message. `status` is 0 when no answer came; `ok` as Slack defines it: 200 with the body `ok`."""
    try:
        answer = await http.post(url, json.dumps({"text": TEXT}).encode(), {"Content-Type": "application/json"})
    except OutboundError as error:
        return ChannelTest(False, 0, str(error))
    body = answer.text(ANSWER_CHARACTERS).replace(url, "<webhook>")
    return ChannelTest(answer.status == 200 and body.strip() == "ok", answer.status, body)
