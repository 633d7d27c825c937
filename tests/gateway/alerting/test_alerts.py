"""`/alerts` over rows as the alerts service writes them."""

from __future__ import annotations

import json

from infra.storage import database
from infra.storage.database import ensure_hosts
from tests.gateway.rows import utc
from tests.gateway.running import gateway, publishing, ready, watching
from tests.waiting import eventually

AT_MS = 1_795_219_200_000
BODY = {
    "rule_name": "CPU busy",
    "metric": "cpu.total",
    "unit": "%",
    "severity": "critical",
    "value": 97.5,
    "threshold": 90.0,
    "since": AT_MS / 1000,
    "peak": 99.0,
    "machine": {"level": 2},
}


async def store(database_url: str) -> None:
    """An alert that fires, one that waits, one that is over; three transitions, two of them with a delivery."""
    async with database.connection(database_url, "test") as connection:
        host = (await ensure_hosts(connection, ["web-1"]))["web-1"]
        for rule, state in (("old", "ok"), ("soon", "pending"), ("cpu", "firing")):
            await connection.execute(
                "INSERT INTO alert_states VALUES ($1, $2, '', $3, $4)", rule, host, state, json.dumps(BODY)
            )
        for number, kind in ((1, "fire"), (2, "resolve"), (3, "fire")):
            body = {
                "id": number,
                "time": AT_MS / 1000,
                "kind": kind,
                "host": "web-1",
                "rule": "cpu",
                "instance": "",
                **BODY,
            }
            await connection.execute(
                "INSERT INTO alert_transitions (id, time, host_id, rule_id, kind, body) OVERRIDING SYSTEM VALUE "
                "VALUES ($1, $2, $3, 'cpu', $4, $5)",
                *(number, utc(AT_MS), host, kind, json.dumps(body)),
            )
            await connection.execute("INSERT INTO outbox (transition_id, channel) VALUES ($1, 'bus')", number)
        await connection.execute(
            "INSERT INTO outbox (transition_id, channel, status, attempts, answer) "
            "VALUES (1, 'slack', 'sent', 1, 'ok'), (2, 'slack', 'waiting', 3, 'HTTP 500')"
        )


async def test_active_alerts_and_history_tell_what_became_of_each_notification(database_url: str, bus_url: str) -> None:
    await store(database_url)
    async with gateway(database_url, bus_url) as client:
        answer = (await client.get("/alerts")).json()
        newest = (await client.get("/alerts?limit=1")).json()
        active = (await client.get("/alerts?state=active")).json()
    assert [(alert["rule"], alert["state"]) for alert in answer["active"]] == [("cpu", "firing"), ("soon", "pending")]
    assert answer["active"][0] == {
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
        "since": AT_MS / 1000,
    }
    assert [(past["id"], past["kind"], past["delivery"]) for past in answer["history"]] == [
        (3, "fire", None),
        (2, "resolve", {"channel": "slack", "status": "waiting", "attempts": 3, "answer": "HTTP 500"}),
        (1, "fire", {"channel": "slack", "status": "sent", "attempts": 1, "answer": "ok"}),
    ]
    assert [past["id"] for past in newest["history"]] == [3]
    assert (active["active"], active["history"]) == (answer["active"], [])


async def test_a_host_counts_its_firing_alerts(database_url: str, bus_url: str) -> None:
    await store(database_url)
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
