"""Alerts about Sonde itself, judged by a loop and a connection of their own: they go on while the bus is away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping

import msgspec
from msgspec import Struct, field
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.clock import SteadyClock, now_ms
from infra.storage.database import Connection, StaleIds
from schemas.health import SERVICES, Heartbeat
from schemas.subjects import DEADLETTER, health
from schemas.virtual import (
    CHANNEL_HELD,
    INGEST_REFUSED,
    MONITORING_BLIND,
    MONITORING_CLOCK,
    SERVICE_LAG,
    SERVICE_SILENT,
)
from services.alerts import sql
from services.alerts.judge.evaluate import Key, transition_of
from services.alerts.judge.judging import say
from services.alerts.judge.loop import RULES_EVERY_S, Senses
from services.alerts.judge.machine import OK, State, miss, step
from services.alerts.judge.memory import Advance, Memory, Part, RulesInForce, adopt_rules, orphans, remember
from services.alerts.judge.ruleset import CompiledRule
from services.alerts.judge.store import commit, load_memory, load_rules

logger = logging.getLogger(__name__)

EVERY_S = 1.0
HEARD_WITHIN_S = 15.0
"""Between two answers about the stream's end; longer, and nobody can tell who is silent."""
MINUTE_S = 60.0
HOSTS_FOR_CLOCK = 3
"""So many hosts must agree before the bus's clock is called wrong."""
MOST_REFUSED = 100_000

Values = dict[str, dict[str, float | None]]
"""Metric -> instance (empty where there is only one) -> value; None: nobody knows."""


class Surroundings(Struct):
    """What is heard of the services on the bus."""

    started_s: float
    """When the service began, seconds of the monotonic clock, as all here."""
    since_s: float = 0
    """When listening began."""
    heard_s: dict[str, float] = field(default_factory=dict)
    lag_s: dict[str, float] = field(default_factory=dict)
    refused_s: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_REFUSED))


async def listen(client: Client, around: Surroundings) -> None:
    """Hear services and refusals from now on."""

    async def on_health(message: Msg) -> None:
        try:
            said = msgspec.json.decode(message.data, type=Heartbeat)
        except msgspec.MsgspecError:
            return  # of another version, perhaps
        if not said.standby and not said.ended:
            around.heard_s[said.service] = time.monotonic()
            if said.work.lag_s is not None:
                around.lag_s[said.service] = said.work.lag_s

    async def on_refused(_: Msg) -> None:
        around.refused_s.append(time.monotonic())

    around.since_s = time.monotonic()
    await client.subscribe(health("*"), cb=on_health)
    await client.subscribe(DEADLETTER.subjects[0], cb=on_refused)
    await client.flush()


def begin_anew(senses: Senses, around: Surroundings, now_s: float) -> None:
    """Whoever was in standby until `now_s` has been blind for no time yet."""
    around.started_s, senses.hearing.reached_s = now_s, None


async def judge_own(database: Connection, stop: asyncio.Event, senses: Senses, around: Surroundings) -> None:
    """Judge what is known of Sonde once a second until `stop` is set, or another instance has the hosts to judge."""
    while not stop.is_set() and not senses.progress.pulse.standby:
        try:
            await _judge(database, stop, senses, around)
        except StaleIds as reason:
            logger.info("session restarted", extra={"reason": f"{type(reason).__name__}: {reason}"})


async def _judge(database: Connection, stop: asyncio.Event, senses: Senses, around: Surroundings) -> None:
    memory = await load_memory(database, Part(about_sonde=True))
    rules = await load_rules(database, senses.said)
    assert rules is not None  # noqa: S101  # only a comparison with present rules answers None
    states = memory.states.get("", {})
    clock = SteadyClock(max((state.last_ms for state in states.values()), default=0) + 1)
    await _commit(database, memory, orphans(memory, rules, now_ms()), rules, senses)
    adopt_rules(memory, rules)
    reloaded_s = time.monotonic()
    while not stop.is_set() and not senses.progress.pulse.standby:
        if senses.own_changed.is_set() or time.monotonic() - reloaded_s > RULES_EVERY_S:
            senses.own_changed.clear()
            reloaded_s = time.monotonic()
            changed = await load_rules(database, senses.said, rules)
            if changed is not None:
                rules = changed
                await _commit(database, memory, orphans(memory, rules, now_ms()), rules, senses)
                adopt_rules(memory, rules)
        held = {row["id"]: row["held_s"] for row in await database.fetch(sql.HELD_CHANNELS)}
        values = values_of(senses, around, held, time.monotonic())
        advance = evaluate_own(rules.set.about_sonde, values, memory.states.get("", {}), clock.ms(), now_ms())
        await _commit(database, memory, advance, rules, senses)
        try:
            await asyncio.wait_for(stop.wait(), EVERY_S)
        except TimeoutError:
            continue


async def _commit(database: Connection, memory: Memory, advance: Advance, rules: RulesInForce, senses: Senses) -> None:
    if advance.changed or advance.transitions:
        await commit(database, memory, advance, rules, time.time())
        remember(memory, advance.changed)
        say(advance)
    if advance.transitions:
        senses.told()


def values_of(senses: Senses, around: Surroundings, held_s: Mapping[str, float], now_s: float) -> Values:
    """What is known of Sonde at `now_s`."""
    reached_s = senses.hearing.reached_s
    unheard_s = now_s - (around.started_s if reached_s is None else reached_s)
    blind = unheard_s > HEARD_WITHIN_S
    if blind:
        around.since_s = now_s  # whoever is silent afterwards has their full time again
    while around.refused_s and around.refused_s[0] < now_s - MINUTE_S:
        around.refused_s.popleft()
    silent: dict[str, float | None] = {}
    lag: dict[str, float | None] = {}
    for service in SERVICES:
        if service != "alerts":
            # While we hear nobody, one service's silence says nothing of it.
            heard_s = around.heard_s.get(service, 0)
            silent[service] = None if blind else now_s - max(around.started_s, around.since_s, heard_s)
            lag[service] = None if blind else around.lag_s.get(service)
    return {
        MONITORING_BLIND: {"": unheard_s if blind else 0.0},
        MONITORING_CLOCK: {"": None if blind else _apart_s(senses, now_s)},
        SERVICE_SILENT: silent,
        SERVICE_LAG: lag,
        INGEST_REFUSED: {"": None if blind else float(len(around.refused_s))},
        CHANNEL_HELD: dict(held_s),
    }


def _apart_s(senses: Senses, now_s: float) -> float:
    """How far the bus's clock is from those of most hosts that were heard in the last minute."""
    ahead = sorted(ahead_s for at_s, ahead_s in senses.ahead_s.values() if at_s > now_s - MINUTE_S)
    return abs(ahead[len(ahead) // 2]) if len(ahead) >= HOSTS_FOR_CLOCK else 0.0


def evaluate_own(
    checks: list[CompiledRule], values: Values, states: Mapping[Key, State], judged_ms: int, told_ms: int
) -> Advance:
    """Hold `values`, which count as of `judged_ms` and are of `told_ms` for people, against the rules."""
    advance = Advance()
    changed: dict[Key, State | None] = {}
    for check in checks:
        known = values.get(check.rule.metric, {})
        missing = {instance for rule_id, instance in states if rule_id == check.rule.id} - known.keys()
        for instance in [*known, *missing]:
            key = (check.rule.id, instance)
            before = states.get(key, OK)
            after: State | None
            if instance in known:
                after, change = (
                    step(check.limits, before, known[instance], judged_ms)
                    if check.is_about(instance)
                    else (before, None)
                )
            else:
                after, change = miss(check.limits, before, judged_ms)
            if after is not before and not _same(after, before):
                changed[key] = after
            if change is not None:
                transition = transition_of(check, "", instance, change)
                later_s = (told_ms - judged_ms) / 1000
                transition.time += later_s
                transition.since += later_s
                if transition.peak_time is not None:
                    transition.peak_time += later_s
                advance.transitions.append(transition)
    if changed:
        advance.changed[""] = changed
    return advance


def _same(after: State | None, before: State) -> bool:
    """Whether a state need not be written again: only its last value differs, and for a short time."""
    return (
        after is not None
        and (after.phase, after.clocks, after.absent_ms) == (before.phase, before.clocks, before.absent_ms)
        and after.last_ms - before.last_ms < 30_000
    )
