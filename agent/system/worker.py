"""A thread for calls that may hang, which never holds up the loop or the end of the process.

The standard pool joins its threads when the interpreter ends, so one dead mount would keep the agent from stopping.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """One daemon thread that makes one call at a time, in the order of submission. The thread starts with the first."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]] | None]
        self._calls = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._waiting = 0

    @property
    def busy(self) -> bool:
        """True until every submitted call has returned, waited for or not."""
        return self._waiting > 0

    def submit(self, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Call `function(*args)` in the thread. Cancelling the future abandons the result, not the call."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        self._calls.put((function, args, future))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        return future

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        return await self.submit(function, *args)

    def close(self) -> None:
        """Let the thread end once its calls have returned; does not wait for it."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            function, args, future = call
            result, fault = None, None
            try:
                result = function(*args)
            except BaseException as error:  # handed to whoever waits
                fault = error
            with contextlib.suppress(RuntimeError):  # the loop ended before the call did: nobody waits any more
                future.get_loop().call_soon_threadsafe(self._finish, future, result, fault)
            del call, function, args, future, result, fault

    def _finish(self, future: asyncio.Future[Any], result: Any, fault: BaseException | None) -> None:
        self._waiting -= 1
        if future.cancelled():
            return
        if fault is None:
            future.set_result(result)
        else:
            future.set_exception(fault)
