"""Keeping the memory of sessions and tokens in step with the tables, and the tables tidy."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from infra.bus.backoff import Backoff
from infra.clock import now_ms, to_time
from infra.storage.database import Connection
from services.gateway.http.database import NOT_READY, borrowed
from services.gateway.people import sql, sql_audit, sql_sessions
from services.gateway.people.known import DAY_S, Kind, Lives
from services.gateway.people.people import People
from services.gateway.people.sessions import held_of

logger = logging.getLogger(__name__)

EVERY_S = 1.0
"""Within so much what ends elsewhere ends here, even if nobody announces it."""
STORE_AFTER_MS = 60_000
TIDY_EVERY_S = 600.0
KINDS: tuple[Kind, ...] = ("session", "token")


async def keep_people(people: People) -> None:
    """Read again what is held, every second and whenever `people.changed` is set; end what is over; until cancelled."""
    backoff = Backoff(0.5, 5)
    tidy_at_s = 0.0
    away = False
    while True:
        people.changed.clear()
        wait_s = EVERY_S
        settings = people.runtime()
        people.known.lives = Lives(settings.session_idle_s, settings.session_max_s)
        people.known.end_expired(now_ms())
        people.end_streams()
        try:
            if len(people.known) or people.watching_by_proxy() or time.monotonic() >= tidy_at_s:
                async with borrowed(people.pool) as database:
                    await read_again(people, database)
                    await store_use(people, database)
                    if time.monotonic() >= tidy_at_s:
                        await tidy(database, people)
                        tidy_at_s = time.monotonic() + TIDY_EVERY_S
            backoff.reset()
            away = False
        except NOT_READY as error:
            wait_s = backoff.next_s()
            if not away:
                logger.warning("reading sessions failed", extra={"error": f"{type(error).__name__}: {error}"[:300]})
            away = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await people.changed.wait()


async def read_again(people: People, database: Connection) -> None:
    """Ask the tables what became of everything held, and of whoever watches by a proxy."""
    for kind in KINDS:
        asked = people.known.ids(kind)
        if asked:
            query = sql_sessions.SESSIONS_BY_ID if kind == "session" else sql_sessions.TOKENS_BY_ID
            rows = await database.fetch(query, asked)
            people.known.refresh(kind, asked, [held_of(kind, row) for row in rows])
    watching = people.watching_by_proxy()
    if watching:
        rows = await database.fetch(sql.ROLES, watching)
        people.end_by_proxy(watching, {row["id"]: row["role"] for row in rows})


async def store_use(people: People, database: Connection) -> None:
    """Note when sessions and tokens were used last, each at most once a minute."""
    for kind in KINDS:
        used = people.known.unstored(kind, STORE_AFTER_MS)
        if not used:
            continue
        moments = {held.id: held.seen_ms for held in used}
        columns = [list(moments), [to_time(at_ms) for at_ms in moments.values()]]
        if kind == "session":
            await database.execute(sql_sessions.SEEN, *columns)
        else:
            await database.execute(sql_sessions.USED, *columns, [held.address for held in used])
        for held in used:
            held.stored_ms = moments[held.id]


async def tidy(database: Connection, people: People) -> None:
    """Drop what is over: sessions, links, tokens, and entries of the audit log that are older than is kept."""
    settings, at_ms = people.runtime(), now_ms()
    idle, most = (to_time(at_ms - round(life_s * 1000)) for life_s in (settings.session_idle_s, settings.session_max_s))
    await database.execute(sql_sessions.DROP_OLD, to_time(at_ms), idle, most)
    await database.execute(sql_sessions.DROP_OLD_TOKENS, to_time(at_ms))
    await database.execute(sql.DROP_OLD_LINKS, to_time(at_ms))
    await database.execute(sql_audit.DROP_OLD, to_time(at_ms - settings.audit_days * DAY_S * 1000))
