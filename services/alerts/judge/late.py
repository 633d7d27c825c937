"""What came late: the lane of samples that an agent could not send in time, judged by a machine of its own.

It says nothing of now. An alert found in it is an incident of the past, which ends with what came late if not before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping

from nats.aio.client import Client

from infra.bus.ordered import ordered
from infra.storage.database import Connection, StaleIds
from schemas.messages import Batch
from schemas.subjects import BACKFILL
from services.alerts.judge.axis import Judged
from services.alerts.judge.judging import Judging, judge_messages, parts, reload, save, some
from services.alerts.judge.loop import RULES_EVERY_S, Senses, open_judging
from services.alerts.judge.memory import Advance, Memory, Part, ended, remember
from services.alerts.judge.refill import refill
from services.alerts.judge.store import check_hosts, load_memory

logger = logging.getLogger(__name__)

QUIET_S = 20.0
"""A host that has sent nothing late for so long has sent all of it."""


async def judge_late(client: Client, database: Connection, stop: asyncio.Event, senses: Senses) -> None:
    """Judge what arrives late until `stop` is set."""
    while not stop.is_set():
        try:
            await _judge_on(client, database, stop, senses)
        except StaleIds as reason:
            logger.info("session restarted", extra={"reason": f"{type(reason).__name__}: {reason}"})


async def _judge_on(client: Client, database: Connection, stop: asyncio.Event, senses: Senses) -> None:
    memory = await load_memory(database, Part(past=True))
    heard_s = dict.fromkeys(memory.states, time.monotonic())

    def heard(batch: Batch, _: Judged) -> Mapping[str, float]:
        heard_s[batch.host] = time.monotonic()
        return {}

    judging = await open_judging(database, memory, BACKFILL.name, "backfill", senses, heard)
    reloaded_s = time.monotonic()
    await refill(client, judging)
    heard_s |= dict.fromkeys(memory.looking, time.monotonic())
    async with ordered(client, BACKFILL.name, judging.position) as pull:
        while not stop.is_set():
            messages = await some(pull)
            if senses.late_changed.is_set() or time.monotonic() - reloaded_s > RULES_EVERY_S:
                # Not with each message: a fleet that comes back sends thousands, and its hosts are as many.
                senses.late_changed.clear()
                reloaded_s = time.monotonic()
                await check_hosts(database, memory)
                await reload(judging)
            for part in parts(messages):
                await judge_messages(judging, part)
            over = [host for host, at_s in heard_s.items() if time.monotonic() - at_s > QUIET_S]
            if over and not messages:
                await _end(judging, over)
                for host in over:
                    del heard_s[host]
                    memory.looking.pop(host, None)
                    judging.axis.forget(host)


async def _end(judging: Judging, hosts: list[str]) -> None:
    """End what is still on where what came late ends, and forget all of it."""
    advance = ends_of(judging.memory, hosts)
    remember(judging.memory, advance.changed)
    await save(judging, advance)


def ends_of(memory: Memory, hosts: Iterable[str]) -> Advance:
    """The end of everything that is known of `hosts`. Pure."""
    advance = Advance()
    for host in hosts:
        for (rule_id, instance), state in memory.states.get(host, {}).items():
            advance.changed.setdefault(host, {})[rule_id, instance] = None
            subject = memory.subjects[rule_id]
            transition = ended(subject, (host, rule_id, instance), state, state.last_ms, memory.part)
            if transition is not None:
                advance.transitions.append(transition)
    return advance
