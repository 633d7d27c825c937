"""The loop that owns the states of all hosts' alerts: messages, rule changes and silence are judged in turn.

Whatever fails on the way ends the loop; the next one reads everything back from the last commit, so states in memory
and in the database never differ. So does the removal of a host: the next loop has never heard of it, while it stays
known since when we hear the others.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct, field
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra.bus.lag import StreamLag
from infra.bus.ordered import ordered
from infra.clock import SteadyClock, now_ms
from infra.storage.database import Connection, StaleIds
from infra.storage.positions import Marks, forget_marks, load_marks, load_position
from infra.storage.removed import load_removed
from schemas.codec import Poison, decode_event
from schemas.messages import Batch, Lane
from schemas.subjects import METRICS, SETTINGS_CHANGED, host_of
from schemas.virtual import HOST_CLOCK, HOST_DOWN, HOST_UPTIME, virtual_metric
from services.alerts import sql
from services.alerts.judge.axis import Axis, Judged
from services.alerts.judge.hostdown import FULL_SHARE, Hearing, Probe, judge_hosts
from services.alerts.judge.judging import Judging, enforce, judge_messages, parts, reload, save, some
from services.alerts.judge.memory import Advance, Memory, Part, remember
from services.alerts.judge.progress import Progress
from services.alerts.judge.refill import longest_window_s, refilling, take_over
from services.alerts.judge.store import CONSUMER, HostsRemoved, check_hosts, forget_old, learn, load_memory, load_rules

logger = logging.getLogger(__name__)

LISTEN_EVERY_S = 0.5
RULES_EVERY_S = 30.0
FORGET_EVERY_S = 3600.0
FIRST_LOOK_S = 600.0


class Senses(Struct):
    """What stays true over all sessions: what was heard, and by which clock."""

    progress: Progress
    told: Callable[[], None]
    """Called when something has happened that people or the bus may have to hear."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when settings, rules or hosts are different ones."""
    own_changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Likewise, for the loop that judges Sonde itself."""
    late_changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Likewise, for the loop that judges what came late."""
    hearing: Hearing = field(default_factory=lambda: Hearing({}))
    clock: SteadyClock = field(default_factory=SteadyClock)
    said: dict[str, str] = field(default_factory=dict)
    """Rules that cannot be in force, as they were when that was logged."""
    ahead_s: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Host -> when it was heard, seconds of the monotonic clock, and how far its own was ahead of the bus's then."""


async def judge(client: Client, database: Connection, stop: asyncio.Event, senses: Senses) -> None:
    """Judge what arrives until `stop` is set, then return with everything committed."""

    async def on_change(_: Msg) -> None:
        senses.changed.set()
        senses.own_changed.set()
        senses.late_changed.set()
        senses.told()

    async def on_event(message: Msg) -> None:
        _note_event(senses, judging.memory if judging is not None else None, message)

    judging: Judging | None = None
    before: Judging | None = None
    # Any change of settings reads the rules again, looks whether hosts were removed, and lets a channel look whether
    # its address is another one now: a few small queries, and no announcement can be misread.
    await client.subscribe(SETTINGS_CHANGED, cb=on_change)
    await client.subscribe("events.*", cb=on_event)
    await client.flush()
    senses.hearing.since_s = math.inf
    while not stop.is_set():
        try:
            judging = await _open(database, senses)
            if before is not None:
                take_over(judging, before)
            await _judge_on(client, judging, senses, stop)
        except StaleIds as reason:
            before = judging if isinstance(reason, HostsRemoved) else None
            # Without `pulse.failed`: nothing is broken when somebody removes a host, and judging goes on right away.
            logger.info("session restarted", extra={"reason": f"{type(reason).__name__}: {reason}"})


async def _judge_on(client: Client, judging: Judging, senses: Senses, stop: asyncio.Event) -> None:
    """Judge from the last commit on, until `stop` is set. Raises StaleIds once a host was removed."""
    progress = senses.progress
    first_s = first_look_s(judging)
    async with ordered(client, METRICS.name, judging.position, first_s=first_s) as pull, refilling(client, judging):
        judging.position = pull.begins
        loop = asyncio.get_running_loop()
        listened_s = -math.inf
        reloaded_s = forgotten_s = loop.time()
        lane = progress.lane = StreamLag(judging.position, pull.last_seq)
        while not stop.is_set():
            messages = await some(pull)
            lane.received([it for it in messages if it.seq > judging.position.seq], pull.last_seq)
            progress.received(lane)
            now_s = loop.time()
            if senses.changed.is_set() or now_s - reloaded_s > RULES_EVERY_S:
                # Before they are judged: what came after the announcement of a rule is held against that rule.
                senses.changed.clear()
                reloaded_s = now_s
                await check_hosts(judging.database, judging.memory)
                await reload(judging)
                senses.hearing.agreed_s = judging.memory.interval_s
            for part in parts(messages):
                await judge_messages(judging, part)
                lane.processed(judging.position)
            progress.judged(lane, judging.position)
            progress.pulse.succeeded()
            if now_s - listened_s > LISTEN_EVERY_S:
                listened_s = now_s
                await _judge_silence(client, judging, senses)
            if now_s - forgotten_s > FORGET_EVERY_S:
                forgotten_s = now_s
                await forget_old(judging.database, judging.memory, now_ms() - round(METRICS.max_age_s * 1000))


async def _open(database: Connection, senses: Senses) -> Judging:
    """Everything as of the last commit; alerts whose rule went meanwhile are ended first."""
    memory = await load_memory(database, Part())
    # A clock that was set back while nothing ran must not make silence wait for an hour that has been already.
    senses.clock = SteadyClock(max(senses.clock.ms(), _newest_silence_ms(memory)) + 1)
    now_s = asyncio.get_running_loop().time()
    silences = await database.fetch(sql.SILENCES, CONSUMER)
    senses.ahead_s.clear()  # of hosts that are no more, too
    hearing = senses.hearing
    hearing.agreed_s = memory.interval_s
    hearing.keep({row["host"]: hearing.heard_s.get(row["host"], now_s - max(0.0, row["age_s"])) for row in silences})

    def heard(batch: Batch, judged: Judged) -> Mapping[str, float]:
        at_s = asyncio.get_running_loop().time()
        hearing.hear(batch.host, at_s, judged.times)
        senses.ahead_s[batch.host] = (at_s, judged.ahead_ms / 1000)
        known = {HOST_CLOCK: max(0.0, judged.ahead_ms / 1000)}
        booted_s = memory.booted_s.get(batch.host)
        if booted_s:
            known[HOST_UPTIME] = max(0.0, (judged.times[-1] - judged.shift_ms) / 1000 - booted_s)
        return known

    judging = await open_judging(database, memory, METRICS.name, "metrics", senses, heard)
    logger.info(
        "judging started",
        extra={"rules": len(judging.rules.set.rules), "hosts": len(silences), "position": judging.position.seq},
    )
    return judging


def _newest_silence_ms(memory: Memory) -> int:
    """When a silence was judged last, by the clock of the service then."""
    return max(
        (
            state.last_ms
            for states in memory.states.values()
            for (rule, _), state in states.items()
            if memory.subjects[rule].metric == HOST_DOWN
        ),
        default=0,
    )


def axis_of(memory: Memory) -> Axis:
    """Where the judged times of hosts are, as far as their states remember it."""
    newest: dict[str, int] = {}
    for host, states in memory.states.items():
        sampled = [state.last_ms for (rule, _), state in states.items() if not _is_virtual(memory, rule)]
        if sampled:
            newest[host] = max(sampled)
    return Axis(newest)


def _is_virtual(memory: Memory, rule_id: str) -> bool:
    return virtual_metric(memory.subjects[rule_id].metric) is not None


async def open_judging(
    database: Connection,
    memory: Memory,
    stream: str,
    lane: Lane,
    senses: Senses,
    heard: Callable[[Batch, Judged], Mapping[str, float]],
) -> Judging:
    """Judging of one stream as of the last commit."""
    rules = await load_rules(database, senses.said)
    assert rules is not None  # noqa: S101  # only a comparison with present rules answers None
    rules.set.set_tags(memory.tags)
    marks = await load_marks(database, CONSUMER)
    await _forget_marks(database, marks)
    removed = await load_removed(database)
    position = await load_position(database, CONSUMER, stream)
    axis = axis_of(memory)
    judging = Judging(
        database, stream, lane, memory, rules, marks, removed, position, axis, senses.told, heard, senses.said
    )
    await enforce(judging)
    return judging


def first_look_s(judging: Judging) -> float:
    """How much of an old stream is judged at the very first start: what decides about now."""
    rules = judging.rules.set.rules.values()
    longest_s = max((rule.for_s for rule in rules), default=0) + longest_window_s(judging)
    return max(FIRST_LOOK_S, longest_s)


async def _forget_marks(database: Connection, marks: Marks) -> None:
    """Delete the marks that were too many, such as those that a version before this one kept."""
    if marks.forgotten:
        names = {host for host, _, _ in marks.forgotten}
        rows = await database.fetch(sql.ALL_HOST_IDS, list(names))
        ids = {row["name"]: row["id"] for row in rows}
        await forget_marks(database, CONSUMER, [key for key in marks.forgotten if key[0] in ids], ids)


def _note_event(senses: Senses, memory: Memory | None, message: Msg) -> None:
    """Learn from what is said of a host when it booted, and that the bus has seen it leave."""
    try:
        event = decode_event(message.data)
    except Poison:
        return  # the gateway counts and logs those
    host = host_of(message.subject)
    if event.kind == "left" and host in senses.hearing.heard_s:
        senses.hearing.left_s[host] = asyncio.get_running_loop().time()
    elif event.kind == "joined":
        senses.hearing.left_s.pop(host, None)
    elif event.facts is not msgspec.UNSET and memory is not None:
        facts = event.facts
        learn(memory, host, facts.boot_time or 0, max(facts.batch_interval_s, facts.sample_interval_s))


async def _judge_silence(client: Client, judging: Judging, senses: Senses) -> None:
    """Ask how far the stream goes, and judge silent hosts as of the moment that was last asked and is now reached."""
    hearing = senses.hearing
    now_s = asyncio.get_running_loop().time()
    at_s = hearing.reached(judging.position.seq, now_s)
    if at_s is not None and judging.rules.set.down:
        changed, transitions = judge_hosts(
            judging.rules.set, hearing, judging.memory.states, at_s, senses.clock.ms(), now_ms()
        )
        remember(judging.memory, changed)
        await save(judging, Advance(changed, transitions))
    if hearing.probe is None:
        asked_s = asyncio.get_running_loop().time()
        info = await client.jetstream(timeout=5).stream_info(METRICS.name)
        limit = info.config.max_bytes or 0
        full = limit > 0 and info.state.bytes > FULL_SHARE * limit
        # A stream whose messages have all expired has nothing left to read, wherever its numbering stands.
        last_seq = info.state.last_seq if info.state.messages else 0
        hearing.probe = Probe(last_seq, asked_s, full)
