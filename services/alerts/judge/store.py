"""States and rules read from tables, and the transaction that advances everything together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from infra.storage.database import Connection, StaleIds, ensure_hosts
from infra.storage.positions import forget_marks, save_marks, save_position
from infra.storage.removed import hold_generation
from schemas.incidents import Facts
from schemas.messages import AlertTransition
from schemas.rules import InvalidFields, Rule
from services.alerts import sql
from services.alerts.judge.incidents import IncidentKey, OpenIncident, needed, step_of
from services.alerts.judge.incidents import advance as incidents_after
from services.alerts.judge.memory import Advance, Memory, Part, Row, RulesInForce, Subject, row_of
from services.alerts.judge.ruleset import RuleSet, compile_rule

logger = logging.getLogger(__name__)

CONSUMER = "alerts"


class HostsRemoved(StaleIds):
    """Likewise, but found between two messages: all that was judged is committed."""


async def load_memory(database: Connection, part: Part) -> Memory:
    """The states of `part`, of all hosts that are judged: not of archived ones. What cannot be read begins anew."""
    generation = await database.fetchval(sql.GENERATION)  # before the states: who is removed meanwhile is noticed
    memory = Memory(part, {}, {}, generation=generation)
    await load_hosts(database, memory)
    for record in await database.fetch(sql.STATES, part.past, part.about_sonde):
        try:
            row = msgspec.json.decode(record["body"], type=Row)
        except msgspec.MsgspecError as fault:
            keys = {"host": record["host"], "rule": record["rule_id"], "instance": record["instance"]}
            logger.error("stored alert state invalid, skipped", extra={**keys, "error": str(fault)})
            continue
        memory.states.setdefault(record["host"], {})[record["rule_id"], record["instance"]] = row.machine
        memory.subjects[record["rule_id"]] = Subject(row.rule_name, row.metric)
    await database.execute(sql.CLOSE_OF_NOBODY)
    for record in await database.fetch(sql.OPEN_INCIDENTS, part.past, part.about_sonde):
        try:
            facts = msgspec.json.decode(record["body"], type=Facts)
        except msgspec.MsgspecError as fault:
            logger.error("stored incident invalid, skipped", extra={"incident": record["id"], "error": str(fault)})
            await database.execute(sql.CLOSE_UNREADABLE, record["id"])
            continue
        key = (record["host"], record["rule_id"], record["instance"])
        memory.open[key] = OpenIncident(record["id"], record["opened_s"], facts)
    return memory


async def load_hosts(database: Connection, memory: Memory) -> None:
    """Learn who is there, which tags they have, and when they booted."""
    rows = await database.fetch(sql.HOSTS)
    memory.hosts = {row["name"]: row["id"] for row in rows}
    memory.tags = {row["name"]: frozenset(row["tags"]) for row in rows if row["tags"]}
    memory.interval_s = {row["name"]: row["interval_s"] for row in rows if row["interval_s"]}
    memory.booted_s = {row["name"]: row["booted_s"] for row in rows if row["booted_s"]}
    for host, (booted_s, interval_s) in list(memory.announced.items()):
        stored = (memory.booted_s.get(host, 0), memory.interval_s.get(host, 0))
        if stored == (booted_s, interval_s) or host not in memory.hosts:
            del memory.announced[host]
        else:
            learn(memory, host, booted_s, interval_s)


def learn(memory: Memory, host: str, booted_s: float, interval_s: float) -> None:
    """Take what `host` says of itself; it stands until the table, which others write, says so, too."""
    memory.announced[host] = memory.booted_s[host], memory.interval_s[host] = booted_s, interval_s


async def check_hosts(database: Connection, memory: Memory) -> None:
    """Raise HostsRemoved when hosts were removed since `memory` was read."""
    if await database.fetchval(sql.GENERATION) != memory.generation:
        raise HostsRemoved("a host was removed, or instances were forgotten, since they were read")


async def load_rules(
    database: Connection, said: dict[str, str], present: RulesInForce | None = None
) -> RulesInForce | None:
    """The rules in the table; None when they are those of `present`.

    What cannot be in force is logged, unless `said` has it, which is what was logged: body by rule.
    """
    bodies: dict[str, str] = {record["id"]: record["body"] for record in await database.fetch(sql.RULES)}
    if present is not None and present.bodies == bodies:
        return None
    readable: list[Rule] = []
    unreadable: set[str] = set()
    for rule_id, body in bodies.items():
        try:
            rule = msgspec.json.decode(body, type=Rule)
            compile_rule(rule)
        except (msgspec.MsgspecError, InvalidFields) as fault:
            if isinstance(fault, msgspec.MsgspecError):
                unreadable.add(rule_id)
            if said.get(rule_id) != body:
                said[rule_id] = body
                logger.error("invalid rule skipped", extra={"rule": rule_id, "reason": str(fault)})
        else:
            readable.append(rule)
    return RulesInForce(RuleSet(readable), bodies, frozenset(unreadable))


async def commit(database: Connection, memory: Memory, advance: Advance, rules: RulesInForce, now_s: float) -> None:
    """Write `advance`, noticed at `now_s`, in one transaction; its transitions get numbers and incidents.

    Raises StaleIds when `memory` may hold states of hosts that were removed since it was read: it must be read again.
    """
    opened: dict[IncidentKey, OpenIncident | None] = {}
    async with database.transaction():
        if not advance.transitions:
            # A lost tail of such transactions is evaluated again from the position that was lost with it, with the
            # same result and nothing said twice, so it need not wait for the disk.
            await database.execute("SET LOCAL synchronous_commit = off")
        if await hold_generation(database) != memory.generation:
            raise StaleIds("a host was removed, or instances were forgotten, since they were read")
        # Only what a host itself sent may bring it into being; judging one that was deleted meanwhile may not.
        ids = await ensure_hosts(database, (lane[0] for lane in advance.marks))
        others = {*advance.changed, *(transition.host for transition in advance.transitions)} - ids.keys() - {""}
        ids.update({record["name"]: record["id"] for record in await database.fetch(sql.HOST_IDS, list(others))})
        if not others <= ids.keys() or any(memory.hosts.get(host, number) != number for host, number in ids.items()):
            raise StaleIds("a host is no longer there, or another one has its name")
        await _save_states(database, memory, advance, ids)
        if advance.transitions:
            opened = await _save_transitions(database, memory, advance.transitions, ids, rules, now_s)
        if advance.marks:
            await save_marks(database, CONSUMER, advance.marks, ids)
            await forget_marks(database, CONSUMER, advance.forgotten_marks, ids)
        if advance.position is not None:
            await save_position(database, CONSUMER, advance.stream, advance.position)
    memory.hosts.update(ids)
    for key, incident in opened.items():
        if incident is None:
            memory.open.pop(key, None)
        else:
            memory.open[key] = incident


async def _save_states(database: Connection, memory: Memory, advance: Advance, ids: dict[str, int]) -> None:
    kept: list[tuple[str, int | None, str, str, str]] = []
    forgotten: list[tuple[str, int | None, str]] = []
    for host in advance.changed:
        for (rule_id, instance), state in advance.changed[host].items():
            if state is None:
                forgotten.append((rule_id, ids.get(host), instance))
            else:
                body = msgspec.json.encode(row_of(memory.subjects[rule_id], state)).decode()
                kept.append((rule_id, ids.get(host), instance, state.phase, body))
    if kept:
        rules, hosts, instances, phases, bodies = columns(kept)
        await database.execute(sql.UPSERT_STATES, rules, hosts, instances, memory.part.past, phases, bodies)
    if forgotten:
        await database.execute(sql.DELETE_STATES, *columns(forgotten), memory.part.past)


async def _save_transitions(
    database: Connection,
    memory: Memory,
    transitions: Sequence[AlertTransition],
    ids: dict[str, int],
    rules: RulesInForce,
    now_s: float,
) -> dict[IncidentKey, OpenIncident | None]:
    """Keep what happened, and the incidents that it is part of; what is open is different then."""
    wanted = needed(transitions, memory.open)
    numbers = [row["id"] for row in await database.fetch(sql.INCIDENT_IDS, wanted)] if wanted else []
    tags = {host: sorted(memory.tags.get(host, ())) for host in {transition.host for transition in transitions}}
    incidents, changed = incidents_after(transitions, memory.open, numbers, rules.set.rules, tags)
    past = memory.part.past
    await database.execute(
        sql.SAVE_INCIDENTS,
        [row.id for row in incidents],
        [row.rule for row in incidents],
        [row.host for row in incidents],
        [ids.get(row.host) for row in incidents],
        [row.instance for row in incidents],
        past,
        [row.opened_s for row in incidents],
        [row.closed_s for row in incidents],
        [row.level for row in incidents],
        now_s,
        [msgspec.json.encode(row.facts).decode() for row in incidents],
    )
    rows = []
    for record, transition in zip(await database.fetch(sql.TRANSITION_IDS, len(transitions)), transitions, strict=True):
        transition.id, transition.past = record["id"], past
        rows.append(
            (
                transition.id,
                datetime.fromtimestamp(transition.time, UTC),
                ids.get(transition.host),
                transition.rule,
                transition.instance,
                transition.kind,
                msgspec.json.encode(transition).decode(),
                transition.incident,
            )
        )
    await database.execute(sql.INSERT_TRANSITIONS, *columns(rows))
    steps = [(transition.incident, step_of(transition)) for transition in transitions]
    await database.execute(
        sql.ADD_STEPS,
        [incident for incident, _ in steps],
        [step.at for _, step in steps],
        [step.kind for _, step in steps],
        [msgspec.json.encode(step).decode() for _, step in steps],
    )
    return changed


async def forget_old(database: Connection, memory: Memory, before_ms: int) -> None:
    """Drop states that are ok and whose last value is older than anything that can still arrive."""
    for record in await database.fetch(sql.FORGET_STATES, before_ms, memory.part.past):
        mine = memory.states.get(record["host"], {})
        mine.pop((record["rule_id"], record["instance"]), None)


def columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
