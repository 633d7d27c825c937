"""Slack's Web API: one message for what is told together, changed as it goes on; what follows goes to its thread.

A reference says which message that is, to which conversation it was sent, and how many incidents stand in it. When all
that is news stands in one message, the news is a reply in its thread, shown in the conversation too where people have
to act, and the message itself is brought up to date; else the news is a message of its own, and those before it are
brought up to date. That an old message could not be changed does not make the news untold.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from infra.outbound import ANSWER_BYTES, Outbound, OutboundError
from schemas.channels import SlackBot
from services.alerts.deliver.answers import retry_after_s, shown, unanswered
from services.alerts.deliver.formats import counted
from services.alerts.deliver.message import Message
from services.alerts.deliver.slackblocks import blocks_of, text_of
from services.alerts.deliver.states import is_over
from services.alerts.deliver.wording import message_of
from services.alerts.notice import Notice, Outcome, Said

logger = logging.getLogger(__name__)

BEFORE_PLAIN_S = 1.0
"""Slack takes one message a second in a conversation."""
MOST_UPDATED = 20
"""Messages that are brought up to date after one of news: all, unless a route has told more than its budget."""

Class = Literal["sent", "again", "payload", "gone", "dead"]

_TRANSIENT = frozenset(
    {
        "accesslimited",
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "rollup_error",
        "service_unavailable",
        "team_added_to_org",
    }
)
_PAYLOAD = frozenset(
    {
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_form_data",
        "invalid_json",
        "invalid_post_type",
        "json_not_object",
        "markdown_text_conflict",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
    }
)
_GONE = frozenset(
    {
        "cannot_reply_to_message",
        "cant_update_message",
        "edit_window_closed",
        "message_not_found",
        "restricted_action_thread_locked",
        "thread_not_found",
    }
)
"""The message that it was about cannot be changed or replied to any more."""


class Answered(Struct):
    """What came of one call."""

    kind: Class
    outcome: Outcome
    ts: str = ""
    channel: str = ""


def classify(status: int, ok: bool, error: str) -> Class:
    """What an answer of the Web API means. Whatever is not known to pass needs a person: token, scope, conversation."""
    if status == 200 and ok:
        return "sent"
    if status in (408, 429) or status >= 500 or error in _TRANSIENT:
        return "again"
    if error in _PAYLOAD:
        return "payload"
    return "gone" if error in _GONE else "dead"


async def send(http: Outbound, target: SlackBot, message: Message, notice: Notice | None) -> Outcome:
    """One attempt at the news; then the messages in which it stood before are brought up to date. Raises nothing."""
    items = notice.items if notice is not None else []
    before = _roots(items, target)
    root = before[0] if len(before) == 1 and all(said.reference == before[0] for said in items) else None
    answered = None
    if root is not None:
        answered = await _post(http, target, message, thread=root, aloud=_is_aloud(items))
    if answered is None or answered.kind == "gone":
        root = None
        answered = await _post(http, target, message)
    if answered.kind != "sent":
        return answered.outcome
    if notice is not None:
        for reference in before[:MOST_UPDATED]:
            if await _update(http, target, reference, notice) == "again":
                break  # whoever has no time now has none for the others
    reference = root or {
        "ts": answered.ts,
        "channel": answered.channel,
        "room": target.room,
        "incidents": len(items),
    }
    answered.outcome.reference = reference
    return answered.outcome


def _roots(items: Iterable[Said], target: SlackBot) -> list[dict[str, Any]]:
    """The messages in which `items` stand, as far as the conversation is still the same."""
    found: dict[str, dict[str, Any]] = {}
    for said in items:
        reference = said.reference
        if reference.get("room") == target.room and isinstance(reference.get("ts"), str):
            found[reference["ts"]] = reference
    return list(found.values())


def _is_aloud(items: Iterable[Said]) -> bool:
    """Whether what is in the thread is shown in the conversation too: there is something to do about it."""
    return any(said.kind in ("fire", "escalate", "repeat") for said in items)


def standing(reference: dict[str, Any], notice: Notice) -> Message:
    """How everything in an earlier message stands now."""
    items = [said for said in (*notice.items, *notice.beside) if said.reference.get("ts") == reference["ts"]]
    now = [said if is_over(said) else replace(said, kind="fire") for said in items]
    message = message_of(replace(notice, form="alert", items=now))
    told = reference.get("incidents")
    over = told - len(items) if isinstance(told, int) else 0
    if over > 0:
        rest = f"and {counted(over, 'alert')} that {'is' if over == 1 else 'are'} over"
        message.more = f"{message.more}; {rest}" if message.more else rest
    return message


async def _post(
    http: Outbound, target: SlackBot, message: Message, thread: dict[str, Any] | None = None, aloud: bool = False
) -> Answered:
    """A new message, once more as text only where its blocks are refused."""
    where: dict[str, Any] = {"channel": target.room}
    if thread is not None:
        where = {"channel": thread.get("channel") or target.room, "thread_ts": thread["ts"]}
        if aloud:
            where["reply_broadcast"] = True
    answered = await _call(http, target, "chat.postMessage", {**where, **blocks_of(message)})
    if answered.kind != "payload":
        return answered
    await asyncio.sleep(BEFORE_PLAIN_S)
    second = await _call(http, target, "chat.postMessage", {**where, **text_of(message)})
    second.outcome.answer += f" (as text; its blocks were refused: {answered.outcome.answer})"
    return second


async def _update(http: Outbound, target: SlackBot, reference: dict[str, Any], notice: Notice) -> Class:
    payload = blocks_of(standing(reference, notice))
    where = {"channel": reference.get("channel") or target.room, "ts": reference["ts"]}
    answered = await _call(http, target, "chat.update", {**where, "text": payload["text"], "blocks": payload["blocks"]})
    if answered.kind != "sent":
        extra = {"notification": notice.number, "answer": answered.outcome.answer[:300]}
        logger.info("earlier slack message not updated", extra=extra)
    return answered.kind


async def _call(http: Outbound, target: SlackBot, method: str, payload: dict[str, Any]) -> Answered:
    headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {target.token}"}
    url = f"{target.api_url.rstrip('/')}/{method}"
    try:
        answer = await http.post(url, msgspec.json.encode(payload), headers)
    except OutboundError as error:
        outcome = unanswered(error)
        return Answered("dead" if outcome.verdict == "dead" else "again", outcome)
    said: dict[str, Any] = {}
    with contextlib.suppress(msgspec.MsgspecError):
        said = msgspec.json.decode(answer.body, type=dict[str, Any])
    error_word = str(said.get("error", ""))
    kind = classify(answer.status, said.get("ok") is True, error_word)
    raw = error_word or ("ok" if kind == "sent" else answer.text(ANSWER_BYTES))
    if missing := said.get("needed"):
        raw = f"{raw}, needed: {missing}"
    text = f"{answer.status} {shown(raw, [target.token])}".strip()
    match kind:
        case "sent":
            return Answered(kind, Outcome("sent", text), str(said.get("ts", "")), str(said.get("channel", "")))
        case "again":
            return Answered(kind, Outcome("again", text, retry_after_s(answer)))
        case "payload" | "gone":
            return Answered(kind, Outcome("refused", text))
        case "dead":
            return Answered(kind, Outcome("dead", text))
