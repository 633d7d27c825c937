"""Waiting for whatever comes first, and working through outages of the database."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from infra.bus.backoff import Backoff
from infra.storage.database import DATABASE_TRANSIENT

logger = logging.getLogger(__name__)


async def wait_for_any(wait_s: float, *events: asyncio.Event) -> None:
    """Until one of `events` is set, at most `wait_s`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s), asyncio.TaskGroup() as group:
            waiting = [group.create_task(event.wait()) for event in events]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()


async def through_outages(
    work: Callable[[Callable[[], None]], Awaitable[None]], stop: asyncio.Event, part: str
) -> None:
    """Run `work` again, with back-off, whenever the database fails it, until `stop` is set.

    `work` is given what it calls once the database serves it; `part` is what the log calls it when that ends.
    """
    backoff = Backoff(0.25, 15)
    while not stop.is_set():
        try:
            await work(backoff.reset)
        except DATABASE_TRANSIENT as fault:
            wait_s = backoff.next_s()
            extra = {"part": part, "error": f"{type(fault).__name__}: {fault}"[:300]}
            logger.warning("alerting interrupted, will retry", extra=extra)
            await wait_for_any(wait_s, stop)
