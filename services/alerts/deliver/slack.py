"""Alerts as Slack's blocks, and what its answers mean. Pure; the words themselves are in `wording`.

Facts about incoming webhooks: success is 200 with the body `ok`; a header holds 150 characters, a section's text 3,000,
a section ten fields of 2,000; `&`, `<` and `>` must be escaped and nothing else.
"""

from __future__ import annotations

import random
from typing import Any, Literal

from msgspec import Struct

from schemas.messages import AlertTransition
from schemas.rules import Rule
from services.alerts.deliver.wording import duration, format_duration, format_value, headline, measured, summary, utc

HEADER_CHARACTERS = 150
FIELD_CHARACTERS = 2000
TEXT_CHARACTERS = 3000
MOST_WAIT_S = 60.0
MOST_RETRY_AFTER_S = 3600.0

Verdict = Literal["sent", "again", "payload", "dead"]

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_DEAD = frozenset({"no_service", "invalid_token", "channel_not_found", "channel_is_archived", "action_prohibited"})
_TRANSIENT = frozenset({"rollup_error", "rate_limited"})
_PAYLOAD = frozenset({"invalid_payload", "invalid_blocks", "invalid_attachments", "no_text", "too_many_attachments"})


class Answer(Struct, frozen=True):
    """What came back from one POST."""

    status: int
    """HTTP status; 0 when there was no answer."""
    body: str
    """First characters of the body, or why there was no answer."""
    retry_after_s: float | None = None
    refused: bool = False
    """Whether the address was refused here, before anybody was asked."""


def classify(answer: Answer) -> Verdict:
    """Whether the message arrived, and if not, whether to send it again, send it plainly, or give it up."""
    word = answer.body.strip()
    if answer.status == 200 and word == "ok":
        return "sent"
    if answer.refused or answer.status in (401, 403, 404, 410) or word in _DEAD:
        return "dead"
    if answer.status in (0, 408, 429) or answer.status >= 500 or word in _TRANSIENT:
        return "again"
    if answer.status in (400, 413, 422) or word in _PAYLOAD:
        return "payload"
    # Another success or a redirect is not Slack. It may have taken the message, so sending it again could double it.
    return "dead"


def wait_before_retry_s(answer: Answer, attempts: int, rng: random.Random) -> float:
    """How long to wait after the `attempts`-th failure in a row: what Slack asks for, else doubling with jitter."""
    if answer.retry_after_s is not None:
        return min(answer.retry_after_s, MOST_RETRY_AFTER_S) + rng.uniform(0, 0.5)
    return min(MOST_WAIT_S, 2.0 ** min(attempts - 1, 10)) * rng.uniform(0.5, 1)


def escape(text: str, most: int = TEXT_CHARACTERS) -> str:
    """`text` with Slack's control characters escaped, cut so that at most `most` characters come out."""
    pieces: list[str] = []
    length = 0
    for character in text:
        piece = _ESCAPES.get(character, character)
        if length + len(piece) > most:
            while pieces and length + 1 > most:
                length -= len(pieces.pop())
            return "".join(pieces) + "…"
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces)


def render(transition: AlertTransition, rule: Rule | None, dashboard_url: str) -> dict[str, Any]:
    """The Block Kit message for `transition`; `rule` as it is now, None when it is gone."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": escape(headline(transition), HEADER_CHARACTERS)}},
        {"type": "section", "fields": [_field(name, value) for name, value in _facts(transition, rule)]},
    ]
    links = _links(transition, rule, dashboard_url)
    if links:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": " · ".join(links)}]})
    return {"text": escape(summary(transition)), "blocks": blocks}


def render_plain(transition: AlertTransition) -> dict[str, Any]:
    """The same as text only, for when the blocks were refused."""
    return {"text": escape(summary(transition))}


def _facts(transition: AlertTransition, rule: Rule | None) -> list[tuple[str, str]]:
    """Names and values of the message's fields; at most ten, values escaped."""
    unit = transition.unit
    facts = [("Host", escape(transition.host)), ("Metric", escape(measured(transition), FIELD_CHARACTERS - 100))]
    if transition.value is not None:
        facts.append(("Value", format_value(transition.value, unit)))
    cleared = transition.kind in ("deescalate", "resolve")
    facts.append(("Cleared at" if cleared else "Threshold", format_value(transition.threshold, unit)))
    if rule is not None:
        window_s = rule.recover_for_s if cleared else rule.for_s
        if window_s and transition.kind != "gone":
            facts.append(("Held for", format_duration(window_s)))
    facts.append(("Since", _date(transition.since)))
    if transition.kind in ("resolve", "gone"):
        facts += [("Until", _date(transition.time)), ("Duration", duration(transition))]
        if transition.peak is not None:
            at = f" at {_date(transition.peak_time)}" if transition.peak_time is not None else ""
            facts.append(("Peak", format_value(transition.peak, unit) + at))
    return facts


def _field(name: str, value: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": f"*{name}*\n{value}"}


def _links(transition: AlertTransition, rule: Rule | None, dashboard_url: str) -> list[str]:
    links = []
    if dashboard_url:
        links.append(_link(f"{dashboard_url.rstrip('/')}/hosts/{transition.host}", f"Open {transition.host}"))
    if rule is not None and rule.runbook_url:
        links.append(_link(rule.runbook_url, "Runbook"))
    return links


def _link(url: str, text: str) -> str:
    # These end the address or the link in Slack's own syntax.
    for character, code in (("|", "%7C"), ("<", "%3C"), (">", "%3E"), (" ", "%20")):
        url = url.replace(character, code)
    return f"<{escape(url)}|{escape(text)}>"


def _date(time_s: float) -> str:
    """A time that Slack shows in each reader's zone."""
    return f"<!date^{int(time_s)}^{{date_short_pretty}} {{time_secs}}|{utc(time_s)}>"
