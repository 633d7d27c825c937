"""Waiting for whatever comes first."""

from __future__ import annotations

import asyncio
import contextlib


async def wait_for_any(wait_s: float, *events: asyncio.Event) -> None:
    """Until one of `events` is set, at most `wait_s`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s), asyncio.TaskGroup() as group:
            waiting = [group.create_task(event.wait()) for event in events]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
