"""Waiting for a condition, with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

from infra.storage.database import connection

T = TypeVar("T")


@overload
async def eventually(
    condition: Callable[[], Coroutine[Any, Any, T]], within_s: float = ..., every_s: float = ...
) -> T: ...
@overload
async def eventually(condition: Callable[[], T], within_s: float = ..., every_s: float = ...) -> T: ...
async def eventually(condition: Callable[[], Any], within_s: float = 30, every_s: float = 0.02) -> Any:
    """The first truthy value of `condition()`, which may be async; AssertionError when there is none `within_s`.

    An AssertionError of the condition itself counts as not yet, and is what is shown when time is up.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            value = condition()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return value
            failure = f"still {value!r}"
        except AssertionError as error:
            failure = str(error)
        if time.monotonic() > deadline:
            asked = inspect.getsource(getattr(condition, "func", condition)).strip()
            raise AssertionError(f"not within {within_s:g} s: {asked}: {failure}")
        await asyncio.sleep(every_s)


async def lock_awaited(url: str) -> bool:
    """Whether somebody waits for a lock in the database at `url`; others of its server belong to other tests.

    Asked on a connection of its own: within a transaction the answer stays what it was first.
    """
    async with connection(url, "watcher") as database:
        return bool(
            await database.fetchval(
                "SELECT EXISTS (SELECT FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database())"
            )
        )
