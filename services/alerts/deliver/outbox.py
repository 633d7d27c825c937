"""Delivery of what the outbox holds: at least once, strictly in order per channel.

Each channel has a task and a database connection of its own, so a Slack that is slow or dead delays nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import Any

import asyncpg
import msgspec
from nats.aio.client import Client

from infra.bus.backoff import Backoff
from infra.outbound import Outbound, OutboundError, outbound
from infra.settings import ServerSettings
from infra.storage.database import DATABASE_TRANSIENT, Connection, become_the_one, connection
from infra.storage.stored import read_settings
from schemas import subjects
from schemas.messages import CONTENT_TYPE, JSON_TYPE, MESSAGE_ID, AlertTransition
from schemas.rules import Rule
from schemas.settings import RuntimeSettings, StoredSettings
from services.alerts import sql
from services.alerts.deliver.slack import Answer, Verdict, classify, render, render_plain, wait_before_retry_s

logger = logging.getLogger(__name__)

POLL_S = 2.0
PUBLISH_AT_ONCE = 100
PACE_S = 1.0
"""Slack takes one message a second per webhook."""
EXPIRE_S = 3600.0
"""A message that could not be sent for so long is news no more."""
ANSWER_CHARACTERS = 500


async def publish(client: Client, database: Connection, stop: asyncio.Event, wake: asyncio.Event) -> None:
    """Put waiting transitions on `alerts.<host>.<rule>` until `stop` is set. A repeat is dropped by its id."""
    jetstream = client.jetstream(timeout=5)
    while not stop.is_set():
        wake.clear()
        rows = await database.fetch(sql.WAITING, "bus", PUBLISH_AT_ONCE, EXPIRE_S)
        for row in rows:
            transition = msgspec.json.decode(row["body"], type=AlertTransition)
            await jetstream.publish(
                subjects.alerts(transition.host, transition.rule),
                msgspec.json.encode(transition),
                headers={MESSAGE_ID: str(transition.id), CONTENT_TYPE: JSON_TYPE},
            )
        if rows:
            await database.execute(sql.DONE, [row["id"] for row in rows], "sent", "", 1)
        else:
            await _wait(POLL_S, stop, wake)


async def deliver_to_slack(
    process: ServerSettings,
    stop: asyncio.Event,
    wake: asyncio.Event,
    stored: StoredSettings,
    pace_s: float = PACE_S,
) -> None:
    """Send what waits for Slack until `stop` is set, `pace_s` apart, through outages of the database."""
    rng = random.Random()
    backoff = Backoff(0.25, 15)
    while not stop.is_set():
        try:
            async with (
                connection(process.database_url, "alerts slack") as database,
                outbound(process.outbound_private) as http,
            ):
                backoff.reset()
                await _deliver(database, http, stop, wake, stored, pace_s, rng)
        except DATABASE_TRANSIENT as fault:
            wait_s = backoff.next_s()
            logger.warning(
                "slack delivery interrupted, will retry", extra={"error": f"{type(fault).__name__}: {fault}"[:300]}
            )
            await _wait(wait_s, stop)


async def _deliver(
    database: Connection,
    http: Outbound,
    stop: asyncio.Event,
    wake: asyncio.Event,
    stored: StoredSettings,
    pace_s: float,
    rng: random.Random,
) -> None:
    await become_the_one(database, "sonde alerts slack", stop)
    tried_url = ""
    while not stop.is_set():
        wake.clear()
        await database.execute(sql.HOLD_MUTED, "slack")
        await database.execute(sql.RELEASE_UNMUTED, "slack")
        row = await database.fetchrow(sql.WAITING, "slack", 1, EXPIRE_S)
        if row is None:
            await _wait(POLL_S, stop, wake)
            continue
        settings = await read_settings(database, stored)
        url = settings.slack_webhook_url
        if not url:
            await database.execute(sql.DONE, [row["id"]], "dropped", "no webhook is configured any more", 0)
        elif row["stale"]:
            answer = f"gave up after {EXPIRE_S / 60:.0f} min; last answer: {row['answer'] or 'none'}"
            await database.execute(sql.DONE, [row["id"]], "expired", answer, 0)
            logger.error("slack message expired", extra={"outbox": row["id"], "attempts": row["attempts"]})
        elif not row["due"] and url == tried_url:
            await _wait(min(max(row["wait_s"], 0.02), POLL_S), stop, wake)
        else:
            tried_url = url
            await _send(database, http, settings, row, pace_s, rng)
            await _wait(pace_s, stop)


async def _send(
    database: Connection,
    http: Outbound,
    settings: RuntimeSettings,
    row: asyncpg.Record,
    pace_s: float,
    rng: random.Random,
) -> None:
    """One attempt at `row`, twice when Slack does not like its blocks, and what came of it."""
    transition = msgspec.json.decode(row["body"], type=AlertTransition)
    url = settings.slack_webhook_url
    message = render(transition, await _rule(database, transition.rule), settings.dashboard_url)
    answer = await post(http, url, message)
    verdict: Verdict = classify(answer)
    if verdict == "payload":
        logger.warning("slack rejected the blocks, sending plain text", extra={"answer": answer.body})
        await asyncio.sleep(pace_s)
        answer = await post(http, url, render_plain(transition))
        verdict = classify(answer)
    text = f"{answer.status or ''} {answer.body}".strip()
    facts = {"transition": transition.id, "answer": text, "attempt": row["attempts"] + 1}
    if verdict == "sent":
        await database.execute(sql.DONE, [row["id"]], "sent", text, 1)
        logger.info("slack message sent", extra=facts)
    elif verdict == "again":
        wait_s = wait_before_retry_s(answer, row["attempts"] + 1, rng)
        await database.execute(sql.AGAIN, row["id"], text, wait_s)
        logger.warning("slack message not sent, will retry", extra={**facts, "wait_s": round(wait_s, 1)})
    else:
        await database.execute(sql.DONE, [row["id"]], "dead", text, 1)
        logger.error("slack message undeliverable", extra=facts)


async def _rule(database: Connection, rule_id: str) -> Rule | None:
    """The rule as it is now; None when it is gone or not for this version."""
    body = await database.fetchval(sql.RULE, rule_id)
    try:
        return None if body is None else msgspec.json.decode(body, type=Rule)
    except msgspec.MsgspecError:
        return None


async def post(http: Outbound, url: str, message: dict[str, Any]) -> Answer:
    """POST `message` to the webhook. The answer never contains the address, which is a secret."""
    try:
        answer = await http.post(url, msgspec.json.encode(message), {"Content-Type": "application/json"})
    except OutboundError as error:
        return Answer(0, str(error), refused=error.reason in ("invalid_address", "forbidden_address"))
    text = answer.text(ANSWER_CHARACTERS).replace(url, "***")
    return Answer(answer.status, text, _seconds(answer.headers.get("Retry-After")))


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdecimal() else None


async def _wait(wait_s: float, *events: asyncio.Event) -> None:
    """Until one of `events` is set, at most `wait_s`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s), asyncio.TaskGroup() as group:
            waiting = [group.create_task(event.wait()) for event in events]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
