"""Stored settings that make no sense: each is said, and ends neither judging nor delivery."""

from __future__ import annotations

import logging

import pytest

from tests.alerts.builders import rule
from tests.alerts.fleet import fleet, serving
from tests.alerts.sink import slack_sink
from tests.waiting import eventually

QUICK = rule(for_s=0, recover_for_s=0)


@pytest.mark.parametrize(
    ("key", "value"),
    [("raw_days", "0"), ("max_viewers", '{"a": []}'), ("hour_days", "1" * 5000), ("not_of_this_version", "[1]")],
    ids=["outside its bounds", "another type", "a number without end", "unknown"],
)
async def test_alerts_are_judged_and_delivered_beside_an_invalid_setting(
    bus_url: str, database_url: str, key: str, value: str
) -> None:
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.database.execute("INSERT INTO settings (key, value) VALUES ($1, $2)", key, value)
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: len(slack.posts) == 1)
        await hosts.delivered()


async def test_a_webhook_that_is_stored_wrong_leaves_the_one_before_in_force_and_is_said_once(
    bus_url: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    async with slack_sink() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.setting("slack_webhook_url", slack.url)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: len(slack.posts) == 1)
        await hosts.setting("slack_webhook_url", ["ftp://SECRET"])
        await hosts.cpu([10], at_s=2)
        await eventually(lambda: len(slack.posts) == 2)
        await hosts.delivered()
    said = [record for record in caplog.records if record.message == "invalid stored setting ignored"]
    assert [record.__dict__["setting"] for record in said] == ["slack_webhook_url"]
    assert "SECRET" not in str(said[0].__dict__)
