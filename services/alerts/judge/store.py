"""States and rules read from tables, and the transaction that advances everything together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from infra.storage.database import Connection, StaleIds, ensure_hosts
from infra.storage.positions import forget_marks, save_marks, save_position
from infra.storage.removed import hold_generation
from infra.storage.stored import read_settings
from schemas.messages import AlertTransition
from schemas.rules import InvalidFields, Rule
from schemas.settings import StoredSettings
from schemas.subjects import METRICS
from services.alerts import sql
from services.alerts.judge.memory import Advance, Memory, Row, RulesInForce, Subject, row_of
from services.alerts.judge.ruleset import RuleSet, compile_rule

logger = logging.getLogger(__name__)

CONSUMER = "alerts"


async def load_memory(database: Connection) -> Memory:
    """The states of all hosts that are judged: not those of archived ones. What cannot be read begins anew."""
    generation = await database.fetchval(sql.GENERATION)  # before the states: who is removed meanwhile is noticed
    hosts = {row["name"]: row["id"] for row in await database.fetch(sql.HOSTS)}
    memory = Memory({}, {}, generation, hosts)
    for record in await database.fetch(sql.STATES):
        try:
            row = msgspec.json.decode(record["body"], type=Row)
        except msgspec.MsgspecError as fault:
            keys = {"host": record["host"], "rule": record["rule_id"], "instance": record["instance"]}
            logger.error("stored alert state invalid, skipped", extra={**keys, "error": str(fault)})
            continue
        memory.states.setdefault(record["host"], {})[record["rule_id"], record["instance"]] = row.machine
        memory.subjects[record["rule_id"]] = Subject(row.rule_name, row.metric)
    return memory


async def check_hosts(database: Connection, memory: Memory) -> None:
    """Raise StaleIds when hosts were removed since `memory` was read."""
    if await database.fetchval(sql.GENERATION) != memory.generation:
        raise StaleIds("a host was removed, or instances were forgotten, since they were read")


async def load_rules(database: Connection, present: RulesInForce | None = None) -> RulesInForce | None:
    """The rules in the table; None when they are those of `present`. What is not in force is logged when it is news."""
    bodies: dict[str, str] = {record["id"]: record["body"] for record in await database.fetch(sql.RULES)}
    if present is not None and present.bodies == bodies:
        return None
    readable: list[Rule] = []
    unreadable: set[str] = set()
    known = present.bodies if present is not None else {}
    for rule_id, body in bodies.items():
        try:
            rule = msgspec.json.decode(body, type=Rule)
            compile_rule(rule)
        except (msgspec.MsgspecError, InvalidFields) as fault:
            if isinstance(fault, msgspec.MsgspecError):
                unreadable.add(rule_id)
            if known.get(rule_id) != body:
                logger.error("invalid rule skipped", extra={"rule": rule_id, "reason": str(fault)})
        else:
            readable.append(rule)
    return RulesInForce(RuleSet(readable), bodies, frozenset(unreadable))


async def commit(database: Connection, memory: Memory, advance: Advance, stored: StoredSettings) -> None:
    """Write `advance` in one transaction; its transitions get their numbers.

    Raises StaleIds when `memory` may hold states of hosts that were removed since it was read: it must be read again.
    """
    async with database.transaction():
        if not advance.transitions:
            # A lost tail of such transactions is evaluated again from the position that was lost with it, with the
            # same result and nothing said twice, so it need not wait for the disk.
            await database.execute("SET LOCAL synchronous_commit = off")
        if await hold_generation(database) != memory.generation:
            raise StaleIds("a host was removed, or instances were forgotten, since they were read")
        # Only what a host itself sent may bring it into being; judging one that was deleted meanwhile may not.
        ids = await ensure_hosts(database, (lane[0] for lane in advance.marks))
        others = {*advance.changed, *(transition.host for transition in advance.transitions)} - ids.keys()
        ids.update({record["name"]: record["id"] for record in await database.fetch(sql.HOST_IDS, list(others))})
        if not others <= ids.keys() or any(memory.hosts.get(host, number) != number for host, number in ids.items()):
            raise StaleIds("a host is no longer there, or another one has its name")
        await _save_states(database, memory, advance, ids)
        if advance.transitions:
            await _save_transitions(database, advance.transitions, ids, stored)
        if advance.marks:
            await save_marks(database, CONSUMER, advance.marks, ids)
            await forget_marks(database, CONSUMER, advance.forgotten_marks, ids)
        if advance.position is not None:
            await save_position(database, CONSUMER, METRICS.name, advance.position)
    memory.hosts.update(ids)


async def _save_states(database: Connection, memory: Memory, advance: Advance, ids: dict[str, int]) -> None:
    kept: list[tuple[str, int, str, str, str]] = []
    forgotten: list[tuple[str, int, str]] = []
    for host in advance.changed:
        for (rule_id, instance), state in advance.changed[host].items():
            if state is None:
                forgotten.append((rule_id, ids[host], instance))
            else:
                body = msgspec.json.encode(row_of(memory.subjects[rule_id], state)).decode()
                kept.append((rule_id, ids[host], instance, state.phase, body))
    if kept:
        await database.execute(sql.UPSERT_STATES, *_columns(kept))
    if forgotten:
        await database.execute(sql.DELETE_STATES, *_columns(forgotten))


async def _save_transitions(
    database: Connection, transitions: Sequence[AlertTransition], ids: dict[str, int], stored: StoredSettings
) -> None:
    numbers = await database.fetch(sql.TRANSITION_IDS, len(transitions))
    rows = []
    for record, transition in zip(numbers, transitions, strict=True):
        transition.id = record["id"]
        at = datetime.fromtimestamp(transition.time, UTC)
        body = msgspec.json.encode(transition).decode()
        rows.append(
            (transition.id, at, ids[transition.host], transition.rule, transition.instance, transition.kind, body)
        )
    await database.execute(sql.INSERT_TRANSITIONS, *_columns(rows))
    settings = await read_settings(database, stored)
    channels = ["bus", "slack"] if settings.slack_webhook_url else ["bus"]
    await database.execute(sql.INSERT_OUTBOX, [transition.id for transition in transitions], channels)


async def forget_old(database: Connection, memory: Memory, before_ms: int) -> None:
    """Drop states that are ok and whose last value is older than anything that can still arrive."""
    for record in await database.fetch(sql.FORGET_STATES, before_ms):
        mine = memory.states.get(record["host"], {})
        mine.pop((record["rule_id"], record["instance"]), None)


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
