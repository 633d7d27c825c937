"""Passwords: Argon2id in two threads, behind a queue of bounded length.

Whoever tries a name that nobody has waits as long as with one that somebody has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.gateway.http.problems import unavailable

AT_ONCE = 2
MOST_WAITING = 16
HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
"""About 60 ms and 32 MiB each; RFC 9106 names three passes."""
NOBODYS = "$argon2id$v=19$m=32768,t=3,p=1$nyYROFDm9zpRSzHUVmfNJg$KYxDyiAx4jTWfA/UwR9uNiNrpVtEL4/UZmxTTBV76JE"
"""What is compared with where there is no password: made as the others are, of nothing that anybody knows."""

T = TypeVar("T")


class Hashing:
    """The threads, and how many wait for one."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "password")
        self._waiting = 0
        self.refused = 0
        """Asked while too many waited."""

    async def fits(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one of which `stored` was made; never, yet no sooner, where nothing is stored.

        Raises ProblemError 503 while too many wait.
        """
        fits = await self._run(lambda: _fits(stored or NOBODYS, password))
        return fits and stored is not None

    async def hash(self, password: str) -> str:
        """What to store of `password`. Raises ProblemError 503 while too many wait."""
        return await self._run(lambda: HASHER.hash(password))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= AT_ONCE + MOST_WAITING:
            self.refused += 1
            raise unavailable("too many logins at once; try again", "/problems/busy")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads; who still waits is cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def is_stale(stored: str) -> bool:
    """Whether `stored` was made with other parameters than are used now."""
    return HASHER.check_needs_rehash(stored)


def _fits(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password.encode(errors="replace"))
    except (VerificationError, InvalidHashError):
        return False
