"""The generic webhook: what people are told as a JSON document, signed where a key is given."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

import msgspec
from msgspec import Struct

from infra.outbound import Outbound, OutboundError
from schemas.channels import Webhook
from schemas.version import VERSION
from services.alerts.deliver.answers import by_status, unanswered
from services.alerts.deliver.message import Message, plain
from services.alerts.deliver.states import state
from services.alerts.deliver.wording import chart_url
from services.alerts.notice import Extent, Notice, Outcome, Said

DOCUMENT_VERSION = 1
MOST_INCIDENTS = 1000


class Incident(Struct):
    """One incident, as it stands."""

    incident: int
    kind: str
    state: str
    host: str
    label: str
    rule: str
    rule_name: str
    severity: str
    worst: str
    metric: str
    instance: str
    unit: str
    value: float | None
    threshold: float
    comparison: str
    for_s: float
    since: float
    changed: float
    opened: float
    closed: float | None
    duration_s: float
    peak: float | None
    peak_time: float | None
    flapping: bool
    acknowledged_by: str
    tags: list[str]
    chart_url: str
    runbook_url: str


class Document(Struct):
    """What is posted. Fields are only ever added; whatever else changes raises `version`."""

    version: int
    notification: int
    form: str
    made: float
    headline: str
    text: str
    next_reminder: float | None
    dashboard_url: str
    incidents: list[Incident]
    incidents_left_out: int
    extents: dict[str, Extent]


def document_of(message: Message, notice: Notice | None) -> Document:
    """The document of a message; `notice` is None for a test."""
    items = notice.items if notice is not None else []
    return Document(
        DOCUMENT_VERSION,
        message.number,
        message.form or "test",
        message.made,
        message.headline,
        plain(message),
        notice.next_reminder if notice is not None else None,
        notice.dashboard_url if notice is not None else "",
        [_incident(notice, said) for said in items[:MOST_INCIDENTS]] if notice is not None else [],
        max(0, len(items) - MOST_INCIDENTS),
        notice.extents if notice is not None else {},
    )


def _incident(notice: Notice, said: Said) -> Incident:
    facts, rule = said.facts, said.facts.rule
    ended = facts.changed if state(said) not in ("critical", "warning") else notice.made
    return Incident(
        said.incident,
        said.kind,
        state(said),
        said.host,
        said.label,
        said.rule,
        facts.rule_name,
        facts.severity,
        facts.worst,
        facts.metric,
        said.instance,
        facts.unit,
        facts.value,
        facts.threshold,
        rule.comparison if rule is not None else "above",
        rule.for_s if rule is not None else 0,
        facts.since,
        facts.changed,
        said.opened,
        said.closed,
        max(0.0, ended - facts.since),
        facts.peak,
        facts.peak_time,
        facts.flapping,
        said.acknowledged_by,
        said.tags,
        chart_url(notice, said),
        rule.runbook_url if rule is not None else "",
    )


def headers_of(body: bytes, number: int, key: str, now_s: float) -> dict[str, str]:
    """With the signature over the time and the body, where there is a key."""
    stamp = str(int(now_s))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Sonde/{VERSION}",
        "Sonde-Notification": str(number),
        "Sonde-Timestamp": stamp,
    }
    if key:
        digest = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers["Sonde-Signature"] = f"v1={digest}"
    return headers


async def send(http: Outbound, target: Webhook, message: Message, notice: Notice | None) -> Outcome:
    """One attempt. Raises nothing."""
    document: Any = document_of(message, notice)
    body = msgspec.json.encode(document)
    try:
        answer = await http.post(target.url, body, headers_of(body, message.number, target.key, time.time()))
    except OutboundError as error:
        return unanswered(error)
    return by_status(answer, [target.url, target.key])
