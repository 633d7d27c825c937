"""Sources that are read off the tick, because reading them is slow or may hang."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from agent.collectors.readings import Reading
from agent.system.worker import Worker


class Source(Protocol):
    """One family read off the tick."""

    async def collect(self) -> Reading | None:
        """Read it now; None where this machine has nothing of the kind. Raises what costs this family alone."""

    def close(self) -> None:
        """Let go of threads and connections; called once, when it is read no more."""


class InThread:
    """Reads in a thread of its own. While a call that missed its deadline has not returned, none is made."""

    def __init__(self, name: str, read: Callable[[], Reading | None], deadline_s: float = 5.0) -> None:
        self._read = read
        self._deadline_s = deadline_s
        self._worker = Worker(name)

    async def collect(self) -> Reading | None:
        """See `Source`. Raises TimeoutError."""
        if self._worker.busy:
            raise TimeoutError("the call before has not returned yet")
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._worker.run(self._read)
        except TimeoutError:
            raise TimeoutError(f"no answer within {self._deadline_s:g} s") from None

    def close(self) -> None:
        self._worker.close()
