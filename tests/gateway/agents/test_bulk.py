"""One change of many hosts: what comes of it for each."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from infra.storage.database import connection
from services.gateway.agents import departing
from tests.gateway.agents.test_tending import audited
from tests.gateway.asking import asking, get
from tests.gateway.rows import execute
from tests.gateway.running import gateway, ready
from tests.people import add_token, bearing
from tests.waiting import eventually


async def hosts(database_url: str, *names: str, tags: str = "{}") -> None:
    for name in names:
        await execute(database_url, f"INSERT INTO hosts (name, tags) VALUES ('{name}', '{tags}')")  # noqa: S608


async def bulk(client: httpx.AsyncClient, change: str, **told: Any) -> dict[str, Any]:
    answer = await client.post("/hosts/bulk", json={"change": change, **told})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def said(database_url: str, column: str) -> dict[str, Any]:
    async with connection(database_url, "test") as database:
        return {
            row["name"]: row[column] for row in await database.fetch("SELECT * FROM hosts WHERE state <> 'removing'")
        }


async def test_tags_are_added_and_removed(database_url: str) -> None:
    await hosts(database_url, "web-1", "web-2", "db-1", tags="{old,eu}")
    async with asking(database_url) as client:
        result = await bulk(client, "tag", hosts=["web-1", "web-2"], add_tags=["prod", "eu"], remove_tags=["old"])
    assert (result["done"], result["failed"]) == (2, 0)
    assert await said(database_url, "tags") == {"web-1": ["eu", "prod"], "web-2": ["eu", "prod"], "db-1": ["old", "eu"]}


async def test_a_host_that_is_not_there_hinders_no_other(database_url: str) -> None:
    await hosts(database_url, "web-1")
    async with asking(database_url) as client:
        result = await bulk(client, "tag", hosts=["gone", "web-1"], add_tags=["prod"])
    assert [(each["host"], each["done"], each["error"]) for each in result["results"]] == [
        ("gone", False, "does not exist"),
        ("web-1", True, ""),
    ]


async def test_a_host_that_would_get_too_many_tags_hinders_no_other(database_url: str) -> None:
    await hosts(database_url, "full", tags="{" + ",".join(map(str, range(20))) + "}")
    await hosts(database_url, "web-1")
    async with asking(database_url) as client:
        result = await bulk(client, "tag", hosts=["full", "web-1"], add_tags=["prod"])
    assert [(each["host"], each["error"]) for each in result["results"]] == [
        ("full", "must leave the host with at most 20 tags"),
        ("web-1", ""),
    ]


async def test_hosts_are_muted_for_a_while_and_unmuted(database_url: str) -> None:
    await hosts(database_url, "web-1", "web-2")
    async with asking(database_url) as client:
        await bulk(client, "mute", hosts=["web-1"], mute_s=3600)
        await bulk(client, "mute", hosts=["web-2"], mute_s="forever")
        muted = {host["id"]: host["muted_until"] for host in (await get(client, "/hosts"))["hosts"]}
        await bulk(client, "unmute", hosts=["web-1", "web-2"])
        after = [host["muted_until"] for host in (await get(client, "/hosts"))["hosts"]]
    assert isinstance(muted["web-1"], int)
    assert muted["web-2"] == "forever"
    assert after == [None, None]


async def test_hosts_are_found_by_what_fits(database_url: str, bus_url: str) -> None:
    await hosts(database_url, "web-1", "web-2", tags="{prod}")
    await hosts(database_url, "db-1", tags="{prod}")
    async with gateway(database_url, bus_url) as client:
        await ready(client)

        async def known() -> bool:
            return len((await get(client, "/hosts"))["hosts"]) == 3

        await eventually(known)
        looked = await bulk(client, "tag", filter={"tags": ["prod"], "q": "web"}, add_tags=["x"], dry_run=True)
        assert [each["host"] for each in looked["results"]] == ["web-1", "web-2"]
        assert set((await said(database_url, "version")).values()) == {1}
        await bulk(client, "tag", filter={"tags": ["prod"], "q": "web"}, add_tags=["x"])
    assert await said(database_url, "version") == {"web-1": 2, "web-2": 2, "db-1": 1}


async def test_hosts_are_archived_and_removed(database_url: str) -> None:
    await hosts(database_url, "web-1", "web-2", "db-1")
    async with asking(database_url) as client:
        kept = await bulk(client, "archive", hosts=["web-1", "nobody"])
        gone = await bulk(client, "remove", hosts=["web-2"])
    assert [(each["host"], each["done"]) for each in kept["results"]] == [("web-1", True), ("nobody", False)]
    assert gone["done"] == 1
    assert await said(database_url, "state") == {"web-1": "archived", "db-1": "active"}
    assert [(action, target) for action, target, _, _ in await audited(database_url)] == [
        ("POST /hosts/bulk", "web-1"),
        ("POST /hosts/bulk", "web-2"),
    ]


async def test_an_order_to_many_says_what_each_answered(database_url: str, bus_url: str) -> None:
    await hosts(database_url, "away-1")
    async with gateway(database_url, bus_url) as client:
        await ready(client)

        async def known() -> bool:
            return bool((await get(client, "/hosts"))["hosts"])

        await eventually(known)
        result = await bulk(client, "command", hosts=["away-1", "nobody"], command="ping")
    errors = {each["host"]: each["error"] for each in result["results"]}
    assert "is not connected to the bus" in errors["away-1"]
    assert "does not exist" in errors["nobody"]
    [(action, target, _, after)] = await audited(database_url)
    assert (action, target, after) == ("POST /hosts/bulk", "away-1", {"command": "ping", "arguments": {}})


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"change": "tag", "hosts": ["a"]}, "add_tags"),
        ({"change": "mute", "hosts": ["a"]}, "mute_s"),
        ({"change": "mute", "hosts": ["a"], "mute_s": 1}, "mute_s"),
        ({"change": "command", "hosts": ["a"]}, "command"),
        ({"change": "command", "hosts": ["a"], "command": "reboot"}, "command"),
        ({"change": "unmute"}, "hosts"),
        ({"change": "unmute", "hosts": []}, "hosts"),
        ({"change": "unmute", "hosts": ["a"], "filter": {"q": "a"}}, "hosts"),
        ({"change": "unmute", "filter": {}}, "filter"),
        ({"change": "unmute", "hosts": [f"h{n}" for n in range(1001)]}, "hosts"),
        ({"change": "explode", "hosts": ["a"]}, "change"),
    ],
)
async def test_a_change_that_says_too_little_or_too_much_is_refused(
    database_url: str, told: dict[str, Any], field: str
) -> None:
    async with asking(database_url) as client:
        answer = await client.post("/hosts/bulk", json=told)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_operator_tags_and_only_an_admin_removes(database_url: str) -> None:
    await hosts(database_url, "web-1")
    async with asking(database_url) as client:
        bearing(client, await add_token(database_url, "operator"))
        await bulk(client, "tag", hosts=["web-1"], add_tags=["prod"])
        refused = await client.post("/hosts/bulk", json={"change": "remove", "hosts": ["web-1"]})
    assert refused.status_code == 403
    assert await said(database_url, "state") == {"web-1": "active"}


async def test_a_thousand_hosts_change_at_once(database_url: str) -> None:
    names = [f"host-{number}" for number in range(1000)]
    await execute(database_url, "INSERT INTO hosts (name) SELECT 'host-' || n FROM generate_series(0, 999) n")
    async with asking(database_url) as client:
        assert (await bulk(client, "tag", hosts=names, add_tags=["prod"]))["done"] == 1000
    assert set(map(tuple, (await said(database_url, "tags")).values())) == {("prod",)}


async def test_of_many_hosts_that_go_what_the_last_sent_meanwhile_is_theirs(
    database_url: str, bus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departing, "AT_ONCE", 1)
    await hosts(database_url, "web-1", "web-2")
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        await bulk(client, "remove", hosts=["web-1", "web-2"])
    async with connection(database_url, "test") as database:
        first, last = await database.fetch("SELECT time_ns FROM removed_hosts ORDER BY name")
    assert first["time_ns"] < last["time_ns"]
