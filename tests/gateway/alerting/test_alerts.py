"""`/alerts` over rows as the alerts service writes them, and what viewers hear of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.storage import database
from infra.storage.database import Connection, ensure_hosts
from tests.gateway.asking import asking, get
from tests.gateway.incidents import AT_S, end_incident, message, open_incident
from tests.gateway.running import gateway, publishing, ready, watching
from tests.waiting import eventually

BODY = {
    "rule_name": "CPU busy",
    "metric": "cpu.total",
    "unit": "%",
    "severity": "critical",
    "value": 97.5,
    "threshold": 90.0,
    "since": AT_S,
    "peak": 99.0,
    "machine": {"level": 2},
}
ADD_STATE = "INSERT INTO alert_states (rule_id, host_id, state, body, past) VALUES ($1, $2, $3, $4, $5)"


async def store(connection: Connection) -> int:
    """An alert that fires, one that waits, one that is over, one of the past, and one of Sonde itself; the first's
    incident."""
    host = (await ensure_hosts(connection, ["web-1"]))["web-1"]
    states = (
        ("old", host, "ok", False),
        ("soon", host, "pending", False),
        ("cpu", host, "firing", False),
        ("late", host, "firing", True),
        ("blind", None, "firing", False),
    )
    for rule, host_id, state, past in states:
        body = {**BODY, "since": AT_S - (rule == "blind")}
        await connection.execute(ADD_STATE, rule, host_id, state, json.dumps(body), past)
    await open_incident(connection, "", "blind")
    return await open_incident(connection)


async def test_active_alerts_are_those_of_now_with_their_incidents(database_url: str) -> None:
    async with asking(database_url) as client, database.connection(database_url, "test") as connection:
        incident = await store(connection)
        await client.post(f"/incidents/{incident}/acknowledge")
        active = (await get(client, "/alerts", state="active"))["active"]
    assert [(alert["rule"], alert["host"], alert["state"]) for alert in active] == [
        ("cpu", "web-1", "firing"),
        ("blind", "", "firing"),
        ("soon", "web-1", "pending"),
    ]
    assert active[0] == {
        "rule": "cpu",
        "rule_name": "CPU busy",
        "host": "web-1",
        "instance": "",
        "metric": "cpu.total",
        "state": "firing",
        "severity": "critical",
        "value": 97.5,
        "unit": "%",
        "threshold": 90.0,
        "since": AT_S,
        "incident": incident,
        "acknowledged": True,
        "acknowledged_until": None,
    }
    assert (active[2]["incident"], active[2]["acknowledged"]) == (0, False)


@pytest.mark.parametrize(
    ("seen", "level", "holds"),
    [
        ({"level": 2}, 2, True),
        ({"level": 2}, 1, True),
        ({"level": 1}, 2, False),
        ({"level": 2, "until": 4_000_000_000.0}, 2, True),
        ({"level": 2, "until": 1.0}, 2, False),
        ({"level": "much"}, 2, False),
        ({"level": 2, "until": None}, 2, True),
    ],
)
async def test_an_acknowledgement_holds_until_it_worsens_or_its_time_is_up(
    seen: dict[str, Any], level: int, holds: bool, database_url: str
) -> None:
    async with asking(database_url) as client, database.connection(database_url, "test") as connection:
        incident = await store(connection)
        await connection.execute(
            "UPDATE incidents SET acknowledged = $2, level = $3 WHERE id = $1",
            *(incident, json.dumps({"by": "ada", "at": 1, **seen}), level),
        )
        [alert] = [each for each in (await get(client, "/alerts", state="active"))["active"] if each["rule"] == "cpu"]
        found = (await client.get("/incidents?acknowledged=true&state=open")).json()["incidents"]
    assert (alert["acknowledged"], alert["acknowledged_until"]) == (holds, seen.get("until") if holds else None)
    assert [each["id"] for each in found] == ([incident] if holds else [])


async def test_the_history_has_each_change_once_however_many_channels_heard_of_it(database_url: str) -> None:
    async with asking(database_url) as client, database.connection(database_url, "test") as connection:
        incident = await open_incident(connection)
        await message(connection, "ops", "failed", "no answer", incident)
        await message(connection, "ops", "sent", "200 ok", incident)
        await message(connection, "mail", "refused", "550 unknown", incident)
        await end_incident(connection, incident)
        history = (await get(client, "/alerts"))["history"]
        newest = await get(client, "/alerts", limit=1)
        rest = await get(client, "/alerts", limit=1, cursor=newest["next"])
    assert [(past["kind"], past["incident"]) for past in history] == [("resolve", incident), ("fire", incident)]
    assert history[0]["deliveries"] == []
    assert [(each["channel"], each["status"], each["answer"]) for each in history[1]["deliveries"]] == [
        ("mail", "refused", "550 unknown"),
        ("ops", "sent", "200 ok"),
    ]
    assert ([past["kind"] for past in newest["history"]], rest["next"]) == (["resolve"], None)


async def test_a_host_counts_its_open_incidents_and_none_of_the_past(database_url: str, bus_url: str) -> None:
    async with database.connection(database_url, "test") as connection:
        await store(connection)
        await open_incident(connection, rule="late", past=True)
    async with gateway(database_url, bus_url) as client:

        async def counted() -> bool:
            hosts = (await client.get("/hosts")).json()["hosts"]
            return [host["alerts"] for host in hosts] == [{"warning": 0, "critical": 1}]

        await eventually(counted)


async def test_a_transition_on_the_bus_reaches_viewers_of_that_host(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as service:
        await ready(client)
        async with watching(client) as stream, watching(client, "hosts=web-2") as other:
            await stream.until("snapshot")
            await other.until("snapshot")
            await service.publish("alerts.web-1.cpu", json.dumps({"not": "one"}).encode())
            for host in ("web-1", "web-2"):
                body = {"id": 1, "time": 1, "kind": "fire", "host": host, "rule": "cpu", "instance": "", **BODY}
                await service.publish(f"alerts.{host}.cpu", json.dumps(body).encode())
            mine = [(await stream.until("alert")).data["host"], (await stream.until("alert")).data["host"]]
            theirs = (await other.until("alert")).data["host"]
    assert (mine, theirs) == (["web-1", "web-2"], "web-2")


async def test_an_alert_about_sonde_itself_reaches_every_viewer(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client, publishing(bus_url) as service:
        await ready(client)
        async with watching(client, "hosts=web-2") as stream:
            await stream.until("snapshot")
            body = {"id": 1, "time": 1, "kind": "fire", "host": "", "rule": "blind", "instance": "", **BODY}
            await service.publish("alerts._.blind", json.dumps(body).encode())
            told = (await stream.until("alert")).data
    assert (told["host"], told["rule"]) == ("", "blind")


async def test_an_acknowledgement_reaches_viewers(database_url: str, bus_url: str) -> None:
    async with database.connection(database_url, "test") as connection:
        number = await open_incident(connection)
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        async with watching(client) as stream:
            await stream.until("snapshot")
            await client.post(f"/incidents/{number}/acknowledge")
            await stream.until("settings", lambda changed: changed["key"] == "incidents")
