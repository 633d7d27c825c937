"""`/channels/slack/test`."""

from __future__ import annotations

from infra.servers.process import free_port
from tests.alerts.sink import Reply, slack_sink
from tests.gateway.running import ANY, gateway


async def test_slack_s_answer_comes_back_word_for_word(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url, outbound_private=True) as client, slack_sink() as sink:
        await client.put("/settings/slack_webhook_url", json={"value": sink.url}, headers=ANY)
        sink.script.extend([Reply(), Reply(404, "no_service"), Reply(200, "not quite")])
        answers = [(await client.post("/channels/slack/test")).json() for _ in range(3)]
    assert answers == [
        {"ok": True, "status": 200, "answer": "ok"},
        {"ok": False, "status": 404, "answer": "no_service"},
        {"ok": False, "status": 200, "answer": "not quite"},
    ]
    assert all(post["text"].startswith("Test message from Sonde") for post in sink.posts)


async def test_a_webhook_that_cannot_be_reached_is_told_without_its_secret(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url, outbound_private=True) as client:
        url = f"http://127.0.0.1:{free_port()}/services/SECRET"
        await client.put("/settings/slack_webhook_url", json={"value": url}, headers=ANY)
        answer = (await client.post("/channels/slack/test")).json()
    assert (answer["ok"], answer["status"]) == (False, 0)
    assert "ConnectError" in answer["answer"]
    assert "SECRET" not in answer["answer"]


async def test_without_a_webhook_the_test_says_what_to_set(database_url: str, bus_url: str) -> None:
    async with gateway(database_url, bus_url) as client:
        answer = await client.post("/channels/slack/test")
    assert answer.status_code == 409
    assert "slack_webhook_url" in answer.json()["detail"]


async def test_a_webhook_on_this_network_is_not_asked_unless_a_setting_allows_it(
    database_url: str, bus_url: str
) -> None:
    async with gateway(database_url, bus_url) as client, slack_sink() as sink:
        await client.put("/settings/slack_webhook_url", json={"value": sink.url}, headers=ANY)
        answer = (await client.post("/channels/slack/test")).json()
    assert (answer["ok"], answer["status"]) == (False, 0)
    assert "SONDE_OUTBOUND_PRIVATE=1" in answer["answer"]
    assert sink.posts == []
