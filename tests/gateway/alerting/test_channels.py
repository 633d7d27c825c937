"""`/channels`: secrets go in and never out, and nothing is left that names a channel that is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from nats.errors import NoRespondersError

from infra.servers.process import free_port
from infra.settings import ServerSettings
from infra.storage.database import connection
from schemas.channels import Channel, Trial
from schemas.subjects import TRY_CHANNEL
from tests.alerts.fleet import serving
from tests.alerts.slack_server import Reply, slack_server
from tests.gateway.asking import asking, get
from tests.gateway.incidents import hold_channel, message
from tests.gateway.running import ANY, gateway, publishing, ready
from tests.people import add_token
from tests.waiting import eventually

SECRET = "https://hooks.slack.example/services/T/B/verysecret"  # noqa: S105 -- of no service
SLACK = {"id": "ops", "name": "Operators", "target": {"kind": "slack", "url": SECRET}}
MAIL = {
    "id": "mail",
    "name": "Mail",
    "target": {
        "kind": "email",
        "server": "mail.example",
        "sender": "sonde@example.org",
        "recipients": ["ops@example.org"],
        "user": "sonde",
        "password": "verysecret",
    },
}


async def add(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/channels", json=body)
    assert answer.status_code == 201, answer.text
    assert "verysecret" not in answer.text
    found: dict[str, Any] = answer.json()
    return found


async def stored(database_url: str, name: str) -> Any:
    async with connection(database_url, "test") as database:
        return msgspec.json.decode(
            await database.fetchval("SELECT body FROM channels WHERE id = $1", name), type=Channel
        ).target


async def test_a_secret_goes_in_and_never_out(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        made = await add(client, SLACK)
        await add(client, MAIL)
        shown = [(await client.get(path)).text for path in ("/channels", "/channels/ops", "/channels/mail")]
        audit = await database.fetch("SELECT after::text FROM audit WHERE action LIKE '%channel%'")
    assert (made["channel"]["target"], made["secrets"]) == ({"kind": "slack", "url": ""}, ["url"])
    assert (await stored(database_url, "ops")).url == SECRET
    assert not [text for text in shown if "verysecret" in text]
    assert len(audit) == 2
    assert not [row for row in audit if "verysecret" in row["after"]]


async def test_an_empty_secret_stays_as_it_was(database_url: str) -> None:
    async with asking(database_url) as client:
        made = await add(client, SLACK)
        put = await client.put("/channels/ops", json={**made["channel"], "name": "All"}, headers={"If-Match": '"1"'})
        late = await client.put("/channels/ops", json=made["channel"], headers={"If-Match": '"1"'})
    assert (put.status_code, put.json()["channel"]["name"], put.json()["secrets"]) == (200, "All", ["url"])
    assert late.status_code == 412
    assert (await stored(database_url, "ops")).url == SECRET


async def test_a_secret_goes_to_no_other_place_than_before(database_url: str) -> None:
    async with asking(database_url) as client:
        made = (await add(client, MAIL))["channel"]
        moved = {**made, "target": {**made["target"], "server": "evil.example"}}
        answer = await client.put("/channels/mail", json=moved, headers=ANY)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["target.password"]


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ({"kind": "slack"}, "target.url"),
        ({"kind": "slack", "url": "ftp://x/verysecret"}, "target.url"),
        ({"kind": "slack", "url": "http://xn--/verysecret"}, "target.url"),
        ({"kind": "slack", "url": "http://h:99999/verysecret"}, "target.url"),
        ({"kind": "slack", "url": "a\0verysecret"}, "target.url"),
        ({"kind": "pigeon", "url": "verysecret"}, "target.kind"),
        ({"url": "verysecret"}, "target.kind"),
        ({"kind": "slack", "password": "verysecret"}, "target.password"),
        ({"kind": "email", "server": "m", "sender": "a@b.c", "recipients": []}, "target.recipients"),
        ({"kind": "apprise", "url": "file:///etc/verysecret"}, "target.url"),
    ],
)
async def test_a_channel_that_cannot_work_is_refused_without_repeating_its_secret(
    target: dict[str, Any], field: str, database_url: str
) -> None:
    async with asking(database_url) as client:
        answer = await client.post("/channels", json={"id": "a", "name": "A", "target": target})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "verysecret" not in answer.text


async def test_a_channel_that_routes_and_fallbacks_name_is_removed_by_force_only(database_url: str) -> None:
    async with asking(database_url) as client:
        await add(client, SLACK)
        await add(client, {**MAIL, "fallback": "ops"})
        route = {"id": "web", "name": "Web", "channels": ["ops", "mail"]}
        await client.post("/routes", json=route)
        late = {"id": "late", "name": "Late", "channels": ["mail"], "escalation": {"after_s": 60, "channels": ["ops"]}}
        await client.post("/routes", json=late)
        refused = await client.delete("/channels/ops")
        forced = await client.delete("/channels/ops?force=true")
        routes = {each["route"]["id"]: each["route"] for each in (await get(client, "/routes"))["routes"]}
        mail = (await get(client, "/channels/mail"))["channel"]
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/in-use")
    assert all(name in refused.json()["detail"] for name in ("route web", "route late", "fallback of mail"))
    assert forced.status_code == 204
    assert (routes["web"]["channels"], routes["late"]["escalation"], mail["fallback"]) == (["mail"], None, "")


async def test_a_fallback_that_is_not_there_is_refused(database_url: str) -> None:
    async with asking(database_url) as client:
        unknown = await client.post("/channels", json={**SLACK, "fallback": "nobody"})
        itself = await client.post("/channels", json={**SLACK, "fallback": "ops"})
    assert [answer.json()["errors"][0]["field"] for answer in (unknown, itself)] == ["fallback", "fallback"]


async def test_a_held_channel_says_why_until_it_is_changed_or_released(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        made = await add(client, SLACK)
        await message(database, "ops", "dead", "404 no_service")
        await hold_channel(database, "ops")
        held = (await get(client, "/channels/ops"))["state"]
        released = (await client.post("/channels/ops/release")).json()["state"]
        await database.execute("UPDATE channel_states SET held_since = now(), held_reason = 'x'")
        changed = await client.put("/channels/ops", json=made["channel"], headers=ANY)
    assert (held["held_reason"], held["failures"], held["last_status"]) == ("404 no_service", 3, "dead")
    assert (released["held_since"], released["held_reason"], released["failures"]) == (None, "", 0)
    assert changed.json()["state"]["held_since"] is None


async def test_a_stored_channel_that_cannot_be_read_is_named_without_its_secret(database_url: str) -> None:
    async with asking(database_url) as client, connection(database_url, "test") as database:
        body = '{"id": "later", "target": {"kind": "pigeon", "url": "verysecret"}}'
        await database.execute("INSERT INTO channels (id, body) VALUES ('later', $1)", body)
        await add(client, SLACK)
        listed = await client.get("/channels")
        one = await client.get("/channels/later")
        put = await client.put("/channels/later", json={**SLACK, "id": "later"}, headers=ANY)
    assert [each["channel"]["id"] for each in listed.json()["channels"]] == ["ops"]
    assert [each["id"] for each in listed.json()["unreadable"]] == ["later"]
    assert "verysecret" not in listed.text + one.text
    assert (one.status_code, put.status_code) == (409, 200)


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 403), ("admin", 201)])
async def test_only_administrators_make_channels(role: Any, status: int, database_url: str) -> None:
    token = await add_token(database_url, role)
    async with asking(database_url, token=token) as client:
        assert (await client.post("/channels", json=SLACK)).status_code == status


async def test_a_test_while_nobody_listens_says_that_the_alert_service_is_away(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        await add(client, SLACK)
        answer = await client.post("/channels/ops/test")
        unknown = await client.post("/channels/nobody/test")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/alerts-away")
    assert unknown.status_code == 404


@asynccontextmanager
async def both(database_url: str, bus_url: str, private: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway and the alert service at work."""
    settings = ServerSettings(nats_url=bus_url, database_url=database_url, outbound_private=private)
    async with serving(settings), gateway(database_url, bus_url) as client, publishing(bus_url) as asking_too:
        await ready(client)

        async def listens() -> bool:
            try:
                await asking_too.request(TRY_CHANNEL, msgspec.json.encode(Trial("nobody")), timeout=30)
            except NoRespondersError:
                return False
            return True

        await eventually(listens)
        yield client


def at(url: str) -> dict[str, Any]:
    return {**SLACK, "target": {"kind": "slack", "url": url}}


async def test_a_test_says_what_the_channel_answered_and_releases_it_when_it_works(
    database_url: str, bus_url: str
) -> None:
    async with slack_server() as slack, both(database_url, bus_url) as client:
        await add(client, at(slack.url))
        async with connection(database_url, "test") as database:
            await hold_channel(database, "ops")
        slack.script.append(Reply(404, "no_service"))
        refused = (await client.post("/channels/ops/test")).json()
        still = (await get(client, "/channels/ops"))["state"]["held_reason"]
        sent = (await client.post("/channels/ops/test")).json()
        state = (await get(client, "/channels/ops"))["state"]
    assert (refused["ok"], refused["verdict"], "no_service" in refused["answer"]) == (False, "dead", True)
    assert still == "404 no_service"
    assert (sent["ok"], sent["verdict"]) == (True, "sent")
    assert (state["held_since"], state["failures"]) == (None, 0)


async def test_a_channel_that_cannot_be_reached_is_told_without_its_secret(database_url: str, bus_url: str) -> None:
    async with both(database_url, bus_url) as client:
        await add(client, at(f"http://127.0.0.1:{free_port()}/services/SECRET"))
        answer = await client.post("/channels/ops/test")
    assert answer.status_code == 200
    assert not answer.json()["ok"]
    assert "SECRET" not in answer.text


async def test_a_channel_on_this_network_is_not_asked_unless_a_setting_allows_it(
    database_url: str, bus_url: str
) -> None:
    async with slack_server() as slack, both(database_url, bus_url, private=False) as client:
        await add(client, at(slack.url))
        answer = (await client.post("/channels/ops/test")).json()
    assert not answer["ok"]
    assert "SONDE_OUTBOUND_PRIVATE=1" in answer["answer"]
    assert slack.posts == []
