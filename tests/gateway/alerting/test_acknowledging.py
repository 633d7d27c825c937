"""What people do to incidents."""

from __future__ import annotations

import time

import msgspec
import pytest

from infra.storage.database import connection
from schemas.incidents import Acknowledged
from services.gateway.alerting import acknowledging
from tests.gateway.asking import asking, get
from tests.gateway.incidents import end_incident, open_incident
from tests.people import add_token


async def test_an_acknowledgement_says_who_when_and_how_grave_it_was(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        until_s = time.time() + 3600
        answer = await client.post(f"/incidents/{number}/acknowledge", json={"until": until_s, "note": "on it"})
        stored = await database.fetchval("SELECT acknowledged FROM incidents WHERE id = $1", number)
        detail = await get(client, f"/incidents/{number}")
    seen = msgspec.json.decode(stored, type=Acknowledged)
    assert (seen.by, seen.level, seen.until, seen.note) == ("admin", 2, until_s, "on it")
    assert (answer.status_code, answer.json()["version"], answer.headers["etag"]) == (200, 2, '"2"')
    [step] = detail["steps"]
    assert (step["kind"], step["by"], "on it" in step["text"]) == ("acknowledged", "admin", True)


async def test_an_acknowledgement_needs_no_body_and_can_be_taken_back(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        done = await client.post(f"/incidents/{number}/acknowledge")
        back = await client.delete(f"/incidents/{number}/acknowledge")
        again = await client.delete(f"/incidents/{number}/acknowledge")
        steps = (await get(client, f"/incidents/{number}"))["steps"]
    assert done.json()["acknowledged"]["until"] is None
    assert (back.status_code, back.json()["acknowledged"]) == (200, None)
    assert again.status_code == 200
    assert [step["kind"] for step in steps] == ["acknowledged", "unacknowledged"]


async def test_what_is_over_cannot_be_acknowledged_and_can_be_noted(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        await end_incident(database, number)
        seen = await client.post(f"/incidents/{number}/acknowledge")
        noted = await client.post(f"/incidents/{number}/notes", json={"text": "a bad fan"})
    assert (seen.status_code, seen.json()["type"]) == (409, "/problems/incident-over")
    assert noted.status_code == 201
    assert noted.json()["steps"][-1]["text"] == "a bad fan"


async def test_acknowledging_changes_nothing_of_when_it_was_noticed(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        before = await database.fetchrow("SELECT noticed, level, body FROM incidents")
        await client.post(f"/incidents/{number}/acknowledge")
        assert await database.fetchrow("SELECT noticed, level, body FROM incidents") == before


async def test_somebody_elses_change_is_not_overwritten(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        await client.post(f"/incidents/{number}/acknowledge")
        late = await client.delete(f"/incidents/{number}/acknowledge", headers={"If-Match": '"1"'})
    assert (late.status_code, late.headers["etag"]) == (412, '"2"')


async def test_an_end_in_the_past_is_refused(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        answer = await client.post(f"/incidents/{number}/acknowledge", json={"until": time.time() - 1})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "until")


async def test_many_are_acknowledged_at_once_with_what_came_of_each(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        one, other = await open_incident(database, "web-1"), await open_incident(database, "web-2")
        await end_incident(database, other)
        asked = {"change": "acknowledge", "incidents": [other, one, 999], "note": "us"}
        answer = (await client.post("/incidents/bulk", json=asked)).json()
        seen = await database.fetch("SELECT id FROM incidents WHERE acknowledged IS NOT NULL")
        audited = await database.fetch("SELECT target FROM audit WHERE action = 'POST /incidents/bulk'")
    assert [(each["incident"], each["done"]) for each in answer["results"]] == [
        (other, False),
        (one, True),
        (999, False),
    ]
    assert (answer["done"], answer["failed"]) == (1, 2)
    assert [row["id"] for row in seen] == [one]
    assert [row["target"] for row in audited] == [str(one)]


async def test_a_bulk_note_needs_a_text(database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.post("/incidents/bulk", json={"change": "note", "incidents": [1]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "note")


async def test_an_incident_has_so_many_notes_and_no_more(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledging, "MOST_NOTES", 2)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        answers = [await client.post(f"/incidents/{number}/notes", json={"text": "x"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 409]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_viewers_acknowledge_nothing(method: str, database_url: str) -> None:
    token = await add_token(database_url, "viewer")
    async with asking(database_url, token=token) as client, connection(database_url, "test") as database:
        number = await open_incident(database)
        answer = await client.request(method, f"/incidents/{number}/acknowledge")
        assert answer.status_code == 403
        assert await database.fetchval("SELECT count(*) FROM incident_steps") == 0
