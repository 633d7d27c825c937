"""Slack's incoming webhook: one POST a message, which nothing can change afterwards."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import msgspec

from infra.outbound import ANSWER_BYTES, Answer, Outbound, OutboundError
from schemas.channels import Slack
from services.alerts.deliver.answers import retry_after_s, shown, unanswered
from services.alerts.deliver.message import Message
from services.alerts.deliver.slackblocks import blocks_of, text_of
from services.alerts.notice import Outcome

BEFORE_PLAIN_S = 1.0
"""Slack takes one message a second."""

_HEADERS = {"Content-Type": "application/json"}
_DEAD = frozenset(
    {
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "posting_to_general_channel_denied",
        "team_disabled",
        "user_not_found",
    }
)
_TRANSIENT = frozenset({"rollup_error", "rate_limited", "ratelimited"})
_PAYLOAD = frozenset({"invalid_payload", "invalid_blocks", "invalid_attachments", "no_text", "too_many_attachments"})

Class = Literal["sent", "again", "payload", "dead"]


def classify(status: int, word: str) -> Class:
    """Whether the message arrived, and if not, whether to send it again, to send it plainly, or to hold the channel."""
    if status == 200 and word == "ok":
        return "sent"
    if word in _TRANSIENT or status in (408, 429) or status >= 500:
        return "again"
    if word in _DEAD or status in (401, 403, 404, 410):
        return "dead"
    if word in _PAYLOAD or status in (400, 413, 422):
        return "payload"
    # Another success or a redirect is not Slack. It may have taken the message, so sending it again could double it.
    return "dead"


async def send(http: Outbound, target: Slack, message: Message) -> Outcome:
    """One attempt, two where Slack does not take the blocks. Raises nothing."""
    outcome = await _post(http, target.url, blocks_of(message))
    if outcome.verdict != "refused":
        return outcome
    await asyncio.sleep(BEFORE_PLAIN_S)
    second = await _post(http, target.url, text_of(message))
    second.answer = f"{second.answer} (as text; its blocks were refused: {outcome.answer})"
    return second


async def _post(http: Outbound, url: str, payload: dict[str, Any]) -> Outcome:
    try:
        answer: Answer = await http.post(url, msgspec.json.encode(payload), _HEADERS)
    except OutboundError as error:
        return unanswered(error)
    word = answer.text(ANSWER_BYTES).strip()
    text = f"{answer.status} {shown(word, [url])}"
    match classify(answer.status, word):
        case "sent":
            return Outcome("sent", text)
        case "again":
            return Outcome("again", text, retry_after_s(answer))
        case "payload":
            return Outcome("refused", text)
        case "dead":
            return Outcome("dead", text)
