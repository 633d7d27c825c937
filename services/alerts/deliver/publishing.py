"""Transitions to the bus, for operators and the gateway: each at least once, in order."""

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
