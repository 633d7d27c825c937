"""Keeping the gateway's memory in step with the tables: everything once at start, then what others change in them."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from infra.bus.backoff import Backoff
from infra.clock import now_ms, to_ms
from infra.storage.database import Connection, Pool
from infra.storage.stored import read_settings as stored_settings
from schemas.api import AlertCounts, Refusal
from services.gateway.fleet import sql
from services.gateway.fleet.given import given_of
from services.gateway.fleet.memory import Fleet
from services.gateway.http.database import NOT_READY, borrowed
from services.gateway.live.facts import read_facts
from services.gateway.live.hub import Hub
from services.gateway.live.limits import Limits
from services.gateway.live.restore import recall, restore
from services.gateway.settings.runtime import Runtime

logger = logging.getLogger(__name__)

EVERY_S = 10.0
RECALLED_AT_ONCE = 200
"""Of so many hosts the newest values are read in one round, if the tables have later ones than came by the bus."""
LEAST_S = 0.25
"""Shortest time between two rounds, however much news there is."""


async def keep_fresh(pool: Pool, fleet: Fleet, hub: Hub, runtime: Runtime) -> None:
    """Read the tables now, whenever `runtime.stale` is set, and every 10 s, until cancelled."""
    backoff = Backoff(0.25, 10)
    restored = False
    behind: dict[str, None] = {}
    """Hosts of which the tables have later samples, in the order in which that was found."""
    while True:
        runtime.stale.clear()
        wait_s = EVERY_S
        try:
            async with borrowed(pool) as database:
                await read_settings(database, fleet, hub, runtime)
                behind |= dict.fromkeys(await read_hosts(database, fleet, hub))
                if not restored:
                    await restore(database, fleet, hub)
                    restored = True
                    behind.clear()
                some = list(behind)[:RECALLED_AT_ONCE]
                await recall(database, fleet, hub, some)
                for host in some:
                    del behind[host]
            backoff.reset()
        except NOT_READY as error:
            wait_s = backoff.next_s()
            logger.warning("reading the database failed", extra={"error": f"{type(error).__name__}: {error}"[:300]})
        await asyncio.sleep(LEAST_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await runtime.stale.wait()


async def read_settings(database: Connection, fleet: Fleet, hub: Hub, runtime: Runtime) -> None:
    """Put the stored settings in force."""
    await stored_settings(database, runtime.stored)
    fleet.down_s = runtime.settings.host_down_default_s
    told = runtime.settings
    hub.limits = Limits(told.max_viewers, told.max_viewers_per_person, told.max_selections_per_person)


async def read_hosts(database: Connection, fleet: Fleet, hub: Hub) -> list[str]:
    """Learn hosts, their facts, how many alerts of each severity are active, and which rows were refused.

    Hosts that are not there any more, such as those that another gateway has removed, are forgotten. Returns those of
    which the tables have later samples than came by the bus: back-filled ones, or from when the bus was away.
    """
    counts: dict[str, AlertCounts] = {}
    for row in await database.fetch(sql.ALERT_COUNTS):
        of_host = counts.setdefault(row["host"], AlertCounts())
        if row["severity"] in AlertCounts.__struct_fields__:
            setattr(of_host, row["severity"], row["number"])
    gone = [row["name"] for row in await database.fetch(sql.GONE)]
    rows = await database.fetch(sql.HOSTS)
    for name in [*gone, *fleet.members.unlisted({row["name"]: row["id"] for row in rows})]:
        if fleet.forget(name):
            hub.gone(name)
    behind = []
    for row in rows:
        name = row["name"]
        last_ms = None if row["last_sample"] is None else to_ms(row["last_sample"])
        news = fleet.enter(name, row["id"], row["archived"], last_ms)
        facts, alerts = read_facts(name, row["facts"]), counts.get(name, AlertCounts())
        changed = fleet.learn(name, facts, alerts, given_of(row))
        later = last_ms is not None and fleet.learn_stored(name, last_ms, now_ms())
        if later:
            behind.append(name)
        if changed or later or news:
            hub.host(name)
    refusals: dict[str, list[Refusal]] = {}
    for row in await database.fetch(sql.REFUSALS):
        refusal = Refusal(row["family"], row["reason"], row["rows"], to_ms(row["last"]))
        refusals.setdefault(row["host"], []).append(refusal)
    fleet.refusals = refusals
    fleet.complete = True
    return behind
