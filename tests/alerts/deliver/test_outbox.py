"""Delivery on real servers, with a local HTTP server standing for Slack."""

from __future__ import annotations

import logging

import pytest
from msgspec import structs

from infra.log import set_up_logging
from tests.alerts.builders import rule
from tests.alerts.fleet import Fleet, fleet, serving, serving_until_killed
from tests.alerts.sink import Reply, slack_sink
from tests.waiting import eventually

QUICK = rule(for_s=0, recover_for_s=0)


async def swing(hosts: Fleet, times: int = 1, at_s: float = 0, host: str = "web-1") -> None:
    """Fire and resolve so many times."""
    for index in range(times):
        await hosts.cpu([80, 80, 10, 10], at_s=at_s + 4 * index, host=host)


async def test_slack_is_told_of_firing_and_resolving(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.setting("dashboard_url", "http://sonde.example")
        await swing(hosts)
        await eventually(lambda: len(slack.posts) == 2)
        assert slack.headlines == ["🟠 Warning: CPU busy on web-1", "🟢 Resolved (warning): CPU busy on web-1"]
        assert "http://sonde.example/hosts/web-1" in str(slack.posts[0])
        await hosts.delivered()
        assert await hosts.outbox() == [("sent", 1, "200 ok")] * 2


async def test_messages_keep_their_distance(bus_url: str, database_url: str) -> None:
    async with (
        slack_sink() as slack,
        fleet(bus_url, database_url, [QUICK]) as hosts,
        serving(hosts.settings, slack_pace_s=1),
    ):
        await hosts.setting("slack_webhook_url", slack.url)
        await swing(hosts)
        await eventually(lambda: len(slack.posts) == 2)
        assert slack.times_s[1] - slack.times_s[0] >= 1


async def test_without_a_webhook_nothing_waits_for_slack(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await swing(hosts)
        await hosts.until("fire", "resolve")
        assert await hosts.outbox() == []
        assert len(await hosts.outbox("bus")) == 2


async def test_a_transient_answer_is_tried_again_in_order(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        slack.script += [Reply(503, "upstream"), Reply(500, "rollup_error")]
        await hosts.setting("slack_webhook_url", slack.url)
        await swing(hosts)
        await eventually(lambda: len(slack.posts) == 4)
        assert [line.split()[0] for line in slack.headlines] == ["🟠", "🟠", "🟠", "🟢"]
        await hosts.delivered()
        assert await hosts.outbox() == [("sent", 3, "200 ok"), ("sent", 1, "200 ok")]


async def test_retry_after_is_waited_out(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        slack.script += [Reply(429, "rate_limited", {"Retry-After": "2"})]
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: len(slack.posts) == 2)
        assert slack.times_s[1] - slack.times_s[0] >= 2


async def test_refused_blocks_are_sent_once_more_as_text(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        slack.script += [Reply(400, "invalid_blocks")]
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: len(slack.posts) == 2)
        assert list(slack.posts[1]) == ["text"]
        await hosts.delivered()
        assert await hosts.outbox() == [("sent", 1, "200 ok")]


async def test_what_slack_refuses_even_as_text_is_dead_and_the_next_goes_on(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        slack.script += [Reply(400, "invalid_payload"), Reply(400, "invalid_payload")]
        await hosts.setting("slack_webhook_url", slack.url)
        await swing(hosts)
        await eventually(lambda: len(slack.posts) == 3)
        await hosts.delivered()
        assert await hosts.outbox() == [("dead", 1, "400 invalid_payload"), ("sent", 1, "200 ok")]


async def test_a_dead_channel_keeps_its_answer(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        slack.script += [Reply(404, "no_service")]
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: len(slack.posts) == 1)
        await hosts.delivered()
        assert await hosts.outbox() == [("dead", 1, "404 no_service")]


async def test_what_could_not_be_sent_for_an_hour_expires(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts:
        await hosts.setting("slack_webhook_url", "http://127.0.0.1:1/nobody")
        async with serving(hosts.settings):
            await hosts.cpu([80], at_s=0)
            await eventually(lambda: tried(hosts))
        await hosts.database.execute("UPDATE outbox SET made = made - interval '61 min' WHERE channel = 'slack'")
        async with serving(hosts.settings):
            await hosts.delivered()
        ((status, _, answer),) = await hosts.outbox()
        assert status == "expired"
        assert answer.startswith("gave up after 60 min; last answer: no connection (ConnectError); ")
        assert slack.posts == []


async def tried(hosts: Fleet) -> bool:
    return any(attempts for _, attempts, _ in await hosts.outbox())


async def test_a_corrected_webhook_is_used_at_once(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", "http://127.0.0.1:1/nobody")
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: tried(hosts))
        await hosts.database.execute("UPDATE outbox SET next_try = now() + interval '1 h' WHERE status = 'waiting'")
        await hosts.setting("slack_webhook_url", slack.url)
        await eventually(lambda: len(slack.posts) == 1)


async def test_messages_for_a_removed_webhook_are_dropped(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", "http://127.0.0.1:1/nobody")
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: tried(hosts))
        await hosts.setting("slack_webhook_url", "")
        await hosts.delivered()
        assert (await hosts.outbox())[0][0] == "dropped"


async def test_a_slack_that_hangs_delays_neither_judging_nor_the_bus(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts:
        slack.script += [Reply(after_s=250)] * 20
        await hosts.setting("slack_webhook_url", slack.url)
        async with serving(hosts.settings):
            await hosts.cpu([80], at_s=0)
            await eventually(lambda: len(slack.posts) == 1)
            await hosts.cpu([10, 80, 10], at_s=1)
            await hosts.until("fire", "resolve", "fire", "resolve")
            await hosts.delivered("bus")
            assert {status for status, _, _ in await hosts.outbox()} == {"waiting"}


async def test_a_kill_between_sending_and_noting_it_loses_nothing(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts:
        slack.script += [Reply(after_s=30)]
        await hosts.setting("slack_webhook_url", slack.url)
        async with serving_until_killed(hosts.settings):
            await swing(hosts)
            await eventually(lambda: len(slack.posts) == 1)
        async with serving(hosts.settings):
            await hosts.delivered()
        assert [line.split()[0] for line in slack.headlines] == ["🟠", "🟠", "🟢"]


async def test_the_webhooks_address_is_neither_logged_nor_kept(
    bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        slack.script += [Reply(503, f"cannot reach {slack.url}"), Reply(403, slack.url)]
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: len(slack.posts) == 2)
        await hosts.delivered()
        assert await hosts.outbox() == [("dead", 2, "403 ***")]
        ours = [record for record in caplog.records if record.name.startswith(("services", "infra"))]
        assert ours
        assert not [record for record in ours if "SECRET" in f"{record.getMessage()} {record.__dict__}"]


def test_the_http_client_which_logs_addresses_is_kept_quiet() -> None:
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    level = root.level
    try:
        set_up_logging("json")
        assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
        assert not logging.getLogger("httpcore").isEnabledFor(logging.INFO)
    finally:
        root.handlers[:] = before
        root.setLevel(level)


async def test_a_webhook_on_this_network_is_not_asked_unless_a_setting_allows_it(
    bus_url: str, database_url: str
) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts:
        await hosts.setting("slack_webhook_url", slack.url)
        async with serving(structs.replace(hosts.settings, outbound_private=False)):
            await hosts.cpu([80], at_s=0)
            await eventually(lambda: any_of(hosts))
            await hosts.delivered()
        ((status, _, answer),) = await hosts.outbox()
        assert status == "dead"
        assert "SONDE_OUTBOUND_PRIVATE=1" in answer
        assert slack.posts == []


@pytest.mark.parametrize("url", ["http://xn--/SECRET", "http://127.0.0.1:SECRET/"])
async def test_an_address_that_nothing_can_be_sent_to_neither_ends_delivery_nor_gets_messages(
    bus_url: str, database_url: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: len(slack.posts) == 1)
        await hosts.setting("slack_webhook_url", url)
        await hosts.cpu([10], at_s=2)
        await eventually(lambda: len(slack.posts) == 2)
    assert "SECRET" not in caplog.text


async def any_of(hosts: Fleet) -> bool:
    return bool(await hosts.outbox())
