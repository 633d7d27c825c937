"""The process of one rehearsal: an order on its standard input, how it goes on its standard output.

Its own, so that nothing it does delays an alert: it gives way to every other process, may take only so much memory, and
is killed when nobody wants to know any more. It ends by itself when its standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time

import asyncpg
import msgspec
from msgspec import Struct

from infra.storage.database import DATABASE_TRANSIENT
from schemas.rehearsals import Outcome, Rehearsal, RehearsalOrder
from schemas.rules import InvalidFields
from services.alerts.rehearsal.perform import perform

MEMORY_BYTES = 2**30
"""Of addresses, of which the interpreter with its libraries takes a third."""
TELL_EVERY_S = 0.25
NICE = 5


class Task(Struct):
    """The first line of the input, as JSON."""

    database_url: str
    order: RehearsalOrder
    most_s: float


def main() -> int:
    """Run the one task that the input names; returns the exit status."""
    _stay_small()
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    asyncio.run(_run(task))
    return 0


def _stay_small() -> None:
    with contextlib.suppress(OSError, AttributeError):  # not every system has it
        os.nice(NICE)
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


async def _run(task: Task) -> None:
    told_s = 0.0

    def tell(progress: float) -> None:
        nonlocal told_s
        if time.monotonic() - told_s > TELL_EVERY_S:
            told_s = time.monotonic()
            _say(Rehearsal(task.order.id, "running", round(progress, 4)))

    with contextlib.suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_orphaned(asyncio.current_task()))
            tell(0)
            _say(await _outcome(task, tell))
            watching.cancel()


async def _outcome(task: Task, tell: object) -> Rehearsal:
    assert callable(tell)  # noqa: S101
    try:
        outcome: Outcome = await perform(task.database_url, task.order, task.most_s, tell)
    except InvalidFields as fault:
        return _failed(task, str(fault))
    except MemoryError:
        return _failed(task, "it needs more memory than it may have; narrow the rule's hosts, or ask for fewer days")
    except asyncpg.QueryCanceledError:
        return _failed(task, "the database took longer than 20 s for one host; ask for fewer days, or try again later")
    except DATABASE_TRANSIENT as fault:
        return _failed(task, f"the database did not answer ({type(fault).__name__}); try again later")
    return Rehearsal(task.order.id, "done", 1, outcome=outcome)


def _failed(task: Task, reason: str) -> Rehearsal:
    return Rehearsal(task.order.id, "failed", reason=reason[:500])


def _say(rehearsal: Rehearsal) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(rehearsal) + b"\n")
    sys.stdout.buffer.flush()


async def _orphaned(work: asyncio.Task[None] | None) -> None:
    """Cancel `work` when whoever started this process is gone."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        await reader.read()
        if work is not None:
            work.cancel()
    finally:
        transport.close()


if __name__ == "__main__":
    sys.exit(main())
