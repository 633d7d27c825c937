"""What people say of hosts: label, tags, note, muting; and hosts that wait for their machines."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from infra.authority.authority import Authority, ensure_authority
from infra.authority.keys import make_key
from infra.clock import now_ms
from infra.storage.database import connection
from schemas.catalogue import CATALOGUE
from schemas.version import VERSION
from services.gateway import held
from services.gateway.fleet.memory import Fleet
from tests.alerts.builders import rule
from tests.alerts.fleet import fleet, serving
from tests.alerts.slack_server import slack_server
from tests.authority import enrol, made_token
from tests.gateway.asking import asking, get
from tests.gateway.rows import execute
from tests.gateway.running import gateway, ready, watching
from tests.people import add_token, bearing
from tests.waiting import eventually

Announcing = Callable[..., Callable[[str, int], Awaitable[None]]]

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return ensure_authority(tmp_path_factory.mktemp("tending") / "authority")


async def a_host(database_url: str, name: str = "web-1", facts: str = "{}") -> None:
    await execute(database_url, f"INSERT INTO hosts (name, facts) VALUES ('{name}', '{facts}')")  # noqa: S608


async def change(client: httpx.AsyncClient, expected: str = "*", **told: Any) -> httpx.Response:
    return await client.patch("/hosts/web-1", json=told, headers={"If-Match": expected})


async def audited(database_url: str) -> list[tuple[str, str, Any, Any]]:
    async with connection(database_url, "test") as database:
        rows = await database.fetch("SELECT action, target, before, after FROM audit ORDER BY id")
    return [
        (row["action"], row["target"], *(row[k] and json.loads(row[k]) for k in ("before", "after"))) for row in rows
    ]


async def test_what_is_said_of_a_host_is_read_back(database_url: str) -> None:
    await a_host(database_url)
    until = now_ms() + HOUR_MS
    async with asking(database_url) as client:
        told = await change(
            client, label=" Shop front ", tags=["prod", "eu", "prod"], note="Ask ada.", muted_until=until
        )
        read = await get(client, "/hosts/web-1")
    assert told.status_code == 200
    assert told.json() == read
    assert (read["label"], read["tags"], read["note"], read["muted_until"]) == (
        "Shop front",
        ["prod", "eu"],
        "Ask ada.",
        until,
    )
    assert (told.headers["etag"], read["version"]) == ('"2"', 2)


async def test_what_is_left_out_stays(database_url: str) -> None:
    await a_host(database_url)
    async with asking(database_url) as client:
        await change(client, label="Shop", tags=["prod"], note="n", muted_until="forever")
        read = (await change(client, tags=[])).json()
    assert (read["label"], read["tags"], read["note"], read["muted_until"]) == ("Shop", [], "n", "forever")


async def test_a_change_that_changes_nothing_is_none(database_url: str) -> None:
    await a_host(database_url)
    async with asking(database_url) as client:
        await change(client, label="Shop")
        again = await change(client, label="Shop")
    assert again.json()["version"] == 2
    assert len(await audited(database_url)) == 1


async def test_a_host_that_was_changed_meanwhile_is_not_overwritten(database_url: str) -> None:
    await a_host(database_url)
    async with asking(database_url) as client:
        first = await change(client, '"1"', label="mine")
        second = await change(client, '"1"', label="theirs")
    assert (first.status_code, second.status_code, second.headers["etag"]) == (200, 412, '"2"')


@pytest.mark.parametrize("until", [None, 0, 1_000_000])
async def test_a_host_is_unmuted_by_null_and_by_a_time_that_is_over(database_url: str, until: int | None) -> None:
    await a_host(database_url)
    async with asking(database_url) as client:
        await change(client, muted_until="forever")
        assert (await change(client, muted_until=until)).json()["muted_until"] is None


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"tags": ["two words"]}, "tags[0]"),
        ({"tags": ["a\0"]}, "tags[0]"),
        ({"tags": ["x" * 41]}, "tags[0]"),
        ({"tags": [str(n) for n in range(21)]}, "tags"),
        ({"label": "two\nlines"}, "label"),
        ({"label": "x" * 81}, "label"),
        ({"note": "a\0"}, "note"),
        ({"muted_until": -1}, "muted_until"),
        ({"muted_until": 2**63}, "muted_until"),
        ({"muted_until": "never"}, "muted_until"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_cannot_be_said_is_named(database_url: str, told: dict[str, Any], field: str) -> None:
    await a_host(database_url)
    async with asking(database_url) as client:
        answer = await change(client, **told)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_nothing_is_said_of_a_host_that_is_not_there(database_url: str) -> None:
    async with asking(database_url) as client:
        assert (await change(client, label="x")).status_code == 404


async def test_a_change_is_in_the_audit_log(database_url: str) -> None:
    await a_host(database_url)
    async with asking(database_url) as client:
        await change(client, tags=["prod"], muted_until="forever")
    [(action, target, before, after)] = await audited(database_url)
    assert (action, target) == ("PATCH /hosts/{host}", "web-1")
    assert before == {"label": "", "tags": [], "note": "", "muted_until": None}
    assert after == {"label": "", "tags": ["prod"], "note": "", "muted_until": "forever"}


async def test_tags_are_the_servers_and_an_agent_proposes(database_url: str) -> None:
    facts = json.dumps({"tags": ["web", "prod"], "agent_version": VERSION})
    await a_host(database_url, facts=facts)
    async with gateway(database_url, "nats://127.0.0.1:1") as client:
        await change(client, tags=["prod"])

        async def shown() -> bool:
            host = (await client.get("/hosts/web-1")).json()
            assert (host["tags"], host["proposed_tags"], host["update"]) == (["prod"], ["web"], "current")
            return True

        await eventually(shown)


async def test_an_agent_of_another_version_is_told_apart(database_url: str) -> None:
    await a_host(database_url, facts='{"agent_version": "0.0.9"}')
    async with gateway(database_url, "nats://127.0.0.1:1") as client:

        async def shown() -> bool:
            answer = await client.get("/hosts/web-1")
            return answer.status_code == 200 and answer.json()["update"] == "other"

        await eventually(shown)


async def test_viewers_of_every_gateway_see_a_change(database_url: str, bus_url: str) -> None:
    await a_host(database_url)
    async with gateway(database_url, bus_url) as here, gateway(database_url, bus_url) as there:
        for client in (here, there):
            await ready(client)
        async with watching(here) as near, watching(there) as far:
            for stream in (near, far):
                await stream.until("snapshot")
            await change(here, label="Shop", tags=["prod"], muted_until="forever")
            for stream in (near, far):
                event = await stream.until("host", lambda host: host["label"] == "Shop")
                assert (event.data["tags"], event.data["muted_until"]) == (["prod"], "forever")


async def test_a_host_waits_for_its_machine(database_url: str, authority: Authority) -> None:
    async with asking(database_url, authority=str(authority.directory)) as client:
        made = await client.post("/hosts", json={"name": "db-1", "tags": ["prod"], "label": "Ledger"})
        assert made.status_code == 201, made.text
        host = made.json()["host"]
        assert (host["id"], host["label"], host["tags"], host["state"]) == ("db-1", "Ledger", ["prod"], "offline")
        assert made.json()["token"]["host"] == "db-1"
        joined = await enrol(client, made.json()["secret"], make_key("user"), "some-machine")
        assert (joined.status_code, joined.json()["host"]) == (201, "db-1")
        again = await enrol(client, made.json()["secret"], make_key("user"), "other")
        assert again.status_code == 403
    async with connection(database_url, "test") as database:
        row = await database.fetchrow("SELECT label, tags FROM hosts WHERE name = 'db-1'")
    assert tuple(row) == ("Ledger", ["prod"])


async def test_a_host_is_made_once(database_url: str) -> None:
    await a_host(database_url)
    async with asking(database_url) as client:
        answer = await client.post("/hosts", json={"name": "web-1"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/host-exists")


@pytest.mark.parametrize("name", ["fleet", "UPPER", "", "a b"])
async def test_a_name_that_no_host_may_have_makes_none(database_url: str, name: str) -> None:
    async with asking(database_url) as client:
        answer = await client.post("/hosts", json={"name": name})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]


async def test_a_made_host_is_in_the_audit_log_without_its_secret(database_url: str) -> None:
    async with asking(database_url) as client:
        secret = (await client.post("/hosts", json={"name": "db-1"})).json()["secret"]
    [(action, target, before, after)] = await audited(database_url)
    assert (action, target, before) == ("POST /hosts", "db-1", None)
    assert secret not in str(after)


async def test_a_token_that_has_tags_gives_them_and_an_agents_own_are_proposals(
    database_url: str, authority: Authority
) -> None:
    async with asking(database_url, authority=str(authority.directory)) as client:
        await enrol(client, await made_token(client, tags=["web", "eu"]), make_key("user"), "web-1")
    await execute(database_url, """UPDATE hosts SET facts = '{"tags": ["gpu", "eu"]}'""")
    async with gateway(database_url, "nats://127.0.0.1:1") as client:

        async def shown() -> bool:
            answer = await client.get("/hosts/web-1")
            assert answer.status_code == 200
            assert (answer.json()["tags"], answer.json()["proposed_tags"]) == (["web", "eu"], ["gpu"])
            return True

        await eventually(shown)


async def test_a_viewer_may_say_nothing_of_a_host_and_an_operator_may_make_none(database_url: str) -> None:
    await a_host(database_url)
    async with asking(database_url) as client:
        bearing(client, await add_token(database_url, "viewer"))
        assert (await change(client, label="x")).status_code == 403
        bearing(client, await add_token(database_url, "operator"))
        assert (await change(client, label="x")).status_code == 200
        assert (await client.post("/hosts", json={"name": "db-1"})).status_code == 403


async def test_whoever_mutes_a_host_is_not_notified_until_they_unmute_it(database_url: str, bus_url: str) -> None:
    async with (
        slack_server() as slack,
        fleet(bus_url, database_url, [rule(for_s=0, recover_for_s=0)]) as hosts,
        serving(hosts.settings),
        gateway(database_url, bus_url, outbound_private=True) as client,
    ):
        await ready(client)
        await hosts.slack(slack.url)
        await hosts.processed(await hosts.cpu([10], at_s=0))
        assert (await change(client, muted_until="forever")).status_code == 200
        await hosts.cpu([80], at_s=1)
        await hosts.until("fire")

        async def is_held() -> bool:
            held = "SELECT count(*) FROM incident_steps WHERE kind = 'held' AND body ->> 'text' LIKE '%muted%'"
            return bool(await hosts.database.fetchval(held))

        await eventually(is_held)
        assert slack.posts == []
        await bulk_unmute(client)
        await eventually(lambda: len(slack.posts) == 1)


async def bulk_unmute(client: httpx.AsyncClient) -> None:
    answer = await client.post("/hosts/bulk", json={"change": "unmute", "hosts": ["web-1"]})
    assert answer.json()["done"] == 1


def forgetting(fleet: Fleet, *names: str) -> Announcing:
    """An announcement during which somebody removes those hosts."""

    async def announce(key: str, version: int) -> None:
        for name in names:
            fleet.forget(name)

    return lambda *_: announce


async def test_a_host_removed_while_its_change_is_announced_was_changed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_host(database_url)
    machines = Fleet(CATALOGUE)
    monkeypatch.setattr(held, "announcer", forgetting(machines, "web-1", "web-2"))
    async with asking(database_url, fleet=machines) as client:
        assert (await change(client, label="Shop")).json()["label"] == "Shop"
        made = await client.post("/hosts", json={"name": "web-2"})
    assert (made.status_code, made.json()["host"]["id"]) == (201, "web-2")


async def test_a_host_removed_while_it_is_archived_is_unknown(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_host(database_url)
    machines = Fleet(CATALOGUE)
    monkeypatch.setattr(held, "announcer", forgetting(machines, "web-1"))
    async with asking(database_url, fleet=machines) as client:
        assert (await client.delete("/hosts/web-1", params={"history": "keep"})).status_code == 404
