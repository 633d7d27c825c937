"""`/routes`."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from infra.storage.database import connection, ensure_hosts
from schemas.channels import Channel, Slack
from schemas.routes import DAYS, Route
from tests.gateway.asking import asking, get
from tests.gateway.incidents import store_channel
from tests.gateway.running import ANY

OPS = Channel("ops", "Operators", Slack("https://hooks.example/x"))
BOSS = Channel("boss", "The boss", Slack("https://hooks.example/y"))


async def prepared(database_url: str) -> None:
    async with connection(database_url, "test") as database:
        for channel in (OPS, BOSS):
            await store_channel(database, channel)


async def add(client: httpx.AsyncClient, id: str, **fields: Any) -> httpx.Response:
    answer = await client.post("/routes", json={"id": id, "name": id, "channels": ["ops"], **fields})
    assert answer.status_code == 201, answer.text
    return answer


async def test_a_route_lives_through_its_whole_life(database_url: str) -> None:
    await prepared(database_url)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        made = await add(client, "web", match={"tags": ["web"]})
        stored = msgspec.json.decode(await database.fetchval("SELECT body FROM routes"), type=Route)
        body = {**made.json()["route"], "name": "The web"}
        put = await client.put("/routes/web", json=body, headers={"If-Match": '"1"'})
        late = await client.put("/routes/web", json=body, headers={"If-Match": '"1"'})
        read = await client.get("/routes/web")
        deleted = await client.delete("/routes/web")
        gone = await client.get("/routes/web")
    assert stored.match.tags == ["web"]
    assert (put.json()["version"], late.status_code, read.headers["etag"]) == (2, 412, '"2"')
    assert (deleted.status_code, gone.status_code) == (204, 404)


async def test_routes_are_listed_in_the_order_in_which_they_are_tried(database_url: str) -> None:
    await prepared(database_url)
    async with asking(database_url) as client:
        for name, position in (("b", 50), ("c", 10), ("a", 50)):
            await add(client, name, position=position)
        listed = [each["route"]["id"] for each in (await get(client, "/routes"))["routes"]]
        put = await client.post("/routes/order", json={"routes": ["b", "a", "c"]})
        ordered = [(each["route"]["id"], each["route"]["position"]) for each in put.json()["routes"]]
        missing = await client.post("/routes/order", json={"routes": ["b", "a"]})
        unknown = await client.post("/routes/order", json={"routes": ["b", "a", "c", "d"]})
        twice = await client.post("/routes/order", json={"routes": ["b", "a", "c", "c"]})
    assert listed == ["c", "a", "b"]
    assert ordered == [("b", 10), ("a", 20), ("c", 30)]
    assert [answer.status_code for answer in (missing, unknown, twice)] == [400] * 3
    assert "c missing" in missing.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"channels": ["ops", "nobody"]}, ["channels[1]"]),
        ({"escalation": {"after_s": 60, "channels": ["nobody"]}}, ["escalation.channels[0]"]),
        ({"escalation": {"after_s": 60, "channels": ["ops"]}}, ["escalation.channels"]),
        ({"hours": {"spans": [{"days": [*DAYS], "start": "00:00", "until": "24:00"}]}}, ["hours.spans"]),
        (
            {
                "hours": {
                    "spans": [
                        {"days": [*DAYS], "start": "22:00", "until": "08:00"},
                        {"days": [*DAYS], "start": "08:00", "until": "22:00"},
                    ]
                }
            },
            ["hours.spans"],
        ),
        ({"repeat_s": 5}, ["repeat_s"]),
        ({"hours": {"spans": [{"days": ["mon"], "start": "9:00", "until": "17:00"}]}}, ["hours.spans[0].start"]),
        (
            {"hours": {"spans": [{"days": ["mon"], "start": "09:00", "until": "17:00"}], "zone": "Mars/Base"}},
            ["hours.zone"],
        ),
        ({"group_by": "colour"}, ["group_by"]),
        ({"match": {"hosts": ["NO"]}}, ["match.hosts[0]"]),
        ({"surprise": 1}, ["surprise"]),
    ],
)
async def test_a_route_that_makes_no_sense_is_refused(
    fields: dict[str, Any], wrong: list[str], database_url: str
) -> None:
    await prepared(database_url)
    async with asking(database_url) as client:
        answer = await client.post("/routes", json={"id": "a", "name": "A", "channels": ["ops"], **fields})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, wrong)


async def test_a_check_says_which_routes_take_an_alert_and_why_the_others_do_not(database_url: str) -> None:
    await prepared(database_url)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await ensure_hosts(database, ["web-1"])
        await database.execute("UPDATE hosts SET tags = '{web}'")
        await add(client, "db", position=1, match={"tags": ["db"]})
        await add(client, "all", position=2, further=True)
        await add(client, "web", position=3, channels=["boss"], match={"tags": ["web"], "severity": "critical"})
        await add(client, "last", position=4)
        answer = (await client.post("/routes/check", json={"rule": "cpu", "host": "web-1"})).json()
        warning = (
            await client.post("/routes/check", json={"rule": "cpu", "host": "web-1", "severity": "warning"})
        ).json()
        thought = (await client.post("/routes/check", json={"rule": "cpu", "host": "new-1", "tags": ["db"]})).json()
    assert (answer["taken"], answer["channels"]) == (["all", "web"], ["ops", "boss"])
    assert answer["steps"][0] == {"route": "db", "fits": False, "why": "its host has no tag db"}
    assert warning["taken"] == ["all", "last"]
    assert thought["taken"] == ["db"]


async def test_what_no_route_takes_goes_to_every_channel(database_url: str) -> None:
    await prepared(database_url)
    async with asking(database_url) as client:
        answer = (await client.post("/routes/check", json={"rule": "blind"})).json()
    assert (answer["taken"], answer["channels"]) == (["everything"], ["boss", "ops"])


async def test_a_stored_route_that_cannot_be_read_is_named_and_breaks_no_list(database_url: str) -> None:
    await prepared(database_url)
    async with asking(database_url) as client, connection(database_url, "test") as database:
        await database.execute("""INSERT INTO routes (id, body) VALUES ('later', '{"of": "a later version"}')""")
        await add(client, "web")
        listed = await get(client, "/routes")
        one = await client.get("/routes/later")
        checked = await client.post("/routes/check", json={"rule": "cpu"})
        put = await client.put("/routes/later", json={"id": "later", "name": "L", "channels": []}, headers=ANY)
    assert [each["route"]["id"] for each in listed["routes"]] == ["web"]
    assert [(each["id"], "required" in each["reason"]) for each in listed["unreadable"]] == [("later", True)]
    assert (one.status_code, one.json()["type"]) == (409, "/problems/unreadable")
    assert (checked.json()["taken"], put.status_code) == (["web"], 200)


@pytest.mark.parametrize(
    "hours",
    [
        {"spans": [{"days": [*DAYS], "start": "00:00", "until": "23:59"}]},
        {"spans": [{"days": [*DAYS], "start": "00:00", "until": "24:00"}], "critical_passes": True},
        {"spans": [{"days": [*DAYS], "start": "00:00", "until": "24:00"}], "kind": "working"},
    ],
)
async def test_hours_that_leave_a_time_to_tell_are_taken(hours: dict[str, Any], database_url: str) -> None:
    await prepared(database_url)
    async with asking(database_url) as client:
        answer = await client.post("/routes", json={"id": "a", "name": "A", "channels": ["ops"], "hours": hours})
    assert answer.status_code == 201, answer.text
