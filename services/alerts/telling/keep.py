"""What telling writes: what was decided, what is being sent, and what came of it, each in one transaction."""

from __future__ import annotations

import logging

import msgspec

from infra.storage.database import Connection
from services.alerts.notice import Outcome, Verdict
from services.alerts.notify.outcomes import Effect, note_settled
from services.alerts.notify.world import Channel, Draft, Plan, World
from services.alerts.telling import sql
from services.alerts.telling.load import Tables
from services.alerts.telling.steps import Steps

logger = logging.getLogger(__name__)


async def keep_plan(database: Connection, steps: Steps, tables: Tables, made: Plan, now_s: float) -> None:
    """Keep what was decided where it is news, and forget the incidents that nobody has to hear of any more."""
    world = tables.world
    news = steps.news(made, now_s - world.ahead_s)
    if not (news or made.settled or made.over):
        return
    async with database.transaction():
        if made.settled:
            numbers, names = [number for number, _, _ in made.settled], [name for _, name, _ in made.settled]
            await database.execute(sql.SETTLE_TOLD, numbers, names)
        await steps.write(database, news)
        if made.over:
            await database.execute(sql.SETTLE, made.over)
    note_settled(world, made)
    for number in made.over:
        tables.about.pop(number, None)
        steps.forget(number)


async def begin(
    database: Connection, tables: Tables, draft: Draft, now_s: float, before: int | None
) -> tuple[int, int]:
    """Write down that `draft` is being sent; its number, and how many hosts there are.

    `before`: the number of the same message, which failed; it keeps that, so that failing for hours fills no table.
    """
    async with database.transaction():
        number: int | None = None
        if before is not None:
            number = await database.fetchval(sql.BEGIN_AGAIN, before)
        if number is None:
            made_s = now_s - tables.world.ahead_s
            number = await database.fetchval(sql.BEGIN, draft.channel, draft.route, draft.form, made_s)
            ids = [item.incident.id for item in draft.items]
            await database.execute(sql.ADD_ITEMS, number, ids, [item.kind for item in draft.items])
        hosts: int = await database.fetchval(sql.HOSTS)
    return number, hosts


async def end(
    database: Connection,
    steps: Steps,
    tables: Tables,
    number: int,
    draft: Draft,
    outcome: Outcome,
    at_s: float,
    effect: Effect,
    delay_s: float | None,
    before: Verdict | None,
) -> None:
    """Keep what came of a message, and with it what its channel has been told; `before`: of its last attempt."""
    world = tables.world
    unix_s = at_s - world.ahead_s
    status = {"again": "failed"}.get(outcome.verdict, outcome.verdict)
    async with database.transaction():
        await database.execute(sql.END, number, status, outcome.answer[:1000], unix_s, delay_s)
        if effect.channel is not None:
            await _save_channel(database, world, effect.channel)
        if effect.told:
            told = list(effect.told.values())
            await database.execute(
                sql.SAVE_TOLD,
                list(effect.told),
                draft.channel,
                [what.level for what in told],
                [what.at_s - world.ahead_s for what in told],
                [what.since_s - world.ahead_s for what in told],
                [what.times for what in told],
                [msgspec.json.encode(what.reference).decode() for what in told],
                [what.unsure for what in told],
            )
        if outcome.verdict != before:
            await steps.write_sent(database, draft, outcome, unix_s)
    extra = {
        "notification": number,
        "channel": draft.channel,
        "form": draft.form,
        "incidents": len(draft.items),
        "answer": outcome.answer[:300],
    }
    if outcome.verdict == "sent":
        logger.info("notification sent", extra={**extra, "delay_s": delay_s})
    elif outcome.verdict == "again":
        logger.warning("notification not sent, will retry", extra={**extra, "wait_s": round(effect.wait_s, 1)})
    else:
        logger.error("notification refused", extra={**extra, "held": outcome.verdict == "dead"})


async def keep_mended(database: Connection, tables: Tables) -> bool:
    """Write down which channels are held no more, as somebody changed them; whether there are any."""
    mended = list(tables.mended)
    for name in mended:
        await _save_channel(database, tables.world, tables.world.channels[name])
    tables.mended.clear()
    return bool(mended)


async def _save_channel(database: Connection, world: World, channel: Channel) -> None:
    storms = {
        route: msgspec.structs.replace(storm, next_s=storm.next_s - world.ahead_s)
        for (name, route), storm in world.storms.items()
        if name == channel.id
    }
    await database.execute(
        sql.SAVE_STATE,
        channel.id,
        channel.held,
        channel.next_s - world.ahead_s,
        channel.failures,
        msgspec.json.encode(storms).decode(),
    )
