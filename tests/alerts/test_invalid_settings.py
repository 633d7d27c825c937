"""Stored settings that make no sense end neither judging nor telling."""

from __future__ import annotations

import pytest

from tests.alerts.builders import rule
from tests.alerts.fleet import fleet, serving
from tests.alerts.slack_server import slack_server
from tests.waiting import eventually

QUICK = rule(for_s=0, recover_for_s=0)


@pytest.mark.parametrize(
    ("key", "value"),
    [("raw_days", "0"), ("max_viewers", '{"a": []}'), ("hour_days", "1" * 5000), ("dashboard_url", "[1]"),
     ("not_of_this_version", "[1]")],
    ids=["outside its bounds", "another type", "a number without end", "one that is used", "unknown"],
)  # fmt: skip
async def test_alerts_are_judged_and_told_beside_an_invalid_setting(
    bus_url: str, database_url: str, key: str, value: str
) -> None:
    async with slack_server() as slack, fleet(bus_url, database_url, [QUICK]) as hosts, serving(hosts.settings):
        await hosts.database.execute("INSERT INTO settings (key, value) VALUES ($1, $2)", key, value)
        await hosts.slack(slack.url)
        await hosts.cpu([80], at_s=0)
        await eventually(lambda: len(slack.posts) == 1)
