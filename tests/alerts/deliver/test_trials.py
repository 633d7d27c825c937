"""Test messages, asked for over the bus as the gateway does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import nats.errors
import pytest
from nats.aio.client import Client

from infra.bus.connection import BUS_TRANSIENT
from schemas.channels import Channel, Slack, SlackBot, Trial, TrialAnswer, Webhook
from schemas.subjects import TRY_CHANNEL
from tests.alerts.deliver.receiver import KEY, receiver
from tests.alerts.fleet import fleet, serving
from tests.alerts.slack_server import CHANNEL, Reply, slack_server
from tests.authority import as_user, guarded_bus
from tests.waiting import eventually


async def asked(client: Client, trial: Trial | bytes) -> TrialAnswer:
    """The answer, once the service is there."""
    data = trial if isinstance(trial, bytes) else msgspec.json.encode(trial)

    async def answered() -> Any:
        try:
            return await client.request(TRY_CHANNEL, data, timeout=30)
        except nats.errors.NoRespondersError:
            return None

    message = await eventually(answered)
    return msgspec.json.decode(message.data, type=TrialAnswer)


async def test_a_stored_channel_is_tried(bus_url: str, database_url: str) -> None:
    async with slack_server() as slack, fleet(bus_url, database_url) as hosts, serving(hosts.settings):
        await hosts.slack(slack.url)
        answer = await asked(hosts.client, Trial("slack"))
    assert (answer.ok, answer.verdict, answer.answer) == (True, "sent", "200 ok")
    assert slack.headlines == ["✅ Test message from Sonde"]


async def test_a_draft_is_tried_as_it_is_given(bus_url: str, database_url: str) -> None:
    async with receiver() as there, fleet(bus_url, database_url) as hosts, serving(hosts.settings):
        answer = await asked(hosts.client, Trial(draft=Channel("new", "New", Webhook(there.url, KEY))))
        assert answer.ok
        assert there.genuine == [True]
        assert await hosts.database.fetchval("SELECT count(*) FROM channels WHERE id = 'new'") == 0


async def test_what_a_channel_answers_is_said_word_for_word_without_its_secrets(
    bus_url: str, database_url: str
) -> None:
    async with slack_server() as slack, fleet(bus_url, database_url) as hosts, serving(hosts.settings):
        bot = SlackBot(CHANNEL, "xoxb-wrong-SECRET", slack.api_url)
        first = await asked(hosts.client, Trial(draft=Channel("bot", "Bot", bot)))
        slack.script.append(Reply(404, f"no_service at {slack.url}"))
        second = await asked(hosts.client, Trial(draft=Channel("hook", "Hook", Slack(slack.url))))
    assert (first.ok, first.verdict, first.answer) == (False, "dead", "200 invalid_auth")
    assert second.answer.startswith("404 no_service at")
    assert "SECRET" not in second.answer


@pytest.mark.parametrize("trial", [Trial("nobody"), b"not JSON", b"{}", b'{"draft":{"id":"x"}}'])
async def test_what_cannot_be_tried_is_unknown(bus_url: str, database_url: str, trial: Trial | bytes) -> None:
    async with fleet(bus_url, database_url) as hosts, serving(hosts.settings):
        answer = await asked(hosts.client, trial)
    assert (answer.ok, answer.verdict) == (False, "unknown")
    assert answer.answer


async def test_only_so_many_are_tried_at_once(bus_url: str, database_url: str) -> None:
    async with slack_server() as slack, fleet(bus_url, database_url) as hosts, serving(hosts.settings):
        await hosts.slack(slack.url)
        await asked(hosts.client, Trial("slack"))
        slack.script.extend(Reply(after_s=1000) for _ in range(4))
        request = msgspec.json.encode(Trial("slack"))
        for _ in range(4):
            await hosts.client.publish(TRY_CHANNEL, request, reply=hosts.client.new_inbox())
        await eventually(lambda: len(slack.posts) == 5)
        answer = await asked(hosts.client, Trial("slack"))
    assert (answer.ok, answer.verdict) == (False, "unknown")
    assert "under way" in answer.answer


@pytest.mark.parametrize("other", ["ingest", "retention", "tools"])
async def test_nobody_but_the_gateway_may_ask(tmp_path: Path, other: str) -> None:
    async with guarded_bus(tmp_path) as (server, authority), as_user(server, authority, "alerts") as alerts:
        heard: list[bytes] = []

        async def answer(message: Any) -> None:
            heard.append(message.data)
            await message.respond(b"answered")

        await alerts.subscribe(TRY_CHANNEL, queue="alerts", cb=answer)
        await alerts.flush()
        async with as_user(server, authority, other) as stranger:
            with pytest.raises(BUS_TRANSIENT):
                await stranger.request(TRY_CHANNEL, b"stranger", timeout=0.5)
        async with as_user(server, authority, "gateway") as gateway:
            assert (await gateway.request(TRY_CHANNEL, b"gateway", timeout=30)).data == b"answered"
    assert heard == [b"gateway"]
