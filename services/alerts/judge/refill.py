"""What windows held before a restart, read again from the stream beside judging, which hardly waits for it.

A window that is not full yet has no value, so until this is done alerts about windows stay as they are, while all
others are judged. The past of each host gets a time axis of its own: whether its clock was set back is found anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from msgspec import Struct, field
from nats.aio.client import Client

from infra.bus.connection import first_fault
from infra.bus.ordered import Position, StoredMessage, ordered
from infra.storage.positions import MarkKey
from schemas.codec import Poison, times_ms
from services.alerts.judge.axis import Axis
from services.alerts.judge.evaluate import Looking, feed
from services.alerts.judge.judging import BREATH_MESSAGES, Judging, forget_windows, is_of_removed, read
from services.alerts.judge.memory import Memory
from services.alerts.judge.windows import SlidingWindow

logger = logging.getLogger(__name__)

FIRST_S = 5.0
"""Judging waits so long for windows that are soon full: after a restart of a small fleet nothing is missing."""
BEFORE_WINDOW_S = 180.0
WAIT_S = 1.0


class Past(Struct):
    """Where reading again is."""

    axis: Axis = field(default_factory=Axis)
    marks: dict[MarkKey, int] = field(default_factory=dict)
    messages: int = 0


@contextlib.asynccontextmanager
async def refilling(client: Client, judging: Judging) -> AsyncIterator[None]:
    """Fill the windows while the body judges on from the position of `judging`."""
    if judging.filled:
        yield
        return
    try:
        async with asyncio.TaskGroup() as group:
            filling = group.create_task(refill(client, judging))
            await asyncio.wait({filling}, timeout=FIRST_S)
            yield
            filling.cancel()
    except BaseExceptionGroup as faults:
        raise first_fault(faults) from None


async def refill(client: Client, judging: Judging) -> None:
    """Fill the windows with what was judged before the position that `judging` begins at."""
    until, earlier_s = judging.position, longest_window_s(judging)
    if not until.seq or not earlier_s:
        judging.filled = True
        return
    started_s = time.perf_counter()
    past = Past()
    async with ordered(client, judging.stream, until, earlier_s) as pull:
        left = pull.pending
        while left > 0:
            messages = await pull.next(WAIT_S)
            for first in range(0, len(messages), BREATH_MESSAGES):
                remember_again(judging, past, messages[first : first + BREATH_MESSAGES], until)
                await asyncio.sleep(0)
            left -= len(messages)
            if messages and _is_later(messages[-1], until):
                break
    join(judging.memory, judging.axis, past.axis)
    judging.filled = True
    ms = round((time.perf_counter() - started_s) * 1000, 1)
    logger.info("windows filled again", extra={"stream": judging.stream, "messages": past.messages, "ms": ms})


def take_over(judging: Judging, before: Judging) -> None:
    """Keep the windows of the session `before`, which ended between two messages as hosts were removed."""
    if not before.filled or judging.position != before.position:
        return
    hosts = judging.memory.hosts
    for host, number in before.memory.hosts.items():
        if hosts.get(host) != number:
            before.memory.looking.pop(host, None)
            before.axis.forget(host)
    judging.memory.looking, judging.axis = before.memory.looking, before.axis
    forget_windows(judging.memory, before.rules, judging.rules)
    judging.filled = True


def longest_window_s(judging: Judging) -> float:
    """How far back values matter to the rules in force: a window, and the batch with the last value before it."""
    windows = [rule.window for rule in judging.rules.set.rules.values()]
    longest_s = max((window.seconds for window in windows if window.function != "time_left"), default=0)
    return longest_s + BEFORE_WINDOW_S if longest_s else 0


def remember_again(judging: Judging, past: Past, messages: list[StoredMessage], until: Position) -> None:
    """Put the batches in `messages` up to `until` into windows of the past."""
    for message in messages:
        if _is_later(message, until):
            return
        past.messages += 1
        if is_of_removed(judging.removed, message):
            continue
        try:
            batch = read(message, judging.lane)
        except Poison:
            continue
        lane = (batch.host, batch.lane, batch.epoch)
        if batch.seq <= past.marks.get(lane, 0):
            continue
        past.marks[lane] = batch.seq
        times = past.axis.judge(batch.host, times_ms(batch.times), message.time_ns // 1_000_000).times
        looking = judging.memory.earlier.setdefault(batch.host, Looking())
        feed(judging.rules.set.of(batch.host), batch, times, looking)


def _is_later(message: StoredMessage, until: Position) -> bool:
    """By number, or by time where a stream that lost its tail gave numbers again."""
    return message.seq > until.seq or message.time_ns > until.time_ns


def join(memory: Memory, axis: Axis, past: Axis) -> None:
    """Put what was read again before what was judged meanwhile; `axis` and `past` are where the times of both are."""
    for host, earlier in memory.earlier.items():
        later = memory.looking.get(host)
        if later is None:
            axis.follow(host, past)
            later = memory.looking[host] = Looking()
        later_ms = axis.shift_ms(host) - past.shift_ms(host)
        for key, window in earlier.windows.items():
            if not isinstance(window, SlidingWindow):
                continue  # trends are given what is stored
            own = later.windows.get(key)
            if own is None:
                own = later.windows[key] = window.empty()
            if isinstance(own, SlidingWindow):
                own.precede(window, later_ms)
    memory.earlier = {}
