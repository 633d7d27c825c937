"""From samples on the bus to what people read: the whole service, and killed at any moment."""

from __future__ import annotations

import random
from functools import partial

import msgspec

from schemas.routes import Route
from tests.alerts.builders import rule
from tests.alerts.fleet import Fleet, fleet, serving, serving_until_killed
from tests.alerts.slack_server import Reply, SlackServer, slack_server
from tests.waiting import eventually

QUICK = rule(for_s=5, recover_for_s=5)
ROUTE = Route("all", "All", ["slack"], group_wait_s=0, group_interval_s=0, repeat_s=0)


async def test_what_fires_and_ends_is_read_on_slack(bus_url: str, database_url: str) -> None:
    async with slack_server() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.slack(slack.url)
        await _route(hosts)
        await hosts.cpu([80] * 10, at_s=0)
        await eventually(lambda: len(slack.headlines) == 1)
        await hosts.cpu([10] * 10, at_s=10)
        await eventually(lambda: len(slack.headlines) == 2)
        assert not slack.refusals


async def test_what_fired_and_ended_before_the_first_start_is_told_to_nobody(bus_url: str, database_url: str) -> None:
    async with slack_server() as slack, fleet(bus_url, database_url, [QUICK]) as hosts:
        await hosts.slack(slack.url)
        await hosts.cpu([80] * 10 + [10] * 10, at_s=0)
        await hosts.cpu([80] * 10, at_s=0, host="web-2")
        async with serving(hosts.settings):
            await eventually(lambda: slack.posts)
            await eventually(partial(_are_settled, hosts, "web-1"))
        assert len(slack.posts) == 1


async def test_being_killed_at_any_moment_repeats_only_what_had_no_answer(bus_url: str, database_url: str) -> None:
    rng = random.Random(13)
    async with slack_server() as slack, fleet(bus_url, database_url, [QUICK]) as hosts:
        await hosts.slack(slack.url)
        await _route(hosts)
        slack.script.extend(Reply(after_s=rng.choice([0, 0.2])) for _ in range(40))
        for turn in range(4):
            async with serving_until_killed(hosts.settings):
                before = len(slack.posts)
                seq = await hosts.cpu([80] * 10, at_s=0, host=f"web-{turn}")
                if rng.random() < 0.5:
                    await hosts.processed(seq)
                else:
                    await eventually(partial(_has_more, slack, before))
        async with serving(hosts.settings):
            for turn in range(4):
                await eventually(partial(_is_told, hosts, f"web-{turn}"))
                await hosts.cpu([10] * 10, at_s=10, host=f"web-{turn}")
            for turn in range(4):
                await eventually(partial(_are_settled, hosts, f"web-{turn}"))
        sent = await _items(hosts, "sent")
        unknown = await _items(hosts, "unknown")
        assert sorted(sent) == sorted((f"web-{turn}", kind) for turn in range(4) for kind in ("fire", "resolve"))
        assert len(slack.posts) <= len(sent) + len(unknown)


async def _route(hosts: Fleet) -> None:
    body = msgspec.json.encode(ROUTE).decode()
    await hosts.database.execute("INSERT INTO routes (id, body) VALUES ('all', $1)", body)
    await hosts.setting("dashboard_url", "https://sonde.example")


def _has_more(slack: SlackServer, before: int) -> bool:
    return len(slack.posts) > before


async def _is_told(hosts: Fleet, host: str) -> bool:
    return bool(
        await hosts.database.fetchval(
            "SELECT bool_or(t.level > 0 AND NOT t.unsure) FROM told t JOIN incidents i ON i.id = t.incident_id "
            "WHERE i.host = $1",
            host,
        )
    )


async def _are_settled(hosts: Fleet, host: str) -> bool:
    return bool(await hosts.database.fetchval("SELECT bool_and(settled) FROM incidents WHERE host = $1", host))


async def _items(hosts: Fleet, status: str) -> list[tuple[str, str]]:
    """Host and kind of all that is in messages of that status."""
    rows = await hosts.database.fetch(
        "SELECT i.host, n.kind FROM notification_items n JOIN notifications m ON m.id = n.notification_id "
        "JOIN incidents i ON i.id = n.incident_id WHERE m.status = $1",
        status,
    )
    return [(row["host"], row["kind"]) for row in rows]
