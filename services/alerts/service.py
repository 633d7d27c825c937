"""The alert service: one judging loop, the bus outbox beside it, Slack apart from both."""

from __future__ import annotations

import asyncio
import functools
import logging

import asyncpg
from nats.aio.client import Client

from infra.bus.access import service_access
from infra.bus.connection import first_fault, keep_connected
from infra.bus.heartbeat import Pulse, beating, watched
from infra.settings import ServerSettings
from infra.storage.database import TRANSIENT, become_the_one, connection
from schemas.settings import StoredSettings
from services.alerts.deliver.outbox import PACE_S, deliver_to_slack, publish
from services.alerts.judge.loop import judge
from services.alerts.judge.progress import Progress
from services.alerts.judge.store import CONSUMER

logger = logging.getLogger(__name__)

GRACE_S = 3.0
"""How long the work in hand may take once stopping was asked for."""


async def run(settings: ServerSettings, stop: asyncio.Event, *, slack_pace_s: float = PACE_S) -> None:
    """Judge and deliver until `stop` is set; the messages in hand are finished first. Raises on bugs."""
    wake_bus, wake_slack = asyncio.Event(), asyncio.Event()
    stored = StoredSettings()
    ending = asyncio.Event()
    pulse = Pulse("alerts")
    progress = Progress(pulse)

    async def work(client: Client) -> None:
        async with (
            connection(settings.database_url, CONSUMER) as database,
            connection(settings.database_url, "alerts bus") as outbox,
        ):
            pulse.standby = True
            await become_the_one(database, "sonde alerts", ending)
            pulse.standby = False
            async with asyncio.TaskGroup() as group:
                group.create_task(publish(client, outbox, ending, wake_bus))
                group.create_task(judge(client, database, ending, stored, (wake_bus, wake_slack), progress))

    # A host deleted under our feet leaves stale ids behind: begin anew, like after a lost connection.
    transient: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.ForeignKeyViolationError)
    access = service_access(settings)
    on_bus = functools.partial(keep_connected, settings.nats_url, CONSUMER, access=access)
    try:
        async with beating(settings.nats_url, access, pulse, progress.work), asyncio.TaskGroup() as group:
            tasks = {
                group.create_task(on_bus(watched(pulse, work), stop=ending, transient=transient)),
                group.create_task(deliver_to_slack(settings, ending, wake_slack, stored, slack_pace_s)),
            }
            await stop.wait()
            ending.set()
            await asyncio.wait(tasks, timeout=GRACE_S)
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as faults:
        raise first_fault(faults) from None
