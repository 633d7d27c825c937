"""Incidents and events of the past: kept by the alert service's own transaction, and as the gateway notes events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

from demo import sql
from demo.facts import BEFORE, KERNELS
from demo.judged import STEP_S, Past, judge, silences
from demo.machines import Machine
from demo.stories import reboot_s
from infra.clock import to_time
from infra.storage.database import Connection
from schemas.version import VERSION
from services.alerts.judge.memory import Advance, Part, adopt_rules
from services.alerts.judge.store import commit, load_memory, load_rules

JUDGED_HOSTS = 100
"""The others have no stories, and the past of thousands would take minutes."""


async def write_incidents(database: Connection, fleet: Sequence[Machine], from_s: int, until_s: int) -> int:
    """Judge the past of the hosts, which are in the tables; how many transitions there were."""
    rules = await load_rules(database, {})
    if rules is None:
        return 0
    memory = await load_memory(database, Part())
    adopt_rules(memory, rules)
    rules.set.set_tags(memory.tags)
    from_s = -(-from_s // STEP_S) * STEP_S
    pasts: dict[str, Past] = {}
    for machine in fleet[:JUDGED_HOSTS]:
        of_host = rules.set.of(machine.name)
        pasts[machine.name] = await asyncio.to_thread(judge, machine, of_host, from_s, until_s)
    transitions = sorted((one for past in pasts.values() for one in past.transitions), key=lambda one: one.time)
    advance = Advance(changed={host: dict(past.states) for host, past in pasts.items()}, transitions=transitions)
    await commit(database, memory, advance, rules, time.time())
    await database.execute(sql.NOTICED_THEN)
    return len(transitions)


async def write_events(
    database: Connection, fleet: Sequence[Machine], ids: dict[str, int], from_s: int, until_s: int
) -> None:
    """Reboots, updates and times away, for the marks on charts."""
    rows: list[tuple[int, int, int | None, str, str | None, str]] = []
    for machine in fleet[:JUDGED_HOSTS]:
        host, booted_s = ids[machine.name], reboot_s(machine)
        if from_s < booted_s < until_s:
            rows.append((host, booted_s, None, "reboot", str(booted_s), json.dumps({"kernel": KERNELS})))
        updated_s = until_s - 86_400 - 300 * machine.number
        if machine.story not in ("silent", "updating") and updated_s > from_s:
            rows.append((host, updated_s, None, "update", None, json.dumps({"from": BEFORE, "to": VERSION})))
        for gone_s, back_s in silences(machine, from_s, until_s):
            rows.append((host, gone_s, back_s if back_s < until_s else None, "away", None, "{}"))
    if rows:
        hosts, begun, ended, kinds, keys, bodies = zip(*rows, strict=True)
        times = [[None if at is None else to_time(1000 * at) for at in column] for column in (begun, ended)]
        await database.execute(sql.ADD_EVENTS, list(hosts), *times, list(kinds), list(keys), list(bodies))
