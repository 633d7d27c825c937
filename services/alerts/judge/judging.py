"""What a judging loop holds, and what it does with messages and rules whatever stream they come from."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from infra.bus.ordered import OrderedPull, Position, StoredMessage
from infra.clock import now_ms
from infra.storage.database import Connection
from infra.storage.positions import Marks
from infra.storage.removed import Removed, read_again
from schemas.codec import Poison, decode_batch, times_ms
from schemas.messages import Batch, Lane
from schemas.rules import Rule
from schemas.subjects import host_of
from services.alerts.judge.axis import Axis, Judged
from services.alerts.judge.evaluate import Looking, evaluate, forget_ended
from services.alerts.judge.memory import Advance, Memory, RulesInForce, adopt_rules, orphans, remember
from services.alerts.judge.store import commit, load_hosts, load_rules
from services.alerts.judge.warming import warm_trends

logger = logging.getLogger(__name__)

PULL_MESSAGES = 400
"""Most messages of one transaction."""
BREATH_MESSAGES = 50
"""Other tasks of the process get a turn after so many."""
LINGER_S = 0.1
"""How long a few messages wait for company."""
WAIT_S = 0.25
WARM_S = 0.25
"""Spent on the trends of hosts in one transaction; the others have their turn with later batches."""

Heard = Callable[[Batch, Judged], Mapping[str, float]]
"""Takes note of a new batch; returns the virtual metrics of its host."""


class Judging(Struct):
    """What the loop holds."""

    database: Connection
    stream: str
    lane: Lane
    memory: Memory
    rules: RulesInForce
    marks: Marks
    removed: Removed
    position: Position
    """Of the last message that is judged."""
    axis: Axis
    told: Callable[[], None]
    """Called when something has happened that people or the bus may have to hear."""
    heard: Heard
    said: dict[str, str]
    """Rules that cannot be in force, as they were when that was logged."""
    filled: bool = False
    """Whether windows hold all that they held before."""
    warming_s: float = 0
    """Spent on trends since the last transaction."""


async def some(pull: OrderedPull) -> list[StoredMessage]:
    """Messages at hand; a few wait a little for more, so that a fleet does not become as many transactions."""
    messages = await pull.next(WAIT_S)
    if messages and len(messages) < PULL_MESSAGES:
        await asyncio.sleep(LINGER_S)
        messages += await pull.next(0)
    return messages


def parts(messages: list[StoredMessage]) -> Iterable[list[StoredMessage]]:
    return (messages[start : start + PULL_MESSAGES] for start in range(0, len(messages), PULL_MESSAGES))


async def judge_messages(judging: Judging, messages: list[StoredMessage]) -> None:
    """Evaluate `messages` and commit states, transitions, marks and position in one transaction."""
    started_s = time.perf_counter()
    advance = Advance(stream=judging.stream, position=messages[-1].position)
    counts = dict.fromkeys(("skipped", "repeats"), 0)
    of_removed: list[str] = []
    judging.warming_s = 0
    await read_again(judging.database, judging.removed, messages)
    for number, message in enumerate(messages, 1):
        if number % BREATH_MESSAGES == 0:
            await asyncio.sleep(0)
        if is_of_removed(judging.removed, message):
            of_removed.append(host_of(message.subject))
            continue
        try:
            batch = read(message, judging.lane)
        except Poison:
            counts["skipped"] += 1  # ingest parks it with the reason
            continue
        lane = (batch.host, batch.lane, batch.epoch)
        if batch.seq <= judging.marks.get(lane, 0):
            counts["repeats"] += 1
            continue
        advance.marks[lane] = batch.seq
        advance.forgotten_marks += judging.marks.raise_to({lane: batch.seq})
        await _judge(judging, batch, message, advance)
    advance.marks = {lane: number for lane, number in advance.marks.items() if lane in judging.marks}
    await save(judging, advance)
    judging.position = messages[-1].position
    judging.removed.count(of_removed)
    logger.debug(
        "batches judged",
        extra={
            "stream": judging.stream,
            "messages": len(messages),
            "transitions": len(advance.transitions),
            "states": sum(len(states) for states in advance.changed.values()),
            **counts,
            "of_removed": len(of_removed),
            "position": judging.position.seq,
            "ms": round((time.perf_counter() - started_s) * 1000, 1),
        },
    )


async def _judge(judging: Judging, batch: Batch, message: StoredMessage, advance: Advance) -> None:
    memory = judging.memory
    judged = judging.axis.judge(batch.host, times_ms(batch.times), message.time_ns // 1_000_000)
    known = judging.heard(batch, judged)
    looking = memory.looking.get(batch.host)
    if looking is None:
        looking = memory.looking[batch.host] = Looking()
    of_host = judging.rules.set.of(batch.host)
    if of_host.trends and judging.warming_s < WARM_S:
        began_s = time.perf_counter()
        await warm_trends(judging.database, of_host, looking, memory.hosts.get(batch.host), batch, judged)
        judging.warming_s += time.perf_counter() - began_s
    outcome = evaluate(of_host, batch, judged, memory.states.get(batch.host, {}), looking, known)
    if outcome.changed:
        remember(memory, {batch.host: outcome.changed})
        advance.changed.setdefault(batch.host, {}).update(outcome.changed)
    advance.transitions += outcome.transitions


def is_of_removed(removed: Removed, message: StoredMessage) -> bool:
    """Whether `message` is of a host that was removed, or is archived: that one is stored, but never judged."""
    host = host_of(message.subject)
    return host in removed.archived_ns or removed.drops(host, message.time_ns)


def read(message: StoredMessage, lane: Lane) -> Batch:
    """The batch in `message`. Raises Poison for what ingest parks."""
    batch = decode_batch(message.data)
    if batch.host != host_of(message.subject) or batch.lane != lane:
        raise Poison(f"host {batch.host!r}, lane {batch.lane!r} in a message on {message.subject}")
    return batch


async def reload(judging: Judging) -> None:
    """Take hosts' tags, and the rules if they changed, from the tables."""
    await load_hosts(judging.database, judging.memory)
    for looking in judging.memory.looking.values():
        forget_ended(looking)
    rules = await load_rules(judging.database, judging.said, judging.rules)
    if rules is not None:
        forget_windows(judging.memory, judging.rules, rules)
        judging.rules = rules
        logger.info("rules reloaded", extra={"rules": len(rules.set.rules)})
    judging.rules.set.set_tags(judging.memory.tags)
    await enforce(judging)


def forget_windows(memory: Memory, before: RulesInForce, now: RulesInForce) -> None:
    """Drop what windows hold for rules that look at something else, or at another time, from now on."""
    others = {rule.id for rule in before.set.rules.values() if not _looks_alike(rule, now.set.rules.get(rule.id))}
    for looking in (*memory.looking.values(), *memory.earlier.values()):
        for key in [key for key in looking.windows if key[0] in others]:
            del looking.windows[key]
        looking.warm -= others


def _looks_alike(before: Rule, now: Rule | None) -> bool:
    return now is not None and (before.metric, before.window) == (now.metric, now.window)


async def enforce(judging: Judging) -> None:
    """End what the rules in force no longer stand for."""
    advance = orphans(judging.memory, judging.rules, now_ms())
    await save(judging, advance)
    remember(judging.memory, advance.changed)
    adopt_rules(judging.memory, judging.rules)


async def save(judging: Judging, advance: Advance) -> None:
    """Commit `advance` if there is anything in it, and say so where something happened."""
    if advance.changed or advance.transitions or advance.position is not None:
        await commit(judging.database, judging.memory, advance, judging.rules, time.time())
    say(advance)
    if advance.transitions:
        judging.told()


def say(advance: Advance) -> None:
    """Log what happened."""
    for transition in advance.transitions:
        logger.info(
            "alert transition",
            extra={
                "kind": transition.kind,
                "incident": transition.incident,
                "host": transition.host,
                "rule": transition.rule,
                "instance": transition.instance,
                "severity": transition.severity,
                "value": transition.value,
            },
        )
