"""`/incidents/export` and `/alerts/export`."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from infra.storage.database import connection
from services.gateway.alerting import exports
from services.gateway.alerting.exportformat import encoded
from tests.gateway.asking import asking
from tests.gateway.incidents import AT_S, end_incident, open_incident


async def test_incidents_come_as_csv_oldest_first(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PORTION_ROWS", 2)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        made = [await open_incident(database, f"web-{n}", opened_s=AT_S + n % 3, tags=["a", "b"]) for n in range(7)]
        await end_incident(database, made[0], AT_S + 60)
        answer = await client.get("/incidents/export")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="incidents.csv"'
    assert sorted(int(row["id"]) for row in rows) == made
    assert [row["opened"] for row in rows] == sorted(row["opened"] for row in rows)
    first = next(row for row in rows if row["id"] == str(made[0]))
    assert (first["state"], first["closed"], first["past"]) == ("closed", rfc3339(AT_S + 60), "false")


async def test_incidents_come_as_ndjson_filtered_like_the_list(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await open_incident(database, "web-1")
        mine = await open_incident(database, "web-2", tags=["a"])
        answer = await client.get("/incidents/export?format=ndjson&host=web-2&state=open")
    [row] = [json.loads(line) for line in answer.text.splitlines()]
    assert (row["id"], row["tags"], row["opened"], row["closed"]) == (mine, [], rfc3339(AT_S), None)


async def test_every_transition_comes_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PORTION_ROWS", 2)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        for n in range(3):
            await end_incident(database, await open_incident(database, f"web-{n}"), AT_S + 600)
        text = (await client.get("/alerts/export?format=ndjson")).text
        early = (await client.get(f"/alerts/export?to={round((AT_S + 1) * 1000)}")).text
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["kind"] for row in rows] == ["fire", "resolve"] * 3
    assert [row["kind"] for row in csv.DictReader(io.StringIO(early))] == ["fire"] * 3
    assert rows[1]["time"] == rfc3339(AT_S + 600)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "|", "%"])
def test_no_text_of_a_machine_is_a_formula_in_a_spreadsheet(start: str) -> None:
    row = {"instance": f"{start}cmd|'/c calc'!A0", "tags": [f"{start}x"], "value": -1.5}
    [[instance, tags, value]] = list(csv.reader(io.StringIO(encoded([row], "csv").decode(), newline="")))
    assert (instance, tags, value) == (f"'{start}cmd|'/c calc'!A0", f"'{start}x", "-1.5")


async def test_a_transition_that_cannot_be_read_is_left_out(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await open_incident(database, "web-1")
        await database.execute("UPDATE alert_transitions SET body = '{}'")
        await open_incident(database, "web-2")
        text = (await client.get("/alerts/export?format=ndjson")).text
    assert [json.loads(line)["host"] for line in text.splitlines()] == ["web-2"]


async def test_what_is_asked_by_head_is_not_read(database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.head("/incidents/export?format=ndjson")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-ndjson"


def rfc3339(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
