"""What the tables have of hosts, taken into memory: of all at start, later of those of which they have newer samples.

The newest values are those of raw rows; of a host that fell silent before these begin, means of its last minute, or of
its last hour.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from infra.clock import now_ms, to_ms, to_time
from infra.storage.database import Connection
from infra.storage.engines.tables import Kind
from schemas.catalogue import Family
from schemas.codec import Poison, Sample, build_batch, encode_batch
from schemas.messages import Batch
from services.gateway.fleet import sql
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.recent import WINDOW_MS
from services.gateway.live.hub import Hub

logger = logging.getLogger(__name__)

HOSTS_AT_ONCE = 25
"""Of so many hosts rows are read with one query a family."""
SILENT_AT_ONCE = 500
"""The same of those that fell silent long ago, of which there is one row of each instance."""
ROLLED: tuple[Kind, ...] = ("minute", "hour")


async def restore(database: Connection, fleet: Fleet, hub: Hub) -> None:
    """Read the last minute and the newest values of every host, as batches that go the way of those from the bus.

    Others have a turn after each host: live samples come meanwhile.
    """
    started_ms = now_ms()
    seen = {row["name"]: row["last_sample"] for row in await database.fetch(sql.HOSTS)}
    since = to_time(started_ms - WINDOW_MS)
    recent = [name for name, last in seen.items() if last is not None and last >= since]
    for hosts in _portions([host for host in recent if not fleet.members.ignores(host)], HOSTS_AT_ONCE):
        rows = _Rows()
        for family in fleet.catalogue:
            rows.add(family.name, await database.fetch(sql.recent(family), hosts, since))
        for batch in rows.batches(fleet.catalogue):
            with _passed_over(batch.host):
                hub.samples(batch.host, fleet.take(batch, encode_batch(batch), now_ms()))
            await asyncio.sleep(0)
    await _recall(database, fleet, None, "raw")
    await _recall_rolled(database, fleet, [name for name, last in seen.items() if last is not None])
    if seen:
        fleet.turned(now_ms())
        hub.begin_anew()  # viewers may have joined before the newest values of hosts that send nothing were there
    logger.info("live state restored", extra={"hosts": len(seen), "ms": now_ms() - started_ms})


async def recall(database: Connection, fleet: Fleet, hub: Hub, hosts: Sequence[str]) -> None:
    """Read the newest values of `hosts`, and tell viewers of them."""
    for some in _portions(hosts, HOSTS_AT_ONCE):
        await _recall(database, fleet, some, "raw")
        await _recall_rolled(database, fleet, some)
        for host in some:
            if host in fleet:  # it may have been removed meanwhile
                hub.host(host)


async def _recall_rolled(database: Connection, fleet: Fleet, hosts: Sequence[str]) -> None:
    """The same by roll-ups, of those hosts that have no values yet."""
    for kind in ROLLED:
        for some in _portions([host for host in hosts if fleet.is_blank(host)], SILENT_AT_ONCE):
            await _recall(database, fleet, some, kind)


async def _recall(database: Connection, fleet: Fleet, hosts: Sequence[str] | None, kind: Kind) -> None:
    """Note the newest row of each family and instance of `hosts`, None for all, with its labels."""
    rows = _Rows()
    for family in fleet.catalogue:
        rows.add(family.name, await database.fetch(sql.latest(family, kind), hosts))
    labels: dict[str, list[Any]] = {}
    for row in await database.fetch(sql.LABELS, hosts):
        labels.setdefault(row["host"], []).append(row)
    for batch in rows.batches(fleet.catalogue):
        with _passed_over(batch.host):
            fleet.recall(batch, now_ms())
        for row in labels.get(batch.host, ()):  # at once, so that no snapshot has values without their labels
            fleet.learn_labels(row["host"], row["family"], row["instance"], json.loads(row["labels"]))
        await asyncio.sleep(0)


def _portions(hosts: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    for at in range(0, len(hosts), most):
        yield hosts[at : at + most]


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
