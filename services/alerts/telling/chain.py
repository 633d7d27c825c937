"""The loop that tells people: it looks, plans, sends and keeps what came of it, one message at a time on each channel.

A message is begun in the table before it is sent and ended after it, so a crash in between shows: nobody knows whether
it arrived, and what is true then is told anew. While the database is away nothing is begun, and what came of the
messages under way is kept until it can be written.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct, field

from infra.bus.backoff import Backoff
from infra.storage.database import DATABASE_TRANSIENT, Connection, become_the_one, connection
from schemas.channels import Channel as StoredChannel
from services.alerts.notice import Notice, Outcome
from services.alerts.notify.plan import after_sending, plan
from services.alerts.notify.world import Draft, Plan, Told
from services.alerts.telling import sql
from services.alerts.telling.load import Loaded, load
from services.alerts.telling.notices import notice_of
from services.alerts.telling.steps import Steps

logger = logging.getLogger(__name__)

POLL_S = 2.0
LEAST_WAIT_S = 0.02
MOST_WAIT_S = 60.0
"""Between two attempts on a channel that fails."""
MOST_RETRY_AFTER_S = 3600.0

Send = Callable[[StoredChannel, Notice], Awaitable[Outcome]]
"""One attempt. Raises nothing but what ends the service."""


class Ended(Struct):
    """A message whose fate is known and not written yet."""

    number: int
    draft: Draft
    outcome: Outcome
    at_s: float
    failures: int
    """Attempts in a row that had failed on the channel before."""


class Telling(Struct):
    """What goes on, over all connections to the database."""

    send: Send
    clock: Callable[[], float]
    pace_s: float
    wake: asyncio.Event
    catching_up: Callable[[], float | None]
    """Until when nothing is told, as the judge still reads what is old; None: it does not."""
    dashboard_url: Callable[[], str]
    under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    """By channel."""
    ended: list[Ended] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)
    said: set[tuple[str, str]] = field(default_factory=set)
    rng: random.Random = field(default_factory=random.Random)


async def tell(telling: Telling, database_url: str, stop: asyncio.Event) -> None:
    """Tell people until `stop` is set, through outages of the database. Messages under way are waited for."""
    backoff = Backoff(0.25, 15)
    try:
        while not stop.is_set():
            try:
                async with connection(database_url, "alerts telling") as database:
                    await become_the_one(database, "sonde alerts telling", stop)
                    if not telling.under_way:
                        await database.execute(sql.FORGET_SENDING)
                    await telling.steps.recall(database)
                    backoff.reset()
                    await _tell(telling, database, stop)
            except DATABASE_TRANSIENT as fault:
                wait_s = backoff.next_s()
                extra = {"error": f"{type(fault).__name__}: {fault}"[:300]}
                logger.warning("telling interrupted, will retry", extra=extra)
                await _wait(wait_s, stop)
    finally:
        for task in telling.under_way.values():
            task.cancel()


async def _tell(telling: Telling, database: Connection, stop: asyncio.Event) -> None:
    while not stop.is_set():
        telling.wake.clear()
        await _write_ended(telling, database)
        now_s = telling.clock()
        loaded = await load(database, now_s, telling.said)
        loaded.world.catching_up_s = telling.catching_up()
        for name in telling.under_way:
            if name in loaded.world.channels:
                loaded.world.channels[name].busy = True
        made = plan(loaded.world, now_s)
        await _write_plan(telling, database, loaded, made, now_s)
        for draft in made.drafts:
            await _begin(telling, database, loaded, draft, now_s)
        wait_s = POLL_S if made.wake_s is None else min(POLL_S, max(LEAST_WAIT_S, made.wake_s - telling.clock()))
        await _wait(wait_s, stop, telling.wake)
    await _last_words(telling, database)


async def _write_plan(telling: Telling, database: Connection, loaded: Loaded, made: Plan, now_s: float) -> None:
    """Keep what was decided where it is news, and forget the incidents that nobody has to hear of any more."""
    world = loaded.world
    async with database.transaction():
        for incident_id, channel, _ in made.settled:
            await database.execute(sql.SETTLE_TOLD, incident_id, channel)
            world.told[incident_id][channel].level = 0
        await telling.steps.write(database, made, now_s)
        over = [
            incident.id
            for incident in world.incidents
            if not incident.level
            and not made.decisions[incident.id].destinations
            and not any(told.level for told in world.told.get(incident.id, {}).values())
        ]
        if over:
            await database.execute(sql.SETTLE, over)
            telling.steps.forget(over)


async def _begin(telling: Telling, database: Connection, loaded: Loaded, draft: Draft, now_s: float) -> None:
    async with database.transaction():
        number: int = await database.fetchval(sql.BEGIN, draft.channel, draft.route, draft.form, now_s)
        ids = [item.incident.id for item in draft.items]
        await database.execute(sql.ADD_ITEMS, number, ids, [item.kind for item in draft.items])
    channel = loaded.channels[draft.channel]
    notice = notice_of(number, draft, loaded, telling.dashboard_url(), now_s)
    sending = _send(telling, channel, notice, draft, loaded.failures[draft.channel])
    telling.under_way[draft.channel] = asyncio.create_task(sending)


async def _send(telling: Telling, channel: StoredChannel, notice: Notice, draft: Draft, failures: int) -> None:
    outcome = await telling.send(channel, notice)
    telling.ended.append(Ended(notice.number, draft, outcome, telling.clock(), failures))
    telling.wake.set()


async def _write_ended(telling: Telling, database: Connection) -> None:
    while telling.ended:
        ended = telling.ended[0]
        await _write_end(telling, database, ended)
        del telling.ended[0]
        task = telling.under_way.pop(ended.draft.channel)
        task.result()


async def _write_end(telling: Telling, database: Connection, ended: Ended) -> None:
    """Keep what came of a message, and with it what its channel has been told."""
    draft, outcome = ended.draft, ended.outcome
    failures, wait_s, held = 0, telling.pace_s, ""
    if outcome.verdict == "again":
        failures = ended.failures + 1
        wait_s = _before_retry_s(outcome, failures, telling.rng)
    elif outcome.verdict == "dead":
        held = outcome.answer[:300] or "it refuses everything"
    elif outcome.retry_after_s:
        wait_s = max(wait_s, outcome.retry_after_s)
    status = {"again": "failed"}.get(outcome.verdict, outcome.verdict)
    delay_s = max(0.0, ended.at_s - max(item.incident.facts.changed for item in draft.items))
    async with database.transaction():
        await database.execute(sql.END, ended.number, status, outcome.answer[:1000], delay_s)
        await database.execute(sql.SAVE_STATE, draft.channel, held, ended.at_s + wait_s, failures)
        if outcome.verdict in ("sent", "refused"):
            # What a channel will never take counts as told there, or it would be sent for ever; its reminders are tried.
            told: dict[int, dict[str, Told]] = {
                item.incident.id: {draft.channel: item.told} for item in draft.items if item.told is not None
            }
            after_sending(draft, told, ended.at_s, outcome.reference)
            rows = [(number, mine[draft.channel]) for number, mine in told.items()]
            await database.execute(
                sql.SAVE_TOLD,
                [number for number, _ in rows],
                draft.channel,
                [what.level for _, what in rows],
                [what.at_s for _, what in rows],
                [what.since_s for _, what in rows],
                [what.times for _, what in rows],
                [msgspec.json.encode(what.reference).decode() for _, what in rows],
            )
        await telling.steps.sent(database, draft, outcome, ended.at_s)
    extra = {
        "notification": ended.number,
        "channel": draft.channel,
        "form": draft.form,
        "incidents": len(draft.items),
        "answer": outcome.answer[:300],
    }
    if outcome.verdict == "sent":
        logger.info("notification sent", extra=extra)
    elif outcome.verdict == "again":
        logger.warning("notification not sent, will retry", extra={**extra, "wait_s": round(wait_s, 1)})
    else:
        logger.error("notification refused", extra={**extra, "held": bool(held)})


def _before_retry_s(outcome: Outcome, failures: int, rng: random.Random) -> float:
    """How long to wait after so many failures in a row: what the channel asks for, else doubling with jitter."""
    if outcome.retry_after_s is not None:
        return min(outcome.retry_after_s, MOST_RETRY_AFTER_S) + rng.uniform(0, 0.5)
    return min(MOST_WAIT_S, 2.0 ** min(failures - 1, 10)) * rng.uniform(0.5, 1)


async def _last_words(telling: Telling, database: Connection) -> None:
    """Wait for the messages under way, and keep what came of them."""
    if telling.under_way:
        await asyncio.wait(telling.under_way.values())
    await _write_ended(telling, database)


async def _wait(wait_s: float, *events: asyncio.Event) -> None:
    """Until one of `events` is set, at most `wait_s`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s), asyncio.TaskGroup() as group:
            waiting = [group.create_task(event.wait()) for event in events]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
