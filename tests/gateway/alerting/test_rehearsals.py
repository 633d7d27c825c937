"""Rehearsals over REST, with the alerts service's part at work on the same bus and database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from infra.bus import connection as bus
from infra.settings import ServerSettings
from schemas.rehearsals import Rehearsal
from services.alerts.rehearsal.desk import rehearse
from services.gateway.alerting.rehearsals import MOST_KEPT, SILENT_S, Rehearsals
from tests.alerts.rehearsal.test_desk import seconds, start_ms
from tests.gateway.rows import put
from tests.gateway.running import gateway, ready
from tests.people import add_token
from tests.waiting import eventually

RULE: dict[str, Any] = {
    "id": "busy",
    "name": "CPU busy",
    "metric": "cpu.total",
    "critical": {"raise_at": 90, "clear_at": 80},
    "for_s": 120,
}


@asynccontextmanager
async def both(database_url: str, bus_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway asked by an operator, and the rehearsing part of the alerts service."""
    stop = asyncio.Event()
    settings = ServerSettings(nats_url=bus_url, database_url=database_url)
    token = await add_token(database_url, "operator")
    async with bus.connection(bus_url, "rehearsals") as client, asyncio.TaskGroup() as group:
        group.create_task(rehearse(client, settings, stop))
        try:
            async with gateway(database_url, bus_url, token=token) as asking:
                await ready(asking)
                yield asking
        finally:
            stop.set()


async def begun(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    async def taken() -> httpx.Response | None:
        answer = await client.post("/rehearsals", json={"rule": {**RULE, **changes}, "days": 1})
        return answer if answer.status_code == 202 else None

    answer = await eventually(taken)
    assert answer is not None
    assert answer.headers["Location"] == f"/api/v1/rehearsals/{answer.json()['id']}"
    told: dict[str, Any] = answer.json()
    return told


async def over(client: httpx.AsyncClient, id: str) -> dict[str, Any]:
    async def done() -> dict[str, Any] | None:
        told: dict[str, Any] = (await client.get(f"/rehearsals/{id}", params={"wait_s": 20})).json()
        return told if told["state"] not in ("waiting", "running") else None

    told = await eventually(done, within_s=90)
    assert told is not None
    return told


async def test_an_operator_learns_when_a_draft_would_have_fired(bus_url: str, database_url: str) -> None:
    first = start_ms(120)
    await put(database_url, "cpu", seconds(first, (600, 20), (300, 95), (600, 20)))
    async with both(database_url, bus_url) as client:
        told = await over(client, (await begun(client))["id"])
    outcome = told["outcome"]
    assert (told["state"], outcome["fired"], outcome["hosts"]) == ("done", 1, 1)
    assert outcome["episodes"][0]["host"] == "web-1"


async def test_a_rule_without_sense_is_refused_with_the_field_at_fault(bus_url: str, database_url: str) -> None:
    async with both(database_url, bus_url) as client:
        answer = await client.post("/rehearsals", json={"rule": {**RULE, "instance": "sda"}})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["rule.instance"]


async def test_silence_of_hosts_cannot_be_rehearsed_and_the_answer_says_why(bus_url: str, database_url: str) -> None:
    async with both(database_url, bus_url) as client:
        answer = await client.post("/rehearsals", json={"rule": {**RULE, "metric": "host.down"}})
    assert answer.status_code == 400
    assert "not stored" in answer.text


async def test_without_an_alerts_service_it_is_said_at_once(bus_url: str, database_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        answer = await client.post("/rehearsals", json={"rule": RULE})
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/alerts-away"


async def test_one_that_nobody_asked_for_is_unknown(bus_url: str, database_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        for method in ("GET", "DELETE"):
            assert (await client.request(method, "/rehearsals/0123456789abcdef")).status_code == 404


async def test_calling_one_off_ends_it(bus_url: str, database_url: str) -> None:
    async with both(database_url, bus_url) as client, bus.connection(bus_url, "test"):
        orders = [(await begun(client))["id"] for _ in range(3)]
        assert (await client.delete(f"/rehearsals/{orders[-1]}")).status_code == 204
        assert (await over(client, orders[-1]))["state"] in ("cancelled", "done")
        assert (await over(client, orders[0]))["state"] == "done"


def test_what_is_over_stays_over() -> None:
    rehearsals = Rehearsals()
    rehearsals.take(Rehearsal("a", "cancelled"))
    rehearsals.take(Rehearsal("a", "running", 0.5))
    held = rehearsals.get("a")
    assert held is not None
    assert held.state == "cancelled"


def test_of_too_many_the_oldest_are_forgotten() -> None:
    rehearsals = Rehearsals()
    for number in range(MOST_KEPT + 1):
        rehearsals.take(Rehearsal(str(number), "done"))
    assert rehearsals.get("0") is None
    assert rehearsals.get(str(MOST_KEPT)) is not None


def test_one_of_which_nothing_more_is_heard_has_failed() -> None:
    now_s = 1000.0
    rehearsals = Rehearsals(lambda: now_s)
    rehearsals.take(Rehearsal("a", "running", 0.5))
    rehearsals.take(Rehearsal("b", "done"))
    now_s += SILENT_S + 1
    lost, done = rehearsals.get("a"), rehearsals.get("b")
    assert lost is not None and done is not None  # noqa: PT018
    assert (lost.state, done.state) == ("failed", "done")
    assert "ask again" in lost.reason
