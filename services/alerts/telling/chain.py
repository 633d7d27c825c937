"""The loop that tells people: it looks, plans, sends and keeps what came of it, one message at a time on each channel.

A message is begun in the table before it is sent and ended after it, so a crash in between shows: nobody knows whether
it arrived, and what is true then is told anew. While the database is away nothing is begun, and what came of the
messages under way is kept until it can be written.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable

import asyncpg
from msgspec import Struct, field

from infra.clock import SteadyClock
from infra.storage.database import Connection, StaleIds, become_the_one, connection
from schemas.channels import Channel as StoredChannel
from services.alerts.notice import Notice, Outcome, Verdict
from services.alerts.notify.news import Memo
from services.alerts.notify.outcomes import note_answer, note_sending
from services.alerts.notify.plan import plan
from services.alerts.notify.world import Draft, Plan
from services.alerts.telling import sql
from services.alerts.telling.keep import begin, end, keep_mended, keep_plan
from services.alerts.telling.load import Said, Tables, load, refresh
from services.alerts.telling.notices import notice_of
from services.alerts.telling.steps import Steps
from services.alerts.waiting import through_outages, wait_for_any

logger = logging.getLogger(__name__)

PACE_S = 1.0
"""Of messages on one channel: what Slack takes."""
POLL_S = 5.0
"""Between two looks at the tables when nobody says that something has changed."""
CATCHING_UP_POLL_S = 0.25
"""Between two looks whether what is old is judged."""
LEAST_WAIT_S = 0.05
STANDBY_S = 1.0
STEP_S = 0.5
"""Further apart than this, the machine's clock was set."""

Send = Callable[[StoredChannel, Notice], Awaitable[Outcome]]
"""One attempt. Raises nothing but what ends the service."""


class Sending(Struct):
    """A message under way."""

    number: int
    draft: Draft
    before: Verdict | None
    """What came of the last attempt at the same message; None: it is new."""


class Ended(Struct):
    """A message whose fate is known and not written yet."""

    sending: Sending
    outcome: Outcome
    at_s: float


class Telling(Struct):
    """What goes on, over all connections to the database."""

    send: Send
    pace_s: float
    """How long a channel rests between two messages."""
    wake: asyncio.Event
    """Set when incidents, channels or anything else in the tables is different."""
    catching_up: Callable[[], float | None]
    """For how much longer nothing is told, as the judge still reads what is old; None: it does not."""
    delays_s: deque[float]
    """Takes the seconds from a sample to the answer of whoever was told."""
    standby: Callable[[], bool] = lambda: False
    """Whether another process judges: whoever does tells, too, as it knows at once what happens."""
    clock: Callable[[], float] = field(default_factory=lambda: SteadyClock().s)
    """Seconds that only go on, at first Unix time."""
    unix: Callable[[], float] = time.time
    ahead_s: float = 0
    """How far `clock` is ahead of `unix`."""
    under_way: dict[str, Sending] = field(default_factory=dict)
    """By channel."""
    failed: dict[str, Ended] = field(default_factory=dict)
    """By channel: the last message, where it failed."""
    ended: list[Ended] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the tables say something new of messages or channels."""
    steps: Steps = field(default_factory=Steps)
    said: Said = field(default_factory=set)
    rng: random.Random = field(default_factory=random.Random)
    turned_s: float | None = None
    """When its loop last went round, monotonic; None: not yet."""


async def tell(telling: Telling, database_url: str, stop: asyncio.Event) -> None:
    """Tell people until `stop` is set, through outages of the database. Messages under way are waited for."""
    async with asyncio.TaskGroup() as sends:

        async def work(works: Callable[[], None]) -> None:
            if telling.standby():
                await wait_for_any(STANDBY_S, stop)
                return
            async with connection(database_url, "alerts telling") as database:
                await become_the_one(database, "sonde alerts telling", stop)
                try:
                    if not stop.is_set():
                        await _tell(telling, database, stop, sends, works)
                except asyncpg.ForeignKeyViolationError as gone:
                    raise StaleIds(f"removed while it was told of: {gone}"[:300]) from None

        await through_outages(work, stop, "telling")


async def _tell(
    telling: Telling, database: Connection, stop: asyncio.Event, sends: asyncio.TaskGroup, works: Callable[[], None]
) -> None:
    ours = [sending.number for sending in telling.under_way.values()]
    await database.execute(sql.FORGET_SENDING, telling.unix(), ours)
    await telling.steps.recall(database)
    tables, memo = await _load(telling, database), Memo()
    read_s = time.monotonic()
    works()
    while not (stop.is_set() or telling.standby()):
        telling.turned_s = time.monotonic()
        if telling.wake.is_set() or time.monotonic() - read_s > POLL_S:
            telling.wake.clear()
            read_s = time.monotonic()
            tables.world.ahead_s = _ahead_s(telling)
            await refresh(database, tables, telling.clock(), telling.said)
            if await keep_mended(database, tables):
                telling.news.set()
        telling.answered.clear()
        await _write_ended(telling, database, tables)
        now_s = telling.clock()
        made = _plan(telling, tables, memo, now_s)
        await keep_plan(database, telling.steps, tables, made, now_s)
        for draft in made.drafts:
            await _begin(telling, database, tables, draft, now_s, sends)
        wait_s = POLL_S if tables.world.catching_up_s is None else CATCHING_UP_POLL_S
        if made.wake_s is not None:
            wait_s = min(wait_s, made.wake_s - telling.clock())
        await wait_for_any(max(LEAST_WAIT_S, wait_s), stop, telling.wake, telling.answered)
    while telling.under_way:
        telling.answered.clear()
        await _write_ended(telling, database, tables)
        if telling.under_way:
            await telling.answered.wait()


async def _load(telling: Telling, database: Connection) -> Tables:
    telling.wake.clear()
    tables = Tables()
    tables.world.ahead_s = _ahead_s(telling)
    await load(database, tables, telling.clock(), telling.said)
    tables.world.under_way = {name: sending.draft for name, sending in telling.under_way.items()}
    return tables


def _ahead_s(telling: Telling) -> float:
    """How far the steady clock is ahead of Unix time; the same until the machine's clock is set."""
    ahead_s = telling.clock() - telling.unix()
    if abs(ahead_s - telling.ahead_s) > STEP_S:
        logger.warning("clock was set", extra={"by_s": round(telling.ahead_s - ahead_s, 1)})
        telling.ahead_s = ahead_s
    return telling.ahead_s


def _plan(telling: Telling, tables: Tables, memo: Memo, now_s: float) -> Plan:
    left_s = telling.catching_up()
    tables.world.catching_up_s = None if left_s is None else now_s + left_s
    return plan(tables.world, now_s, memo)


async def _begin(
    telling: Telling, database: Connection, tables: Tables, draft: Draft, now_s: float, sends: asyncio.TaskGroup
) -> None:
    before = _same(telling.failed.pop(draft.channel, None), draft, tables)
    number, hosts = await begin(database, tables, draft, now_s, before.sending.number if before else None)
    dashboard_url = tables.settings.settings.dashboard_url
    notice = notice_of(number, draft, tables, hosts, dashboard_url, now_s)
    telling.under_way[draft.channel] = sending = Sending(number, draft, before.outcome.verdict if before else None)
    note_sending(tables.world, draft)
    sends.create_task(_send(telling, tables.channels[draft.channel], notice, sending))


def _same(before: Ended | None, draft: Draft, tables: Tables) -> Ended | None:
    """`before`, if `draft` says the same to a channel that nobody has mended meanwhile."""
    if before is None or (before.outcome.verdict == "dead" and not tables.world.channels[draft.channel].held):
        return None
    return before if _says(before.sending.draft) == _says(draft) else None


def _says(draft: Draft) -> object:
    items = [(item.incident.id, item.kind, item.incident.level, item.incident.facts.changed) for item in draft.items]
    return draft.route, draft.form, items


async def _send(telling: Telling, channel: StoredChannel, notice: Notice, sending: Sending) -> None:
    outcome = await telling.send(channel, notice)
    telling.ended.append(Ended(sending, outcome, telling.clock()))
    telling.answered.set()


async def _write_ended(telling: Telling, database: Connection, tables: Tables) -> None:
    while telling.ended:
        ended = telling.ended[0]
        sending, outcome = ended.sending, ended.outcome
        draft = sending.draft
        effect = note_answer(tables.world, draft, outcome, ended.at_s, telling.pace_s, telling.rng.random())
        delay_s = telling.steps.delay_s(draft, ended.at_s - tables.world.ahead_s)
        await end(
            database,
            telling.steps,
            tables,
            sending.number,
            draft,
            outcome,
            ended.at_s,
            effect,
            delay_s,
            sending.before,
        )
        if outcome.verdict == "sent" and delay_s is not None:
            telling.delays_s.append(delay_s)
        if outcome.verdict in ("again", "dead"):
            telling.failed[draft.channel] = ended
        telling.news.set()
        del telling.ended[0]
        del telling.under_way[draft.channel]
