"""To the bus, for operators and the gateway: transitions, each at least once, in order; and that people were told."""

from __future__ import annotations

import asyncio

import msgspec
from nats.aio.client import Client

from infra.storage.database import Connection
from schemas import subjects
from schemas.messages import ALERT_VERSION, CONTENT_TYPE, JSON_TYPE, MESSAGE_ID, SCHEMA_VERSION, AlertTransition
from services.alerts import sql
from services.alerts.waiting import wait_for_any

POLL_S = 2.0
PUBLISH_AT_ONCE = 100
LEAST_BETWEEN_S = 0.5
"""Between two words that people were told: a storm is few of them."""


async def publish(client: Client, database: Connection, stop: asyncio.Event, wake: asyncio.Event) -> None:
    """Put transitions on `alerts.<host>.<rule>` until `stop` is set. A repeat is dropped by its id."""
    jetstream = client.jetstream(timeout=5)
    while not stop.is_set():
        wake.clear()
        rows = await database.fetch(sql.UNPUBLISHED, PUBLISH_AT_ONCE)
        for row in rows:
            transition = msgspec.json.decode(row["body"], type=AlertTransition)
            await jetstream.publish(
                subjects.alerts(transition.host, transition.rule),
                msgspec.json.encode(transition),
                headers={MESSAGE_ID: str(row["id"]), CONTENT_TYPE: JSON_TYPE, SCHEMA_VERSION: ALERT_VERSION},
            )
        if rows:
            await database.execute(sql.PUBLISHED, [row["id"] for row in rows])
        else:
            await wait_for_any(POLL_S, stop, wake)


async def say_told(client: Client, stop: asyncio.Event, news: asyncio.Event) -> None:
    """Say on `telling.changed` that there is `news` in the tables, until `stop` is set. One that is lost is lost."""
    while not stop.is_set():
        await wait_for_any(POLL_S, stop, news)
        if news.is_set():
            news.clear()
            await client.publish(subjects.TELLING_CHANGED, b"")
            await wait_for_any(LEAST_BETWEEN_S, stop)
