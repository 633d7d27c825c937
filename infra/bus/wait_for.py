"""A `wait_for` that loses no cancelling, for Python 3.11.

There, a task that is cancelled while the reply it waits for is already in takes the reply and goes on. In a group that
is ended nobody cancels it twice, so a loop that publishes would run for ever and hold up the whole session. nats-py
waits for every reply in this function. Python 3.12 mended it (python/cpython#86296), in the same way.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def wait_for(awaitable: Awaitable[T], timeout: float | None) -> T:
    """What `awaitable` returns. Raises TimeoutError after `timeout` seconds, None for never; then it is cancelled."""
    if timeout is not None and timeout <= 0:
        future = asyncio.ensure_future(awaitable)
        if future.done():
            return future.result()
        future.cancel()
        await asyncio.wait({future})
        try:
            return future.result()
        except asyncio.CancelledError as error:
            raise TimeoutError from error
    async with asyncio.timeout(timeout):
        return await awaitable


def mend_wait_for() -> None:
    """Put it in the place of the one of Python 3.11, for nats-py, which calls `asyncio.wait_for`."""
    if sys.version_info < (3, 12):
        asyncio.wait_for = wait_for  # type: ignore[assignment]
