"""The chain killed and cut off from its database at any moment: what is told stays what it would have been.

Only a message that was on its way when the process died, and whose answer nobody saw, may be told twice.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from infra.storage import database
from infra.storage.database import Connection
from schemas.routes import Route
from tests.alerts.slack_server import Reply
from tests.alerts.telling.desk import Desk, desk, telling
from tests.waiting import eventually

CODE = """
import asyncio, collections
from infra.outbound import outbound
from services.alerts.deliver.sending import sender
from services.alerts.telling.chain import Telling, tell

async def run():
    async with outbound(True) as http:
        wake = asyncio.Event()
        made = Telling(sender(http), 0.01, wake, lambda: None, collections.deque(maxlen=10))
        await tell(made, {url!r}, asyncio.Event())

asyncio.run(run())
"""
CUT = """
SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'sonde alerts telling'
"""
ALL = Route("all", "All", ["slack"], group_by="host and rule", group_wait_s=0, group_interval_s=0, repeat_s=0)


@asynccontextmanager
async def telling_until_killed(at: Desk) -> AsyncIterator[None]:
    """The chain in a process of its own, which gets a SIGKILL on leaving."""
    code = CODE.format(url=at.url)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=Path(__file__).parents[3])
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def items(at: Desk, status: str) -> list[tuple[int, str]]:
    """Incident and kind of all that is in messages of that status."""
    rows = await at.database.fetch(
        "SELECT i.incident_id, i.kind FROM notification_items i JOIN notifications n ON n.id = i.notification_id "
        "WHERE n.status = $1 ORDER BY 1, 2",
        status,
    )
    return [(row["incident_id"], row["kind"]) for row in rows]


@pytest.mark.parametrize("seed", range(3))
async def test_being_killed_at_any_moment_repeats_only_what_had_no_answer(database_url: str, seed: int) -> None:
    rng = random.Random(seed)
    async with desk(database_url) as at:
        await at.channel()
        await at.route(ALL)
        at.sink.script.extend(Reply(after_s=rng.choice([0, 0, 0.2])) for _ in range(40))
        numbers: list[int] = []
        for turn in range(5):
            async with telling_until_killed(at):
                numbers.append(await at.fire(f"web-{turn}", level=1))
                if turn and rng.random() < 0.5:
                    await at.fire(f"web-{turn - 1}", level=2, number=numbers[turn - 1])
                before = len(at.sink.posts)
                moment = rng.choice(["begun", "posted", "kept"])
                if moment == "begun":
                    await eventually(partial(_any_of, at, "sending", "sent"))
                elif moment == "posted":
                    await eventually(partial(_has_more_posts, at, before))
                else:
                    await eventually(partial(_is_told, at, numbers[-1]))
        async with telling(at):
            for number in numbers:
                await eventually(partial(_is_told, at, number))
            for turn, number in enumerate(numbers):
                await at.end(number, f"web-{turn}")
            for number in numbers:
                await at.settled(number)
        sent = await items(at, "sent")
        unknown = await items(at, "unknown")
        assert sorted(number for number, kind in sent if kind == "fire") == numbers
        assert sorted(number for number, kind in sent if kind == "resolve") == numbers
        assert len(sent) == len(set(sent))
        assert len(sent) <= len(at.sink.posts) <= len(sent) + len(unknown)
        assert not await items(at, "sending")


async def test_losing_the_database_again_and_again_repeats_nothing(database_url: str) -> None:
    async with desk(database_url) as at:
        await at.channel()
        await at.route(ALL)
        at.sink.script.extend(Reply(after_s=0.1) for _ in range(50))
        async with telling(at), database.connection(at.url, "cutting") as other, asyncio.TaskGroup() as group:
            group.create_task(_cut(other))
            numbers = [await at.fire(f"web-{turn}", level=1) for turn in range(8)]
            for number in numbers:
                await eventually(partial(_is_told, at, number), within_s=60)
        assert len(at.sink.posts) == len(numbers)
        assert sorted(number for number, _ in await items(at, "sent")) == numbers


async def _any_of(at: Desk, *statuses: str) -> bool:
    return any(status in statuses for status in await at.statuses())


async def _is_told(at: Desk, number: int) -> bool:
    query = "SELECT level > 0 AND NOT unsure FROM told WHERE incident_id = $1"
    return bool(await at.database.fetchval(query, number))


def _has_more_posts(at: Desk, than: int) -> bool:
    return len(at.sink.posts) > than


async def _cut(other: Connection) -> None:
    """End the chain's session six times, each a random moment after it has begun."""
    rng = random.Random(1)
    for _ in range(6):
        await asyncio.sleep(rng.uniform(0, 0.5))
        await eventually(partial(other.fetchval, CUT), within_s=60)
