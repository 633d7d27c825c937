"""The chain that tells people on a real database and a real HTTP server: incidents as the judge leaves them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from infra.outbound import outbound
from infra.storage import database
from infra.storage.database import Connection
from schemas.channels import Channel, Slack
from schemas.incidents import Acknowledged, Ending, Facts
from schemas.messages import Severity
from schemas.routes import Route, Silence
from schemas.rules import Rule
from services.alerts import sql
from services.alerts.deliver.sending import sender
from services.alerts.telling.chain import Telling, tell
from tests.alerts.builders import BUSY
from tests.alerts.slack_server import SlackServer, slack_server
from tests.waiting import eventually

PUT_CHANNEL = """
INSERT INTO channels (id, body) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, version = channels.version + 1
"""
PUT_ROUTE = """
INSERT INTO routes (id, body) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, version = routes.version + 1
"""


class Desk:
    """Database, sink, and what a test does to both. Nothing tells anybody but within `telling`."""

    def __init__(self, url: str, connection: Connection, sink: SlackServer) -> None:
        self.url = url
        self.database = connection
        self.sink = sink
        self.wake = asyncio.Event()
        self.delays_s: deque[float] = deque(maxlen=100)
        self.catching_up_s: float | None = None

    async def channel(self, id: str = "slack", **changes: Any) -> None:
        """Make or change a channel that leads to the sink."""
        stored = msgspec.structs.replace(Channel(id, id.capitalize(), Slack(self.sink.url)), **changes)
        await self._put(PUT_CHANNEL, id, stored)

    async def route(self, route: Route) -> None:
        await self._put(PUT_ROUTE, route.id, route)

    async def _put(self, statement: str, id: str, body: Channel | Route) -> None:
        await self.database.execute(statement, id, msgspec.json.encode(body).decode())
        self.wake.set()

    async def silence(self, silence: Silence) -> None:
        await self.database.execute(
            "INSERT INTO silences (starts, ends, body, by) VALUES (to_timestamp($1), to_timestamp($2), $3, 'ann')",
            silence.starts,
            silence.ends,
            msgspec.json.encode(silence).decode(),
        )
        self.wake.set()

    async def fire(
        self,
        host: str = "web-1",
        level: int = 2,
        *,
        rule: Rule = BUSY,
        number: int | None = None,
        ending: Ending | None = None,
        changed: float | None = None,
        past: bool = False,
    ) -> int:
        """An incident as it is now; that called `number` when given. Level 0 is its end."""
        now_s = time.time()
        if number is None:
            number = await self.database.fetchval(
                sql.INCIDENT_IDS.replace("generate_series(1, $1)", "generate_series(1, 1)")
            )
        severity: Severity = "critical" if level == 2 else "warning"
        facts = Facts(
            rule.name, rule.metric, "%", severity, severity, 95.0, 90.0, now_s, changed or now_s,
            ending=ending or (None if level else "resolve"), rule=rule,
        )  # fmt: skip
        await self.database.execute(
            sql.SAVE_INCIDENTS, [number], [rule.id], [host], [None], [""], past, [now_s], [None if level else now_s],
            [level], now_s, [msgspec.json.encode(facts).decode()],
        )  # fmt: skip
        self.wake.set()
        return number

    async def end(self, number: int, host: str = "web-1", ending: Ending = "resolve", **changes: Any) -> None:
        await self.fire(host, 0, number=number, ending=ending, **changes)

    async def acknowledge(self, number: int, seen: Acknowledged | None) -> None:
        body = None if seen is None else msgspec.json.encode(seen).decode()
        await self.database.execute("UPDATE incidents SET acknowledged = $2 WHERE id = $1", number, body)
        self.wake.set()

    async def settled(self, number: int) -> None:
        """Wait until nobody has to hear any more of an incident."""

        async def is_settled() -> bool:
            return bool(await self.database.fetchval("SELECT settled FROM incidents WHERE id = $1", number))

        await eventually(is_settled)

    async def statuses(self) -> list[str]:
        rows = await self.database.fetch("SELECT status FROM notifications ORDER BY id")
        return [row["status"] for row in rows]

    async def until_status(self, *statuses: str) -> None:
        async def reached() -> bool:
            assert await self.statuses() == list(statuses)
            return True

        await eventually(reached)

    async def posts(self, number: int) -> list[dict[str, Any]]:
        """What the sink got once there is so much of it."""
        await eventually(lambda: len(self.sink.posts) >= number)
        return self.sink.posts

    async def steps(self, number: int) -> list[tuple[str, str]]:
        """Kind and text of what was decided about an incident."""
        rows = await self.database.fetch(
            "SELECT kind, body FROM incident_steps WHERE incident_id = $1 ORDER BY id", number
        )
        return [(row["kind"], msgspec.json.decode(row["body"])["text"]) for row in rows]


@asynccontextmanager
async def desk(database_url: str, slack_pace_s: float = 0) -> AsyncIterator[Desk]:
    """A database without rules, channels and incidents, and a sink that takes one message in `slack_pace_s`."""
    async with slack_server(slack_pace_s) as sink, database.connection(database_url, "desk") as connection:
        yield Desk(database_url, connection, sink)


@asynccontextmanager
async def telling(at: Desk, clock: Callable[[], float] | None = None, pace_s: float = 0.01) -> AsyncIterator[None]:
    """The chain at work; on leaving it is asked to end and must do so by itself."""
    stop = asyncio.Event()
    async with outbound(True) as http, asyncio.TaskGroup() as group:
        made = Telling(sender(http), pace_s, at.wake, lambda: at.catching_up_s, at.delays_s)
        if clock is not None:
            made.clock = clock
        group.create_task(tell(made, at.url, stop))
        yield
        stop.set()
