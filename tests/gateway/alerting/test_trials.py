"""The test button, from the request to the channel and back: gateway, bus, alert service and a real server."""

from __future__ import annotations

import pytest

from tests.alerts.deliver.receiver import KEY, receiver
from tests.alerts.fleet import fleet, serving
from tests.alerts.slack_server import CHANNEL, Reply, slack_server
from tests.gateway.running import gateway, ready
from tests.waiting import eventually


@pytest.mark.parametrize("kind", ["slack", "slack-bot", "webhook"])
async def test_a_test_shows_what_came_back_and_no_secret(database_url: str, bus_url: str, kind: str) -> None:
    async with (
        slack_server() as slack,
        receiver() as hook,
        fleet(bus_url, database_url) as hosts,
        serving(hosts.settings),
        gateway(database_url, bus_url, outbound_private=True) as client,
    ):
        await ready(client)
        target = {
            "slack": {"kind": "slack", "url": slack.url},
            "slack-bot": {"kind": kind, "room": CHANNEL, "token": "xoxb-SECRET", "api_url": slack.api_url},
            "webhook": {"kind": "webhook", "url": hook.url, "key": KEY},
        }[kind]
        answer = await client.post("/channels", json={"id": "ops", "name": "Ops", "target": target})
        assert answer.status_code == 201, answer.text

        async def tried() -> str:
            found = await client.post("/channels/ops/test")
            return "" if found.status_code == 503 else found.text

        text = await eventually(tried)
    expected = {"slack": '"200 ok"', "slack-bot": '"200 invalid_auth"', "webhook": '"200"'}[kind]
    assert expected in text
    assert "SECRET" not in text


async def test_a_held_channel_is_held_no_longer_once_a_test_arrived(database_url: str, bus_url: str) -> None:
    async with (
        slack_server() as slack,
        fleet(bus_url, database_url) as hosts,
        serving(hosts.settings),
        gateway(database_url, bus_url, outbound_private=True) as client,
    ):
        await ready(client)
        slack.script.append(Reply(404, "no_service"))
        target = {"kind": "slack", "url": slack.url}
        await client.post("/channels", json={"id": "ops", "name": "Ops", "target": target})
        await hosts.database.execute(
            "INSERT INTO channel_states (channel, held_since, held_reason, version) "
            "SELECT id, now(), 'no_service', version FROM channels WHERE id = 'ops'"
        )

        async def tried() -> bool | None:
            found = await client.post("/channels/ops/test")
            return None if found.status_code == 503 else found.json()["verdict"] == "dead"

        held = "SELECT held_since IS NOT NULL FROM channel_states WHERE channel = 'ops'"
        assert await eventually(tried)
        assert await hosts.database.fetchval(held)
        assert (await client.post("/channels/ops/test")).json()["ok"]
        assert not await hosts.database.fetchval(held)
