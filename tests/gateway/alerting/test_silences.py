"""`/silences`."""

from __future__ import annotations

import time
from typing import Any

import httpx
import msgspec
import pytest

from infra.storage.database import connection, ensure_hosts
from schemas.routes import Silence
from services.gateway.alerting import silences
from tests.gateway.asking import asking, get
from tests.gateway.incidents import open_incident
from tests.gateway.running import ANY

MATCH = {"hosts": ["web-*"]}


async def silenced(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/silences", json={"match": MATCH, "for_s": 3600, **body})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_silence_is_stored_as_the_alert_service_reads_it(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        made = await silenced(client, reason="new disks")
        row = await database.fetchrow("SELECT body, by, extract(epoch FROM ends)::float8 AS ends FROM silences")
    assert row is not None
    stored = msgspec.json.decode(row["body"], type=Silence)
    assert (stored.match.hosts, stored.reason, row["by"]) == (["web-*"], "new disks", "admin")
    assert stored.ends - stored.starts == pytest.approx(3600)
    assert (made["state"], made["version"]) == ("active", 1)
    assert row["ends"] == pytest.approx(stored.ends, abs=0.001)


async def test_a_silence_lives_through_its_whole_life(database_url: str) -> None:
    async with asking(database_url) as client:
        made = await silenced(client, starts=time.time() + 3600)
        path = f"/silences/{made['id']}"
        changed = await client.put(
            path, json={"match": MATCH, "for_s": 60, "starts": time.time()}, headers={"If-Match": "1"}
        )
        late = await client.put(path, json={"match": MATCH, "for_s": 60}, headers={"If-Match": "1"})
        ended = await client.post(f"{path}/expire")
        again = await client.post(f"{path}/expire")
        deleted = await client.delete(path)
        gone = await client.get(path)
    assert (made["state"], changed.json()["state"], changed.json()["version"]) == ("pending", "active", 2)
    assert (late.status_code, late.headers["etag"]) == (412, '"2"')
    assert (ended.json()["state"], ended.json()["version"]) == ("expired", 3)
    assert again.json() == ended.json()
    assert (deleted.status_code, gone.status_code) == (204, 404)


async def test_silences_are_listed_by_state(database_url: str) -> None:
    async with asking(database_url) as client:
        over = (await silenced(client))["id"]
        await client.post(f"/silences/{over}/expire")
        now = (await silenced(client))["id"]
        later = (await silenced(client, starts=time.time() + 3600))["id"]

        async def ids(**query: object) -> list[int]:
            return [each["id"] for each in (await get(client, "/silences", **query))["silences"]]

        assert await ids() == [later, now, over]
        assert (await ids(state="active"), await ids(state="pending"), await ids(state="expired")) == (
            [now],
            [later],
            [over],
        )
        page = await get(client, "/silences", limit=2)
        assert await ids(cursor=page["next"]) == [over]


async def test_a_preview_shows_open_incidents_and_hosts_that_fit(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        mine = await open_incident(database, "web-1", "cpu")
        await open_incident(database, "web-1", "disk")
        await open_incident(database, "db-1", "cpu")
        await ensure_hosts(database, ["web-2"])
        body = {"match": {"hosts": ["web-*"], "rules": ["cpu"]}}
        answer = (await client.post("/silences/preview", json=body)).json()
        assert await database.fetchval("SELECT count(*) FROM audit") == 0
    assert ([each["id"] for each in answer["incidents"]], answer["incident_count"]) == ([mine], 1)
    assert (answer["hosts"], answer["host_count"]) == (["web-1", "web-2"], 2)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ends"),
        ({"for_s": 60, "ends": 4_000_000_000}, "ends"),
        ({"ends": 1_000_000_000}, "ends"),
        ({"ends": 4_000_000_000}, "ends"),
        ({"for_s": 60, "match": {"about": "sonde", "hosts": ["a"]}}, "match.about"),
        ({"for_s": 60, "match": {"tags": ["a"], "without_tags": ["a"]}}, "match.without_tags"),
        ({"for_s": 60, "reason": "a\0b"}, "reason"),
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused(body: dict[str, Any], field: str, database_url: str) -> None:
    async with asking(database_url) as client:
        answer = await client.post("/silences", json={"match": MATCH, **body})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])


async def test_a_stored_silence_that_cannot_be_read_is_shown_and_can_be_removed(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await database.execute(
            "INSERT INTO silences (starts, ends, body, by) VALUES (now(), now() + interval '1 h', $1, 'root')",
            '{"of": 1}',
        )
        [shown] = (await get(client, "/silences"))["silences"]
        path = f"/silences/{shown['id']}"
        expired = await client.post(f"{path}/expire")
        removed = await client.delete(path)
    assert "match" in shown["invalid"]
    assert (expired.status_code, removed.status_code) == (409, 204)


async def test_there_are_so_many_silences_and_no_more(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silences, "MOST_SILENCES", 1)
    async with asking(database_url) as client:
        first = await silenced(client)
        refused = await client.post("/silences", json={"match": MATCH, "for_s": 60})
        await client.post(f"/silences/{first['id']}/expire")
        await silenced(client)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/too-many")


async def test_replacing_a_silence_keeps_when_it_began(database_url: str) -> None:
    async with asking(database_url) as client:
        made = await silenced(client)
        put = await client.put(f"/silences/{made['id']}", json={"match": MATCH, "for_s": 7200}, headers=ANY)
    assert put.json()["starts"] == pytest.approx(made["starts"], abs=0.001)
