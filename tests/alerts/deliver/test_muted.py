"""A host that is muted: its alerts go on, and nobody is told of them until it is not muted any more."""

from __future__ import annotations

import pytest

from schemas.rules import Threshold
from services.alerts import sql
from tests.alerts.builders import rule
from tests.alerts.fleet import Fleet, fleet, serving
from tests.alerts.sink import Sink, slack_sink
from tests.removing import remove
from tests.waiting import eventually

QUICK = rule(for_s=0, recover_for_s=0)
TWO_LEVELS = rule(for_s=0, recover_for_s=0, warning=Threshold(70, 60), critical=Threshold(90, 80))


async def mute(hosts: Fleet, until: str = "'infinity'", host: str = "web-1") -> None:
    """Mute a host, which need not be there yet, and announce it; `until` is SQL."""
    await hosts.database.execute(
        f"""
        INSERT INTO hosts (name, muted_until) VALUES ($1, {until})
        ON CONFLICT (name) DO UPDATE SET muted_until = excluded.muted_until
        """,  # noqa: S608 -- of this file
        host,
    )
    await hosts.client.publish("settings.changed", b'{"key":"tended","version":1}')


async def held(hosts: Fleet, number: int) -> bool:
    return [status for status, _, _ in await hosts.outbox()].count("muted") == number


async def told(slack: Sink, *marks: str) -> None:
    """Wait until exactly these were told, by the first character of each headline."""

    def all_told() -> bool:
        assert [line[0] for line in slack.headlines] == list(marks)
        return True

    await eventually(all_told)


async def test_of_a_muted_host_nobody_is_told_while_its_history_and_the_live_stream_go_on(
    bus_url: str, database_url: str
) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await mute(hosts)
        await hosts.cpu([80, 10], at_s=0)
        await hosts.cpu([80], at_s=0, host="db-1")
        await hosts.until("fire", "resolve", "fire")
        await hosts.delivered("bus")
        await eventually(lambda: held(hosts, 2))
        await told(slack, "🟠")
        assert "db-1" in slack.headlines[0]


async def test_what_begins_to_wait_after_others_were_held_is_not_sent_either(bus_url: str, database_url: str) -> None:
    async with fleet(bus_url, database_url) as hosts:
        await mute(hosts)
        number = await hosts.database.fetchval(
            """
            INSERT INTO alert_transitions (time, host_id, rule_id, instance, kind, body)
            SELECT now(), id, 'busy', '', 'fire', '{}' FROM hosts RETURNING id
            """
        )
        await hosts.database.execute(sql.INSERT_OUTBOX, [number], ["bus", "slack"])
        assert await hosts.database.fetch(sql.WAITING, "slack", 10, 3600.0) == []
        assert len(await hosts.database.fetch(sql.WAITING, "bus", 10, 3600.0)) == 1


async def test_what_still_fires_is_told_once_the_host_is_not_muted_any_more(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await mute(hosts)
        await hosts.cpu([80, 10, 80], at_s=0)
        await eventually(lambda: held(hosts, 3))
        await mute(hosts, "NULL")
        await told(slack, "🟠")
        await hosts.delivered()
        assert [status for status, _, _ in await hosts.outbox()] == ["dropped", "dropped", "sent"]


async def test_what_came_and_went_while_the_host_was_muted_is_not_told(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await mute(hosts)
        await hosts.cpu([80, 10], at_s=0)
        await eventually(lambda: held(hosts, 2))
        await mute(hosts, "NULL")
        await eventually(lambda: held(hosts, 0))
        await hosts.delivered()
        assert await hosts.outbox() == [("dropped", 0, "the host was muted")] * 2
        assert slack.posts == []


async def test_the_end_of_what_was_told_before_is_told_afterwards(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [TWO_LEVELS]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([75], at_s=0)
        await told(slack, "🟠")
        await mute(hosts)
        await hosts.cpu([95, 10], at_s=1)
        await eventually(lambda: held(hosts, 2))
        await mute(hosts, "NULL")
        await told(slack, "🟠", "🟢")


async def test_a_mute_ends_by_itself(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await mute(hosts, "now() + interval '1 hour'")
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: held(hosts, 1))
        await mute(hosts, "now() - interval '1 second'")
        await told(slack, "🟠")


async def test_what_was_held_for_long_is_news_when_it_is_released(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await mute(hosts)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: held(hosts, 1))
        await hosts.database.execute("UPDATE outbox SET made = made - interval '3 days' WHERE channel = 'slack'")
        await mute(hosts, "NULL")
        await told(slack, "🟠")


@pytest.mark.parametrize("until", ["now() - interval '1 second'", "NULL"])
async def test_a_host_whose_mute_is_over_notifies_at_once(bus_url: str, database_url: str, until: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await mute(hosts, until)
        await hosts.cpu([80], at_s=0)
        await told(slack, "🟠")


async def test_the_end_of_a_removed_host_s_alert_is_told_though_the_host_was_muted(
    bus_url: str, database_url: str
) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([80], at_s=0)
        await told(slack, "🟠")
        await hosts.delivered()
        await mute(hosts)
        await remove(hosts.client, hosts.database, "web-1")
        await told(slack, "🟠", "⚪")


async def test_of_what_fired_while_a_removed_host_was_muted_nobody_is_told(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await mute(hosts)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: held(hosts, 1))
        await remove(hosts.client, hosts.database, "web-1")
        await hosts.until("fire", "gone")
        await eventually(lambda: held(hosts, 0))
        await hosts.delivered()
        assert await hosts.outbox() == [("dropped", 0, "the host was muted")] * 2
        assert slack.posts == []


async def test_what_was_held_of_an_archived_host_is_told_once_it_is_not_muted(bus_url: str, database_url: str) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([80], at_s=0)
        await told(slack, "🟠")
        await hosts.delivered()
        await mute(hosts)
        await remove(hosts.client, hosts.database, "web-1", keep_history=True)
        await eventually(lambda: held(hosts, 1))
        await mute(hosts, "NULL")
        await told(slack, "🟠", "⚪")
