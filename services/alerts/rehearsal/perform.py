"""One rehearsal from its order to its outcome: host by host, as far as the time allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from msgspec import Struct, field

from infra.bus.connection import first_fault
from infra.clock import now_ms, to_ms
from infra.storage.database import Connection, connection
from schemas.catalogue import family_named
from schemas.rehearsals import Episode, Outcome, RehearsalOrder, check_rehearsal
from services.alerts.judge.ruleset import CompiledRule, OfHost, RuleSet
from services.alerts.rehearsal import sql
from services.alerts.rehearsal.episodes import episodes_of, latest, told
from services.alerts.rehearsal.minutes import MINUTE_MS, Minutes
from services.alerts.rehearsal.play import Line, play
from services.alerts.rehearsal.read import Range, answer, instances_of, minutes_of, source_of

MOST_KEPT = 20_000
"""Episodes in memory; the latest of them are told, all are counted."""

Tell = Callable[[float], None]


class _Host(Struct, frozen=True):
    id: int
    name: str
    rules: OfHost
    check: CompiledRule


class _Sum(Struct):
    """What was found so far."""

    episodes: list[Episode] = field(default_factory=list)
    fired: int = 0
    critical: int = 0
    hosts_fired: int = 0
    hosts_played: int = 0
    series: int = 0
    samples_read: int = 0

    def add(self, host: list[Episode]) -> None:
        self.fired += len(host)
        self.critical += sum(episode.severity == "critical" for episode in host)
        self.hosts_fired += bool(host)
        self.hosts_played += 1
        self.episodes += host
        if len(self.episodes) > MOST_KEPT:
            self.episodes = latest(self.episodes)


class TimeIsUp(Exception):
    """The rest of the hosts is not played."""


async def perform(database_url: str, order: RehearsalOrder, most_s: float, tell: Tell) -> Outcome:
    """Play the rule of `order`, at most for about `most_s`; `tell` hears which share is done.

    Raises InvalidFields for a rule that cannot be rehearsed, and what the database raises.
    """
    started_s = time.monotonic()
    rule = check_rehearsal(order.rule)
    rules = RuleSet([rule])
    # Two, so that while one host is played the rows of another are read.
    async with connection(database_url, "rehearsal") as first, connection(database_url, "rehearsal") as second:
        for database in (first, second):
            await database.execute(sql.OPENING)
        span = await _range(first, order.days)
        hosts = await _hosts(first, rules, rule.id)
        left = iter(hosts)
        found = _Sum()

        async def work(database: Connection) -> None:
            for host in left:
                if time.monotonic() - started_s > most_s:
                    return
                try:
                    found.add(await _play_host(database, host, span, found, started_s + most_s))
                except TimeIsUp:
                    return
                tell(found.hosts_played / len(hosts))

        try:
            async with asyncio.TaskGroup() as group:
                for database in (first, second):
                    group.create_task(work(database))
        except BaseExceptionGroup as faults:
            raise first_fault(faults) from None
    return Outcome(
        start=span.from_ms / 1000,
        end=span.to_ms / 1000,
        exact_from=span.exact_from_ms / 1000,
        unit=hosts[0].check.unit if hosts else "",
        fired=found.fired,
        critical=found.critical,
        hosts_fired=found.hosts_fired,
        hosts=len(hosts),
        hosts_played=found.hosts_played,
        series=found.series,
        complete=found.hosts_played == len(hosts),
        episodes=told(found.episodes),
        samples_read=found.samples_read,
        took_s=round(time.monotonic() - started_s, 3),
    )


async def _range(database: Connection, days: float) -> Range:
    """Whole minutes until now, as far back as there is anything."""
    before = {row["name"]: to_ms(row["before"]) for row in await database.fetch(sql.HORIZONS)}
    end_ms = now_ms() // MINUTE_MS * MINUTE_MS
    start_ms = max(end_ms - round(days * 86_400_000), before.get("minute", 0)) // MINUTE_MS * MINUTE_MS
    raw_ms = -(-before.get("raw", 0) // MINUTE_MS) * MINUTE_MS
    return Range(start_ms, end_ms, min(end_ms, max(start_ms, raw_ms)))


async def _hosts(database: Connection, rules: RuleSet, rule_id: str) -> list[_Host]:
    """Those that the rule looks at."""
    rows = await database.fetch(sql.HOSTS)
    rules.set_tags({row["name"]: frozenset(row["tags"]) for row in rows if row["tags"]})
    found = []
    for row in rows:
        of_host = rules.of(row["name"])
        if rule_id in of_host.by_id:
            found.append(_Host(row["id"], row["name"], of_host, of_host.by_id[rule_id]))
    return found


async def _play_host(database: Connection, host: _Host, span: Range, found: _Sum, until_s: float) -> list[Episode]:
    """All that the rule would have said of one host. Raises TimeIsUp."""
    episodes: list[Episode] = []
    series = samples = 0
    async with database.transaction(isolation="repeatable_read", readonly=True):
        source = await source_of(database, host.id, host.check, span)
        instances = await instances_of(source, host.check)
        for chunk in _chunks(list(instances)):
            for instance, minutes in (await minutes_of(source, host.check, chunk)).items():
                period_ms = _period_ms(minutes, host.check)
                line = Line(host.rules, host.check, host.name, instances[instance], minutes, period_ms)
                reading = play(line)
                try:
                    wanted = next(reading)
                    while True:
                        if time.monotonic() > until_s:
                            raise TimeIsUp
                        wanted = reading.send(await answer(source, instance, minutes, wanted))
                except StopIteration:
                    pass
                episodes += episodes_of(line)
                series += 1
                samples += line.samples_read
    found.series += series
    found.samples_read += samples
    return episodes


def _chunks(ids: list[int], size: int = 50) -> Iterator[list[int]]:
    """Some instances at a time: a host may have thousands."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _period_ms(minutes: Minutes, check: CompiledRule) -> int:
    """How often the instance was sampled where that is plainly more seldom than usual; else 0."""
    at = minutes.present.nonzero()[0]
    if len(at) < 3:
        return 0
    gaps = at[1:] - at[:-1]
    gaps.sort()
    period_ms = int(gaps[len(gaps) // 2]) * MINUTE_MS
    usual_ms = family_named(check.family).period_s * 1000
    return period_ms if period_ms >= 2 * MINUTE_MS and period_ms > usual_ms else 0
