"""A database of the version that queued notifications: its alerts become incidents, and nobody is told twice."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from infra.bus.ordered import Position
from infra.storage.database import Connection, connection
from infra.storage.engine import detect
from infra.storage.migrate import MIGRATIONS, migrate
from infra.storage.positions import load_position
from schemas.channels import Channel, Slack
from schemas.incidents import Facts, Step
from schemas.messages import AlertTransition, TransitionKind
from schemas.rules import Rule, Threshold, default_rules
from services.alerts.judge.memory import Part
from services.alerts.judge.store import load_memory
from tests.alerts.builders import transition
from tests.infra.families import HOUSE

HOOK = "https://hooks.slack.com/services/T0/B0/SECRET"
START_S = 1_790_000_000.0

Sent = tuple[TransitionKind, str]
"""A transition, and what became of its notification; `none` where Slack was not set then."""


class Before:
    """A database as the version before left it."""

    def __init__(self, database: Connection) -> None:
        self.database = database
        self._at_s = START_S

    async def host(self, name: str = "web-1") -> int:
        number: int = await self.database.fetchval(
            "INSERT INTO hosts (name, tags) VALUES ($1, '{berlin}') RETURNING id", name
        )
        return number

    async def slack(self, value: object = HOOK) -> None:
        await self.database.execute(
            "INSERT INTO settings (key, value) VALUES ('slack_webhook_url', $1)", msgspec.json.encode(value).decode()
        )

    async def alert(
        self, host_id: int, state: str, *history: Sent, rule: str = "busy", host: str = "web-1", bus: str = "sent"
    ) -> None:
        """An alert in `state` (empty: none is stored), after `history`."""
        severity = "warning"
        for kind, status in history:
            self._at_s += 60
            severity = {"escalate": "critical", "deescalate": "warning", "fire": "warning"}.get(kind, severity)
            told: AlertTransition = transition(host=host, rule=rule, kind=kind, severity=severity, time=self._at_s)
            number = await self.database.fetchval(
                """
                INSERT INTO alert_transitions (time, host_id, rule_id, instance, kind, body)
                VALUES (to_timestamp($1), $2, $3, '', $4, $5) RETURNING id
                """,
                *(told.time, host_id, rule, kind, msgspec.json.encode(told).decode()),
            )
            for channel, what in (("bus", bus), ("slack", status)):
                if what != "none":
                    await self.database.execute(
                        "INSERT INTO outbox (transition_id, channel, status, done) VALUES ($1, $2, $3, now())",
                        *(number, channel, what),
                    )
        if state:
            body = {
                "rule_name": "CPU busy", "metric": "cpu.total", "unit": "%", "severity": severity, "value": 81.5,
                "threshold": 75, "since": START_S, "peak": 99.5,
                "machine": {"level": 2 if severity == "critical" else 1, "since_ms": 1000 * int(START_S), "last_ms": 5},
            }  # fmt: skip
            await self.database.execute(
                "INSERT INTO alert_states (rule_id, host_id, state, body) VALUES ($1, $2, $3, $4)",
                *(rule, host_id, state, msgspec.json.encode(body).decode()),
            )


@asynccontextmanager
async def version_before(url: str, directory: Path) -> AsyncIterator[Before]:
    for migration in MIGRATIONS.glob("000[1-6]_*.sql"):
        shutil.copy(migration, directory)
    async with connection(url, "test") as database:
        await migrate(database, await detect(database, HOUSE), HOUSE, directory)
        yield Before(database)


async def upgrade(database: Connection) -> None:
    await migrate(database, await detect(database, HOUSE), HOUSE)


async def told(database: Connection) -> list[tuple[str, int, int, bool]]:
    """Of each incident that Slack was told of: rule, level that it has, level that was told, whether all is said."""
    rows = await database.fetch(
        """
        SELECT i.rule_id, i.level, t.level AS told, i.settled
        FROM told t JOIN incidents i ON i.id = t.incident_id WHERE t.channel = 'slack' ORDER BY i.id
        """
    )
    return [tuple(row) for row in rows]


async def incidents(database: Connection) -> list[tuple[str, int, bool, str | None]]:
    """Rule, level, whether it is open, and how it ended."""
    rows = await database.fetch("SELECT rule_id, level, closed IS NULL, body ->> 'ending' FROM incidents ORDER BY id")
    return [tuple(row) for row in rows]


async def test_an_empty_database_is_upgraded(blank_database_url: str, tmp_path: Path) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await upgrade(before.database)
        for table in ("incidents", "told", "notifications", "channels"):
            assert await before.database.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608


@pytest.mark.parametrize(
    ("state", "history", "level", "ending"),
    [
        ("firing", [("fire", "sent")], 1, None),
        ("recovering", [("fire", "sent"), ("escalate", "sent")], 2, None),
        ("firing", [("fire", "sent"), ("escalate", "sent"), ("deescalate", "sent")], 1, None),
        ("ok", [("fire", "sent"), ("resolve", "sent")], 0, "resolve"),
        ("", [("fire", "sent"), ("gone", "sent")], 0, "gone"),
        ("", [("fire", "sent")], 0, "gone"),
        ("pending", [("resolve", "sent")], 0, "resolve"),
    ],
    ids=["fires", "critical and recovering", "warning again", "over", "gone", "state lost", "its fire dropped as old"],
)
async def test_an_alert_is_an_incident(
    blank_database_url: str, tmp_path: Path, state: str, history: list[Sent], level: int, ending: str | None
) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.alert(await before.host(), state, *history)
        await upgrade(before.database)
        assert await incidents(before.database) == [("busy", level, ending is None, ending)]


async def test_each_time_that_it_fired_is_an_incident_of_its_own(blank_database_url: str, tmp_path: Path) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        once: list[Sent] = [("fire", "sent"), ("resolve", "sent")]
        await before.alert(await before.host(), "firing", *once, *once, ("fire", "sent"))
        await upgrade(before.database)
        assert [row[1:3] for row in await incidents(before.database)] == [(0, False), (0, False), (1, True)]
        parts = await before.database.fetch(
            "SELECT array_agg(kind ORDER BY id) AS kinds FROM alert_transitions GROUP BY incident_id ORDER BY min(id)"
        )
        assert [row["kinds"] for row in parts] == [["fire", "resolve"], ["fire", "resolve"], ["fire"]]


async def test_what_fires_is_an_incident_although_its_transitions_were_dropped_as_old(
    blank_database_url: str, tmp_path: Path
) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.alert(await before.host(), "firing")
        await upgrade(before.database)
        assert await incidents(before.database) == [("busy", 1, True, None)]


async def test_the_judge_knows_what_fires_and_goes_on_with_its_incident(
    blank_database_url: str, tmp_path: Path
) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.alert(await before.host(), "firing", ("fire", "sent"), ("escalate", "sent"))
        await upgrade(before.database)
        memory = await load_memory(before.database, Part())
        [(key, incident)] = memory.open.items()
        assert key == ("web-1", "busy", "")
        assert memory.states["web-1"]["busy", ""].level == 2
        assert (incident.facts.severity, incident.facts.worst, incident.facts.tags) == (
            "critical",
            "critical",
            ["berlin"],
        )


async def test_what_is_stored_of_incidents_can_be_read(blank_database_url: str, tmp_path: Path) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        host_id = await before.host()
        await before.slack()
        await before.alert(host_id, "ok", ("fire", "sent"), ("resolve", "sent"))
        await before.alert(host_id, "firing", rule="old")
        await upgrade(before.database)
        for row in await before.database.fetch("SELECT body FROM incidents"):
            msgspec.json.decode(row["body"], type=Facts)
        steps = [
            msgspec.json.decode(row["body"], type=Step).kind
            for row in await before.database.fetch("SELECT body FROM incident_steps ORDER BY id")
        ]
        assert steps == ["fired", "resolved"]


@pytest.mark.parametrize(
    ("state", "history", "expected"),
    [
        ("firing", [("fire", "sent")], [("busy", 1, 1, False)]),
        ("firing", [("fire", "sent"), ("escalate", "sent")], [("busy", 2, 2, False)]),
        ("firing", [("fire", "sent"), ("escalate", "waiting")], [("busy", 2, 1, False)]),
        ("firing", [("fire", "sent"), ("escalate", "expired")], [("busy", 2, 1, False)]),
        ("ok", [("fire", "sent"), ("resolve", "waiting")], [("busy", 0, 1, False)]),
        ("ok", [("fire", "sent"), ("resolve", "muted")], [("busy", 0, 1, False)]),
        ("ok", [("fire", "sent"), ("resolve", "expired")], [("busy", 0, 0, True)]),
        ("ok", [("fire", "sent"), ("resolve", "dead")], [("busy", 0, 0, True)]),
        ("ok", [("fire", "sent"), ("resolve", "sent")], [("busy", 0, 0, True)]),
        ("firing", [("fire", "waiting")], []),
        ("firing", [("fire", "muted")], []),
        ("firing", [("fire", "dropped")], []),
        ("firing", [("fire", "expired")], []),
        ("firing", [("fire", "dead")], []),
        ("ok", [("fire", "waiting"), ("resolve", "waiting")], []),
    ],
)
async def test_what_slack_was_told_counts_as_told(
    blank_database_url: str, tmp_path: Path, state: str, history: list[Sent], expected: list[object]
) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.slack()
        await before.alert(await before.host(), state, *history)
        await upgrade(before.database)
        assert await told(before.database) == expected


@pytest.mark.parametrize("status", ["waiting", "muted", "expired", "dropped", "dead", "none"])
async def test_what_fires_and_was_told_nobody_is_still_to_be_told(
    blank_database_url: str, tmp_path: Path, status: str
) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.slack()
        await before.alert(await before.host(), "firing", ("fire", status))
        await upgrade(before.database)
        assert await before.database.fetchval("SELECT settled FROM incidents") is False


async def test_what_is_over_and_was_told_nobody_is_told_nobody(blank_database_url: str, tmp_path: Path) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.slack()
        await before.alert(await before.host(), "ok", ("fire", "waiting"), ("resolve", "waiting"))
        await upgrade(before.database)
        assert await before.database.fetchval("SELECT settled FROM incidents") is True


async def test_the_webhook_of_slack_is_a_channel(blank_database_url: str, tmp_path: Path) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.slack()
        await upgrade(before.database)
        body = await before.database.fetchval("SELECT body FROM channels WHERE id = 'slack'")
        assert msgspec.json.decode(body, type=Channel) == Channel("slack", "Slack", Slack(HOOK))
        assert await before.database.fetchval("SELECT count(*) FROM settings WHERE key = 'slack_webhook_url'") == 0


@pytest.mark.parametrize("value", ["", None, 7, ["https://hooks.slack.com/"]])
async def test_a_webhook_that_is_none_is_no_channel(blank_database_url: str, tmp_path: Path, value: object) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.slack(value)
        await before.alert(await before.host(), "firing", ("fire", "sent"))
        await upgrade(before.database)
        assert await before.database.fetchval("SELECT count(*) FROM channels") == 0
        assert await told(before.database) == []


async def test_what_was_sent_refused_and_given_up_is_a_notification(blank_database_url: str, tmp_path: Path) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.slack()
        history: list[Sent] = [
            ("fire", "sent"),
            ("escalate", "dead"),
            ("deescalate", "expired"),
            ("resolve", "dropped"),
        ]
        await before.alert(await before.host(), "ok", *history)
        await upgrade(before.database)
        rows = await before.database.fetch(
            """
            SELECT n.channel, n.status, i.kind, i.incident_id = (SELECT id FROM incidents) AS its
            FROM notifications n JOIN notification_items i ON i.notification_id = n.id ORDER BY n.id
            """
        )
        assert [tuple(row) for row in rows] == [
            ("slack", "sent", "fire", True),
            ("slack", "refused", "escalate", True),
            ("slack", "failed", "deescalate", True),
        ]


async def test_what_was_not_on_the_bus_yet_still_waits_for_it(blank_database_url: str, tmp_path: Path) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        host_id = await before.host()
        await before.alert(host_id, "ok", ("fire", "none"), ("resolve", "none"))
        await before.alert(host_id, "firing", ("fire", "none"), rule="other", bus="waiting")
        await upgrade(before.database)
        rows = await before.database.fetch("SELECT rule_id FROM alert_transitions WHERE NOT published")
        assert [row["rule_id"] for row in rows] == ["other"]


async def test_the_end_of_a_removed_hosts_alert_is_told_under_its_name(blank_database_url: str, tmp_path: Path) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        host_id = await before.host()
        await before.slack()
        await before.alert(host_id, "", ("fire", "sent"), ("gone", "waiting"))
        await before.database.execute("UPDATE hosts SET state = 'removing', name = '~' || id WHERE id = $1", host_id)
        await upgrade(before.database)
        await before.database.execute("DELETE FROM hosts")  # as retention does in the end
        row = await before.database.fetchrow("SELECT host, host_id, settled FROM incidents")
        assert row is not None
        assert tuple(row) == ("web-1", None, False)
        assert await told(before.database) == [("busy", 0, 1, False)]


async def test_hosts_rules_and_instances_are_kept_apart(blank_database_url: str, tmp_path: Path) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        web, db = await before.host(), await before.host("db-1")
        await before.alert(web, "firing", ("fire", "sent"))
        await before.alert(db, "firing", ("fire", "sent"), host="db-1")
        await before.alert(db, "ok", ("fire", "sent"), ("resolve", "sent"), rule="other", host="db-1")
        await upgrade(before.database)
        rows = await before.database.fetch("SELECT host, rule_id, closed IS NULL AS open FROM incidents ORDER BY id")
        assert [tuple(row) for row in rows] == [
            ("web-1", "busy", True),
            ("db-1", "busy", True),
            ("db-1", "other", False),
        ]


@pytest.mark.parametrize("body", ["{}", '{"severity": 7}', '{"severity": "warning", "since": "long"}'])
async def test_rows_that_cannot_be_read_stop_no_upgrade(blank_database_url: str, tmp_path: Path, body: str) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        host_id = await before.host()
        await before.alert(host_id, "firing", ("fire", "sent"))
        await before.database.execute("UPDATE alert_transitions SET body = $1", body)
        await before.database.execute("UPDATE alert_states SET body = $1", body)
        await before.alert(host_id, "firing", ("fire", "sent"), rule="other")
        await upgrade(before.database)
        assert await incidents(before.database) == [("other", 1, True, None)]


async def stored_rules(database: Connection) -> dict[str, Rule]:
    rows = await database.fetch("SELECT id, body FROM rules")
    return {row["id"]: msgspec.json.decode(row["body"], type=Rule) for row in rows}


async def test_rules_of_a_first_start_that_are_new_are_there_after_an_upgrade(
    blank_database_url: str, tmp_path: Path
) -> None:
    before_it = {"cpu", "memory", "filesystem", "inodes", "gpu-temperature", "host-down"}
    async with version_before(blank_database_url, tmp_path) as before:
        await before.database.execute("DELETE FROM rules WHERE id <> ALL($1)", list(before_it))
        await upgrade(before.database)
        assert await stored_rules(before.database) == {rule.id: rule for rule in default_rules()}


async def test_a_rule_of_somebodys_own_under_such_a_name_is_kept(blank_database_url: str, tmp_path: Path) -> None:
    own = Rule("blind", "Mine", "cpu.total", critical=Threshold(99, 98))
    async with version_before(blank_database_url, tmp_path) as before:
        await before.database.execute(
            "UPDATE rules SET body = $1 WHERE id = 'blind'", msgspec.json.encode(own).decode()
        )
        await upgrade(before.database)
        assert (await stored_rules(before.database))["blind"] == own


async def test_what_came_late_before_the_upgrade_is_not_judged_after_it(
    blank_database_url: str, tmp_path: Path
) -> None:
    async with version_before(blank_database_url, tmp_path) as before:
        await before.database.execute("INSERT INTO positions VALUES ('ingest', 'BACKFILL', 7, 8)")
        await upgrade(before.database)
        assert await load_position(before.database, "alerts", "BACKFILL") == Position(7, 8)
