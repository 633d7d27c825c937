"""Keeping the gateway's memory in step with the tables: everything once at start, then what others change in them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterable, Iterator
from typing import Any

from infra.bus.backoff import Backoff
from infra.clock import now_ms, to_ms, to_time
from infra.storage.database import Connection, Pool
from infra.storage.stored import read_settings as stored_settings
from schemas.api import AlertCounts, Refusal
from schemas.catalogue import Family
from schemas.codec import Poison, Sample, build_batch, encode_batch
from schemas.messages import Batch
from services.gateway.fleet import sql
from services.gateway.fleet.given import given_of
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.recent import WINDOW_MS
from services.gateway.http.database import NOT_READY, borrowed
from services.gateway.live.facts import read_facts
from services.gateway.live.hub import Hub
from services.gateway.live.limits import Limits
from services.gateway.settings.runtime import Runtime

logger = logging.getLogger(__name__)

EVERY_S = 10.0
HOSTS_AT_ONCE = 25
"""Of so many hosts the last minute is read with one query a family."""
LEAST_S = 0.25
"""Shortest time between two rounds, however much news there is."""


async def keep_fresh(pool: Pool, fleet: Fleet, hub: Hub, runtime: Runtime) -> None:
    """Read the tables now, whenever `runtime.stale` is set, and every 10 s, until cancelled."""
    backoff = Backoff(0.25, 10)
    restored = False
    while True:
        runtime.stale.clear()
        wait_s = EVERY_S
        try:
            async with borrowed(pool) as database:
                await read_settings(database, fleet, hub, runtime)
                await read_hosts(database, fleet, hub)
                if not restored:
                    await restore(database, fleet, hub)
                    restored = True
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


async def read_hosts(database: Connection, fleet: Fleet, hub: Hub) -> None:
    """Learn hosts, their facts, how many alerts of each severity are active, and which rows were refused.

    Hosts that are not there any more, such as those that another gateway has removed, are forgotten.
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
    for row in rows:
        name = row["name"]
        news = fleet.enter(name, row["id"], row["archived"], row["last_sample"] and to_ms(row["last_sample"]))
        facts, alerts = read_facts(name, row["facts"]), counts.get(name, AlertCounts())
        if fleet.learn(name, facts, alerts, given_of(row)) or news:
            hub.host(name)
    refusals: dict[str, list[Refusal]] = {}
    for row in await database.fetch(sql.REFUSALS):
        refusal = Refusal(row["family"], row["reason"], row["rows"], to_ms(row["last"]))
        refusals.setdefault(row["host"], []).append(refusal)
    fleet.refusals = refusals
    fleet.complete = True


async def restore(database: Connection, fleet: Fleet, hub: Hub) -> None:
    """Read the last minute and the newest values of every host, as batches that go the way of those from the bus.

    Others have a turn after each host: live samples come meanwhile.
    """
    started_ms = now_ms()
    seen = {row["name"]: row["last_sample"] for row in await database.fetch(sql.HOSTS)}
    since = to_time(started_ms - WINDOW_MS)
    recent = [name for name, last in seen.items() if last is not None and last >= since]
    for at in range(0, len(recent), HOSTS_AT_ONCE):
        hosts = [host for host in recent[at : at + HOSTS_AT_ONCE] if not fleet.members.ignores(host)]
        rows = _Rows()
        for family in fleet.catalogue:
            rows.add(family.name, await database.fetch(sql.recent(family), hosts, since))
        for batch in rows.batches(fleet.catalogue):
            with _passed_over(batch.host):
                hub.samples(batch.host, fleet.take(batch, encode_batch(batch), now_ms()))
            await asyncio.sleep(0)
    rows = _Rows()
    for family in fleet.catalogue:
        rows.add(family.name, await database.fetch(sql.latest(family)))
    labels: dict[str, list[Any]] = {}
    for row in await database.fetch(sql.LABELS):
        labels.setdefault(row["host"], []).append(row)
    for batch in rows.batches(fleet.catalogue):
        with _passed_over(batch.host):
            fleet.recall(batch, now_ms())
        for row in labels.get(batch.host, ()):  # at once, so that no snapshot has values without their labels
            fleet.learn_labels(row["host"], row["family"], row["instance"], json.loads(row["labels"]))
        await asyncio.sleep(0)
    if seen:
        fleet.turned(now_ms())
        hub.begin_anew()  # viewers may have joined before the newest values of hosts that send nothing were there
    logger.info("live state restored", extra={"hosts": len(seen), "ms": now_ms() - started_ms})


@contextlib.contextmanager
def _passed_over(host: str) -> Iterator[None]:
    """Stored rows ahead of our clock, which was set back since or is behind: that host waits for newer ones."""
    try:
        yield
    except Poison as error:
        logger.warning("stored rows skipped", extra={"host": host, "reason": str(error)})


class _Rows:
    """Rows of family tables, gathered into samples per host."""

    def __init__(self) -> None:
        self._samples: dict[str, dict[int, Sample]] = {}

    def add(self, family: str, records: Iterable[Any]) -> None:
        """Add query results: host, instance, time, then one column per metric."""
        for record in records:
            host, instance, time, *counts = record
            names = list(record.keys())[3:]
            time_ms = to_ms(time)
            sample = self._samples.setdefault(host, {}).setdefault(time_ms, Sample(time_ms, {}))
            values = {name: count for name, count in zip(names, counts, strict=True) if count is not None}
            sample.families.setdefault(family, {})[instance] = values

    def batches(self, catalogue: tuple[Family, ...]) -> Iterator[Batch]:
        """One batch per host."""
        for host, by_time in self._samples.items():
            samples = [by_time[time_ms] for time_ms in sorted(by_time)]
            yield build_batch(host, "restored", "metrics", 1, samples, catalogue)
