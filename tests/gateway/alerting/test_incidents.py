"""`/incidents`: lists, filters, order and detail."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from infra.storage.database import Connection, connection
from schemas.channels import Channel, Slack
from schemas.rules import Rule, Threshold
from services.gateway.alerting.filters import Position
from services.gateway.http.paging import cursor
from tests.gateway.asking import asking, get
from tests.gateway.incidents import AT_S, at, end_incident, message, open_incident, step, store_channel, told

RULE = Rule("cpu", "CPU busy", "cpu.total", critical=Threshold(90, 80), tags=["web"])


async def several(database: Connection) -> dict[str, int]:
    """Incidents that differ in what people ask by, by a name of their own."""
    made = {
        "open": await open_incident(database, "web-1", "cpu", opened_s=AT_S),
        "over": await open_incident(database, "web-2", "cpu", opened_s=AT_S + 10),
        "warning": await open_incident(database, "db-1", "disk", "/var", opened_s=AT_S + 20, severity="warning"),
        "past": await open_incident(database, "db-1", "memory", opened_s=AT_S + 30, past=True),
        "own": await open_incident(database, "", "blind", opened_s=AT_S + 40, rule_name="Monitoring is blind"),
    }
    await end_incident(database, made["over"], AT_S + 100)
    await database.execute("UPDATE hosts SET tags = '{web}', label = 'Front' WHERE name IN ('web-1', 'web-2')")
    await database.execute(
        """UPDATE incidents SET acknowledged = '{"by": "ada", "at": 1, "level": 2}' WHERE id = $1""", made["warning"]
    )
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["own", "past", "warning", "over", "open"]),
        ("sort=oldest", ["open", "over", "warning", "past", "own"]),
        ("sort=severity", ["own", "past", "open", "warning", "over"]),
        ("sort=changed", ["over", "own", "past", "warning", "open"]),
        ("state=closed", ["over"]),
        ("state=open&sort=oldest", ["open", "warning", "past", "own"]),
        ("severity=warning", ["warning"]),
        ("host=web-1", ["open"]),
        ("tag=web", ["over", "open"]),
        ("rule=memory", ["past"]),
        ("acknowledged=true", ["warning"]),
        ("acknowledged=false&past=false&state=open", ["own", "open"]),
        ("past=true", ["past"]),
        (f"to={round((AT_S + 15) * 1000)}", ["over", "open"]),
        (f"from={round((AT_S + 101) * 1000)}", ["own", "past", "warning", "open"]),
        ("q=BLIND", ["own"]),
        ("q=/var", ["warning"]),
        ("q=front", ["over", "open"]),
        ("q=%25", []),
        ("q=_", []),
    ],
)
async def test_incidents_are_found_by(query: str, found: list[str], database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        made = await several(database)
        answer = (await client.get(f"/incidents?{query}")).json()
    names = {number: name for name, number in made.items()}
    assert [names[each["id"]] for each in answer["incidents"]] == found


@pytest.mark.parametrize("sort", ["newest", "oldest", "changed", "severity"])
async def test_pages_show_each_incident_once_in_the_order_of_the_whole(sort: str, database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await several(database)
        await open_incident(database, "web-3", "cpu", opened_s=AT_S)
        whole = [each["id"] for each in (await get(client, "/incidents", sort=sort))["incidents"]]
        paged: list[int] = []
        cursor = None
        while cursor is not None or not paged:
            page = await get(client, "/incidents", sort=sort, limit=2, **({"cursor": cursor} if cursor else {}))
            paged += [each["id"] for each in page["incidents"]]
            cursor = page["next"]
    assert paged == whole
    assert len(whole) == 6


async def test_a_cursor_of_another_order_is_refused(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await several(database)
        cursor = (await get(client, "/incidents", limit=1))["next"]
        answer = await client.get(f"/incidents?sort=oldest&cursor={cursor}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")


async def test_an_incident_shows_all_that_is_known_of_it(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database, rule="cpu", tags=["web"])
        await database.execute(
            "UPDATE incidents SET body = body || jsonb_build_object('rule', $2::jsonb) WHERE id = $1",
            *(number, rule_json()),
        )
        await store_channel(database, Channel("ops", "Operators", Slack()))
        await told(database, number, "ops")
        await message(database, "ops", incident=number)
        await step(database, number, "fired", "critical: cpu.total was 97.5 %")
        await step(database, number, "sent", "fire to ops", AT_S + 1, channel="ops")
        answer = await client.get(f"/incidents/{number}")
    shown = answer.json()
    assert answer.headers["etag"] == '"1"'
    incident = shown["incident"]
    assert {name: incident[name] for name in ("id", "rule", "host", "state", "severity", "value", "peak")} == {
        "id": number,
        "rule": "cpu",
        "host": "web-1",
        "state": "open",
        "severity": "critical",
        "value": 97.5,
        "peak": 99.0,
    }
    assert incident["told"] == ["ops"]
    assert shown["rule"]["tags"] == ["web"]
    assert [(each["kind"], each["text"]) for each in shown["steps"]] == [
        ("fired", "critical: cpu.total was 97.5 %"),
        ("sent", "fire to ops"),
    ]
    assert [(each["channel"], each["level"]) for each in shown["told"]] == [("ops", 2)]
    assert [(each["channel"], each["status"], each["incidents"]) for each in shown["notifications"]] == [
        ("ops", "sent", 1)
    ]


def rule_json() -> str:
    return msgspec.json.encode(RULE).decode()


async def test_an_incident_that_cannot_be_read_is_shown_with_the_reason(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        await database.execute("""UPDATE incidents SET body = '{"rule_name": 7}'""")
        await step(database, number, "fired", "x")
        await database.execute("""UPDATE incident_steps SET body = '[]'""")
        listed = (await get(client, "/incidents"))["incidents"]
        one = await get(client, f"/incidents/{number}")
        why = await client.get(f"/incidents/{number}/why")
    assert [(each["id"], each["rule_name"]) for each in listed] == [(number, "cpu")]
    assert "rule_name" in listed[0]["invalid"]
    assert one["steps"][0]["text"].startswith("what is stored of this cannot be read")
    assert why.status_code == 200


async def test_an_incident_outlives_its_host(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database, tags=["web"])
        await end_incident(database, number)
        await database.execute("DELETE FROM hosts")
        by_tag = (await get(client, "/incidents", tag="web"))["incidents"]
    assert [(each["id"], each["host"], each["tags"]) for each in by_tag] == [(number, "web-1", ["web"])]


@pytest.mark.parametrize("path", ["/incidents/7", "/incidents/7/why", "/incidents/x", "/incidents/0"])
async def test_an_incident_that_is_not_there_is_unknown(path: str, database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-incident")


async def test_a_range_that_ends_before_it_begins_is_refused(database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.get("/incidents?from=-1h&to=-2h")
    assert refused(answer) == ["from"]


def refused(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 400, answer.text
    return [error["field"] for error in answer.json()["errors"]]


async def test_messages_are_listed_by_channel_status_and_incident(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        first = await message(database, "ops", "sent", incident=number)
        second = await message(database, "ops", "refused", "400 invalid_payload")
        third = await message(database, "mail", "failed", "no answer")
        await database.execute("UPDATE notifications SET made = $2 WHERE id = $1", first, at(AT_S))

        async def ids(**query: object) -> list[int]:
            return [each["id"] for each in (await get(client, "/notifications", **query))["notifications"]]

        assert await ids() == [third, second, first]
        assert await ids(channel="ops") == [second, first]
        assert await ids(status="failed") == [third]
        assert await ids(incident=number) == [first]
        assert await ids(to=round((AT_S + 1) * 1000)) == [first]
        page = await get(client, "/notifications", limit=1)
        assert await ids(cursor=page["next"]) == [second, first]


@pytest.mark.parametrize("sort", ["newest", "oldest", "changed", "severity"])
async def test_a_cursor_with_a_time_that_no_calendar_has_is_refused_and_breaks_nothing(
    database_url: str, sort: Any
) -> None:
    async with asking(database_url) as client:
        answer = await client.get("/incidents", params={"sort": sort, "cursor": cursor(Position(sort, 2**63 - 1, 1))})
    assert answer.status_code == (200 if sort == "severity" else 400), answer.text
