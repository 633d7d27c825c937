"""The one loop that owns all alert states: messages, rule changes and silence are judged in turn, never side by side.

Whatever fails on the way ends the loop; the next one reads everything back from the last commit, so states in memory
and in the database never differ. So does the removal of a host: the next loop has never heard of it, while it stays
known since when we hear the others.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Iterable, Sequence

from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.bus.lag import StreamLag
from infra.bus.ordered import OrderedPull, Position, StoredMessage, ordered
from infra.clock import now_ms
from infra.storage.database import Connection, StaleIds
from infra.storage.positions import Marks, forget_marks, load_marks, load_position
from infra.storage.removed import Removed, load_removed, read_again
from schemas.codec import Poison, decode_batch
from schemas.messages import Batch
from schemas.settings import StoredSettings
from schemas.subjects import METRICS, SETTINGS_CHANGED, host_of
from services.alerts import sql
from services.alerts.judge.evaluate import Key, evaluate
from services.alerts.judge.hostdown import FULL_SHARE, Hearing, Probe, judge_hosts
from services.alerts.judge.machine import State
from services.alerts.judge.memory import Advance, Memory, RulesInForce, adopt_rules, orphans, remember
from services.alerts.judge.progress import Progress
from services.alerts.judge.store import CONSUMER, check_hosts, commit, forget_old, load_memory, load_rules

logger = logging.getLogger(__name__)

PULL_MESSAGES = 400
"""Most messages of one transaction."""
BREATH_MESSAGES = 50
"""Other tasks of the process get a turn after so many."""
LINGER_S = 0.1
"""How long a few messages wait for company."""
WAIT_S = 0.25
LISTEN_EVERY_S = 0.5
RULES_EVERY_S = 30.0
FORGET_EVERY_S = 3600.0


class Judging(Struct):
    """What the loop holds."""

    database: Connection
    memory: Memory
    rules: RulesInForce
    marks: Marks
    removed: Removed
    position: Position
    hearing: Hearing
    stored: StoredSettings
    wakes: Sequence[asyncio.Event]
    """Set when there is something to deliver."""
    progress: Progress


async def judge(
    client: Client,
    database: Connection,
    stop: asyncio.Event,
    stored: StoredSettings,
    wakes: Sequence[asyncio.Event],
    progress: Progress,
) -> None:
    """Judge what arrives until `stop` is set, then return with everything committed."""
    changed = asyncio.Event()

    async def on_change(_: Msg) -> None:
        changed.set()
        for wake in wakes:
            wake.set()

    # Any change of settings reads the rules again, looks whether hosts were removed, and lets a channel look whether
    # its address is another one now: a few small queries, and no announcement can be misread.
    await client.subscribe(SETTINGS_CHANGED, cb=on_change)
    await client.flush()
    hearing = Hearing({})
    while not stop.is_set():
        try:
            judging = await _open(database, stored, wakes, hearing, progress)
            hearing = judging.hearing
            await _judge_on(client, judging, stop, changed)
        except StaleIds as reason:
            # Without `pulse.failed`: nothing is broken when somebody removes a host, and judging goes on right away.
            logger.info("session restarted", extra={"reason": f"{type(reason).__name__}: {reason}"})


async def _judge_on(client: Client, judging: Judging, stop: asyncio.Event, changed: asyncio.Event) -> None:
    """Judge from the last commit on, until `stop` is set. Raises StaleIds once a host was removed."""
    async with ordered(client, METRICS.name, judging.position) as pull:
        loop = asyncio.get_running_loop()
        listened_s = -math.inf
        reloaded_s = forgotten_s = loop.time()
        lane = judging.progress.lane = StreamLag(judging.position, pull.last_seq)
        while not stop.is_set():
            messages = await _some(pull)
            lane.received(messages, pull.last_seq)
            now_s = loop.time()
            if changed.is_set() or now_s - reloaded_s > RULES_EVERY_S:
                # Before they are judged: what came after the announcement of a rule is held against that rule.
                changed.clear()
                reloaded_s = now_s
                await check_hosts(judging.database, judging.memory)
                await _reload(judging)
            for part in _parts(messages):
                await _judge_messages(judging, part)
                lane.processed(judging.position)
            judging.progress.pulse.succeeded()
            if judging.rules.set.down and now_s - listened_s > LISTEN_EVERY_S:
                listened_s = now_s
                await _judge_silence(client, judging)
            if now_s - forgotten_s > FORGET_EVERY_S:
                forgotten_s = now_s
                await forget_old(judging.database, judging.memory, now_ms() - round(METRICS.max_age_s * 1000))


async def _open(
    database: Connection, stored: StoredSettings, wakes: Sequence[asyncio.Event], former: Hearing, progress: Progress
) -> Judging:
    """Everything as of the last commit; alerts whose rule went meanwhile are ended first.

    What `former` knows of the stream stays true, so that however often hosts are removed, silence is judged.
    """
    memory = await load_memory(database)
    rules = await load_rules(database)
    assert rules is not None  # noqa: S101  # only a comparison with present rules answers None
    now_s = asyncio.get_running_loop().time()
    silences = await database.fetch(sql.SILENCES, CONSUMER)
    hearing = Hearing({record["host"]: now_s - record["age_s"] for record in silences}, former.since_s, former.probe)
    marks = await load_marks(database, CONSUMER)
    await _forget_marks(database, marks)
    removed = await load_removed(database)
    position = await load_position(database, CONSUMER, METRICS.name)
    judging = Judging(database, memory, rules, marks, removed, position, hearing, stored, wakes, progress)
    await _enforce(judging)
    logger.info(
        "judging started",
        extra={"rules": len(rules.set.by_id), "hosts": len(silences), "position": judging.position.seq},
    )
    return judging


async def _forget_marks(database: Connection, marks: Marks) -> None:
    """Delete the marks that were too many, such as those that a version before this one kept."""
    if marks.forgotten:
        names = {host for host, _, _ in marks.forgotten}
        rows = await database.fetch(sql.ALL_HOST_IDS, list(names))
        ids = {row["name"]: row["id"] for row in rows}
        await forget_marks(database, CONSUMER, [key for key in marks.forgotten if key[0] in ids], ids)


def _parts(messages: list[StoredMessage]) -> Iterable[list[StoredMessage]]:
    return (messages[start : start + PULL_MESSAGES] for start in range(0, len(messages), PULL_MESSAGES))


async def _some(pull: OrderedPull) -> list[StoredMessage]:
    """Messages at hand; a few wait a little for more, so that a fleet does not become as many transactions."""
    messages = await pull.next(WAIT_S)
    if messages and len(messages) < PULL_MESSAGES:
        await asyncio.sleep(LINGER_S)
        messages += await pull.next(0)
    return messages


async def _judge_messages(judging: Judging, messages: list[StoredMessage]) -> None:
    """Evaluate `messages` and commit states, transitions, marks and position in one transaction."""
    started_s = time.perf_counter()
    advance = Advance(position=messages[-1].position)
    skipped = repeats = ahead = 0
    of_removed: list[str] = []
    await read_again(judging.database, judging.removed, messages)
    for number, message in enumerate(messages, 1):
        if number % BREATH_MESSAGES == 0:
            await asyncio.sleep(0)
        if _is_of_removed(judging.removed, message):
            of_removed.append(host_of(message.subject))
            continue
        try:
            batch = _read(message)
        except Poison:
            skipped += 1  # ingest parks it with the reason
            continue
        lane = (batch.host, batch.lane, batch.epoch)
        if batch.seq <= judging.marks.get(lane, 0):
            repeats += 1
            continue
        advance.marks[lane] = batch.seq
        advance.forgotten_marks += judging.marks.raise_to({lane: batch.seq})
        judging.hearing.heard_s[batch.host] = asyncio.get_running_loop().time()
        outcome = evaluate(
            judging.rules.set, batch, judging.memory.states.get(batch.host, {}), message.time_ns // 1_000_000
        )
        ahead += outcome.ahead
        if outcome.changed:
            remember(judging.memory, {batch.host: outcome.changed})
            advance.changed.setdefault(batch.host, {}).update(outcome.changed)
        advance.transitions += outcome.transitions
    advance.marks = {lane: number for lane, number in advance.marks.items() if lane in judging.marks}
    await _commit(judging, advance)
    judging.position = messages[-1].position
    judging.removed.count(of_removed)
    logger.debug(
        "batches judged",
        extra={
            "messages": len(messages),
            "transitions": len(advance.transitions),
            "states": sum(len(states) for states in advance.changed.values()),
            "skipped": skipped,
            "repeats": repeats,
            "of_removed": len(of_removed),
            "ahead": ahead,
            "position": judging.position.seq,
            "ms": round((time.perf_counter() - started_s) * 1000, 1),
        },
    )


def _is_of_removed(removed: Removed, message: StoredMessage) -> bool:
    """Whether `message` is of a host that was removed, or is archived: that one is stored, but never judged."""
    host = host_of(message.subject)
    return host in removed.archived_ns or removed.drops(host, message.time_ns)


def _read(message: StoredMessage) -> Batch:
    """The batch in `message`. Raises Poison for what ingest parks."""
    batch = decode_batch(message.data)
    if batch.host != host_of(message.subject) or batch.lane != "metrics":
        raise Poison(f"host {batch.host!r}, lane {batch.lane!r} in a message on {message.subject}")
    return batch


async def _reload(judging: Judging) -> None:
    """Take the rules from the table if they changed."""
    rules = await load_rules(judging.database, judging.rules)
    if rules is not None:
        judging.rules = rules
        await _enforce(judging)
        logger.info("rules reloaded", extra={"rules": len(rules.set.by_id)})


async def _enforce(judging: Judging) -> None:
    """End what the rules in force no longer stand for."""
    advance = orphans(judging.memory, judging.rules, now_ms())
    await _commit(judging, advance)
    remember(judging.memory, advance.changed)
    adopt_rules(judging.memory, judging.rules)


async def _judge_silence(client: Client, judging: Judging) -> None:
    """Ask how far the stream goes, and judge silent hosts as of the moment that was last asked and is now reached."""
    hearing = judging.hearing
    now_s = asyncio.get_running_loop().time()
    at_s = hearing.reached(judging.position.seq, now_s)
    if at_s is not None:
        advance = Advance()
        for check in judging.rules.set.down:
            key: Key = (check.rule.id, "")
            states = {host: mine[key] for host, mine in judging.memory.states.items() if key in mine}
            changed, transitions = judge_hosts(check, hearing, states, at_s, now_ms())
            advance.transitions += transitions
            for host, state in changed.items():
                forgettable: dict[Key, State | None] = {key: state}
                advance.changed.setdefault(host, {}).update(forgettable)
        remember(judging.memory, advance.changed)
        await _commit(judging, advance)
    if hearing.probe is None:
        asked_s = asyncio.get_running_loop().time()
        info = await client.jetstream(timeout=5).stream_info(METRICS.name)
        limit = info.config.max_bytes or 0
        full = limit > 0 and info.state.bytes > FULL_SHARE * limit
        # A stream whose messages have all expired has nothing left to read, wherever its numbering stands.
        last_seq = info.state.last_seq if info.state.messages else 0
        hearing.probe = Probe(last_seq, asked_s, full)


async def _commit(judging: Judging, advance: Advance) -> None:
    if advance.changed or advance.transitions or advance.position is not None:
        await commit(judging.database, judging.memory, advance, judging.stored)
    if advance.transitions:
        for transition in advance.transitions:
            logger.info(
                "alert transition",
                extra={
                    "kind": transition.kind,
                    "host": transition.host,
                    "rule": transition.rule,
                    "instance": transition.instance,
                    "severity": transition.severity,
                    "value": transition.value,
                },
            )
        for wake in judging.wakes:
            wake.set()
