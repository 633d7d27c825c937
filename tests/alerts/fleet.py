"""The alert service started in-process on real servers, and a fleet that publishes to it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from nats.aio.client import Client

from infra.bus import connection as bus
from infra.settings import ServerSettings
from infra.storage import database
from infra.storage.database import Connection
from schemas.channels import Channel, Slack
from schemas.messages import AlertTransition
from schemas.rules import Rule
from schemas.subjects import SETTINGS_CHANGED, metrics
from services.alerts.service import run
from tests.batches import encoded, sample
from tests.waiting import eventually


class Fleet:
    """Hosts, database and bus as a test sees them."""

    def __init__(self, client: Client, database: Connection, settings: ServerSettings) -> None:
        self.client = client
        self.database = database
        self.settings = settings
        self.start_ms = round(time.time() * 1000) - 7_200_000
        self._seq: dict[str, int] = {}

    async def rules(self, *rules: Rule) -> None:
        """Make these all the rules there are, and announce it."""
        await self.database.execute("DELETE FROM rules WHERE NOT id = ANY($1)", [rule.id for rule in rules])
        for rule in rules:
            await self.database.execute(
                """
                INSERT INTO rules (id, body) VALUES ($1, $2)
                ON CONFLICT (id) DO UPDATE SET body = excluded.body, version = rules.version + 1
                """,
                rule.id,
                msgspec.json.encode(rule).decode(),
            )
        await self.client.publish(SETTINGS_CHANGED, b'{"key":"rules","version":1}')

    async def setting(self, key: str, value: object) -> None:
        await self.database.execute(
            "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            msgspec.json.encode(value).decode(),
        )
        await self.client.publish(SETTINGS_CHANGED, msgspec.json.encode({"key": key, "version": 1}))

    async def cpu(self, values: Iterable[int | None], at_s: float, host: str = "web-1") -> int:
        """Publish a batch of cpu.total percentages, one a second from `at_s` on; its number in the stream."""
        start_ms = self.start_ms + round(at_s * 1000)
        samples = [
            sample(start_ms + 1000 * second, total=None if value is None else value * 100)
            for second, value in enumerate(values)
        ]
        seq = self._seq[host] = self._seq.get(host, 0) + 1
        return await self.send(metrics(host), encoded(*samples, host=host, seq=seq))

    async def send(self, subject: str, data: bytes) -> int:
        """Put raw bytes on the stream; their number in it."""
        ack = await self.client.jetstream().publish(subject, data)
        return ack.seq

    async def processed(self, seq: int) -> None:
        """Wait until the service has committed everything up to `seq`."""

        async def reached() -> bool:
            position = await self.database.fetchval(
                "SELECT seq FROM positions WHERE consumer = 'alerts' AND stream = 'METRICS'"
            )
            return position is not None and position >= seq

        await eventually(reached)

    async def transitions(self) -> list[AlertTransition]:
        rows = await self.database.fetch("SELECT body FROM alert_transitions ORDER BY id")
        return [msgspec.json.decode(row["body"], type=AlertTransition) for row in rows]

    async def kinds(self) -> list[str]:
        return [transition.kind for transition in await self.transitions()]

    async def until(self, *kinds: str) -> None:
        """Wait until exactly these transitions have happened, in order."""

        async def told() -> bool:
            assert await self.kinds() == list(kinds)
            return True

        await eventually(told)

    async def phases(self) -> dict[str, str]:
        """Host -> state."""
        rows = await self.database.fetch("SELECT h.name, s.state FROM alert_states s JOIN hosts h ON h.id = s.host_id")
        return {row["name"]: row["state"] for row in rows}

    async def published(self) -> None:
        """Wait until every transition is on the bus."""

        async def done() -> bool:
            left = await self.database.fetchval("SELECT count(*) FROM alert_transitions WHERE NOT published")
            return bool(left == 0)

        await eventually(done)

    async def incidents(self) -> list[tuple[str, str, bool]]:
        """Of each incident in order: host, severity, and whether it goes on."""
        rows = await self.database.fetch(
            "SELECT host, body ->> 'severity' AS severity, closed IS NULL AS open FROM incidents ORDER BY id"
        )
        return [tuple(row) for row in rows]

    async def slack(self, url: str) -> None:
        """Tell people by an incoming webhook of Slack."""
        await self.database.execute(
            "INSERT INTO channels (id, body) VALUES ('slack', $1)",
            msgspec.json.encode(Channel("slack", "Slack", Slack(url))).decode(),
        )
        await self.client.publish(SETTINGS_CHANGED, b'{"key":"channels","version":1}')

    async def on_the_bus(self) -> list[AlertTransition]:
        """What the ALERTS stream holds."""
        jetstream = self.client.jetstream()
        last = (await jetstream.stream_info("ALERTS")).state.last_seq
        stored = [await jetstream.get_msg("ALERTS", seq) for seq in range(1, last + 1)]
        return [msgspec.json.decode(message.data or b"", type=AlertTransition) for message in stored]


@asynccontextmanager
async def fleet(bus_url: str, database_url: str, rules: Sequence[Rule] = ()) -> AsyncIterator[Fleet]:
    """A fleet with `rules` and nothing running yet."""
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, outbound_private=True)
    async with bus.connection(bus_url, "fleet") as client, database.connection(database_url, "fleet") as connection:
        made = Fleet(client, connection, settings)
        await made.rules(*rules)
        yield made


@asynccontextmanager
async def serving(settings: ServerSettings, slack_pace_s: float = 0.05) -> AsyncIterator[None]:
    """The service running; on leaving it is asked to stop and must do so by itself."""
    stop = asyncio.Event()
    async with asyncio.timeout(150), asyncio.TaskGroup() as group:
        group.create_task(run(settings, stop, pace_s=slack_pace_s))
        yield
        stop.set()


@asynccontextmanager
async def serving_until_killed(settings: ServerSettings) -> AsyncIterator[None]:
    """The service in a process of its own, which gets a SIGKILL on leaving."""
    code = (
        "import asyncio; from infra.settings import ServerSettings; from services.alerts.service import run; "
        f"asyncio.run(run(ServerSettings(nats_url={settings.nats_url!r}, database_url={settings.database_url!r}, "
        "outbound_private=True), "
        "asyncio.Event()))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=Path(__file__).parents[2])
    try:
        yield
    finally:
        process.kill()
        await process.wait()
