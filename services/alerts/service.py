"""The alert service: judging on the bus, judging of Sonde itself, and telling people, each apart from the others."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable

import asyncpg
from nats.aio.client import Client

from infra.bus.access import service_access
from infra.bus.connection import first_fault, keep_connected
from infra.bus.heartbeat import Pulse, beating, watched
from infra.outbound import outbound
from infra.settings import ServerSettings
from infra.storage.database import TRANSIENT, become_the_one, connection
from services.alerts.deliver.publishing import publish, say_told
from services.alerts.deliver.sending import sender
from services.alerts.deliver.trials import answer_trials
from services.alerts.judge.late import judge_late
from services.alerts.judge.loop import Senses, judge
from services.alerts.judge.own import Surroundings, begin_anew, judge_own, listen
from services.alerts.judge.progress import Progress
from services.alerts.judge.store import CONSUMER
from services.alerts.rehearsal.desk import rehearse
from services.alerts.telling.chain import PACE_S, Telling, tell
from services.alerts.waiting import through_outages, wait_for_any
from services.alerts.watchdog import Watchdog, watch_over

GRACE_S = 3.0
"""How long the work in hand may take once stopping was asked for."""


STANDBY_S = 1.0


async def run(settings: ServerSettings, stop: asyncio.Event, *, pace_s: float = PACE_S) -> None:
    """Judge and tell until `stop` is set; the messages in hand are finished first. Raises on bugs."""
    wake_bus, wake_people = asyncio.Event(), asyncio.Event()
    ending = asyncio.Event()
    pulse = Pulse("alerts")
    progress = Progress(pulse)

    def told() -> None:
        wake_bus.set()
        wake_people.set()

    senses = Senses(progress, told)
    around = Surroundings(time.monotonic())

    async def work(client: Client) -> None:
        async with (
            connection(settings.database_url, CONSUMER) as database,
            connection(settings.database_url, "alerts late") as late,
            connection(settings.database_url, "alerts bus") as unpublished,
        ):
            pulse.standby = True
            await become_the_one(database, "sonde alerts", ending)
            pulse.standby = False
            await listen(client, around)
            async with asyncio.TaskGroup() as group:
                group.create_task(publish(client, unpublished, ending, wake_bus))
                group.create_task(judge(client, database, ending, senses))
                group.create_task(judge_late(client, late, ending, senses))

    async def rehearsing(client: Client) -> None:
        await rehearse(client, settings, ending)

    async def trying(client: Client) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(answer_trials(client, http, settings.database_url, ending))
            group.create_task(say_told(client, ending, telling.news))

    # A host deleted under our feet leaves stale ids behind: begin anew, like after a lost connection.
    transient: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.ForeignKeyViolationError)
    access = service_access(settings)
    on_bus = functools.partial(keep_connected, settings.nats_url, access=access, stop=ending)
    try:
        async with (
            beating(settings.nats_url, access, pulse, progress.work),
            outbound(settings.outbound_private) as http,
            asyncio.TaskGroup() as group,
        ):
            telling = Telling(
                sender(http, settings.demonstration),
                pace_s,
                wake_people,
                progress.catching_up_s,
                progress.delays_s,
                lambda: pulse.standby,
            )
            watchdog = Watchdog(http, progress, lambda: telling.turned_s)
            progress.outward = watchdog.outward
            tasks = {
                group.create_task(on_bus(CONSUMER, watched(pulse, work), transient=transient)),
                group.create_task(on_bus("alerts rehearsal", rehearsing)),
                group.create_task(on_bus("alerts trials", trying)),
                group.create_task(_own(settings, ending, senses, around)),
                group.create_task(tell(telling, settings.database_url, ending)),
                group.create_task(watch_over(watchdog, settings.database_url, ending)),
            }
            await stop.wait()
            ending.set()
            await asyncio.wait(tasks, timeout=GRACE_S)
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as faults:
        raise first_fault(faults) from None


async def _own(settings: ServerSettings, stop: asyncio.Event, senses: Senses, around: Surroundings) -> None:
    """Judge Sonde itself, through outages of the database."""

    async def work(works: Callable[[], None]) -> None:
        if senses.progress.pulse.standby:
            # Only who hears the hosts can tell whether we are blind.
            begin_anew(senses, around, time.monotonic())
            await wait_for_any(STANDBY_S, stop)
            return
        async with connection(settings.database_url, "alerts own") as database:
            await become_the_one(database, "sonde alerts own", stop)
            works()
            await judge_own(database, stop, senses, around)

    await through_outages(work, stop, "judging of Sonde itself")
