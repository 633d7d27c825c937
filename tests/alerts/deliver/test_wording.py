"""What every channel says of an incident, or of many."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.rules import Also, Window
from schemas.virtual import CHANNEL_HELD, HOST_DOWN
from services.alerts.deliver.message import Message, plain
from services.alerts.deliver.wording import message_of
from services.alerts.notice import Extent
from tests.alerts.builders import BUSY
from tests.alerts.deliver.notices import NOON_S, notice, said


def facts(message: Message) -> dict[str, str]:
    return {fact.name: str(fact.value) for fact in message.facts}


def links(message: Message) -> dict[str, str]:
    return {link.label: link.url for link in message.links}


@pytest.mark.parametrize(
    ("kind", "severity", "headline"),
    [
        ("fire", "critical", "🔴 Critical: CPU busy on web-1"),
        ("fire", "warning", "🟠 Warning: CPU busy on web-1"),
        ("escalate", "critical", "🔴 Escalated to critical: CPU busy on web-1"),
        ("deescalate", "warning", "🟠 Lowered to warning: CPU busy on web-1"),
        ("resolve", "warning", "🟢 Resolved (critical): CPU busy on web-1"),
        ("gone", "critical", "⚪ No longer monitored (critical): CPU busy on web-1"),
        ("repeat", "critical", "🔴 Still critical after 5 min 5 s: CPU busy on web-1"),
        ("past", "critical", "🕘 In the past (critical): CPU busy on web-1"),
    ],
)
def test_each_kind_has_its_headline(kind: str, severity: Any, headline: str) -> None:
    assert message_of(notice(said(kind=kind, severity=severity))).headline == headline


def test_a_message_of_a_demonstration_says_so_first() -> None:
    one = replace(notice(said(kind="fire", severity="critical")), simulated=True)
    assert message_of(one).headline == "🔴 Demonstration: Critical: CPU busy on web-1"
    many = replace(one, items=[*one.items, said(kind="fire", severity="critical", host="web-2")])
    assert message_of(many).headline.startswith("🔴 Demonstration: ")


def test_what_fires_has_everything_that_one_asks_for() -> None:
    assert facts(message_of(notice(said(label="Shop")))) == {
        "State": "critical, firing",
        "Host": "Shop (web-1)",
        "Metric": "cpu.total",
        "Value": "97.2 %",
        "Threshold": "above 90 % for 30 s",
        "Since": "2026-09-21 14:08:20 UTC",
        "Firing on": "3 of 120 hosts",
        "Next reminder": "2026-09-21 18:13:20 UTC",
        "Tags": "prod, eu",
    }


def test_what_is_over_has_its_duration_and_its_peak() -> None:
    told = facts(message_of(notice(said(kind="resolve", value=40, threshold=80))))
    assert told["State"] == "resolved, was critical"
    assert told["Cleared"] == "below 80 % for 20 s"
    assert (told["Until"], told["Duration"]) == ("2026-09-21 14:13:20 UTC", "5 min")
    assert told["Peak"] == "99.1 % at 2026-09-21 14:12:20 UTC"


def test_the_summary_says_it_all_in_a_line() -> None:
    assert message_of(notice()).summary == (
        "🔴 Critical: CPU busy on web-1: cpu.total is 97.2 %, threshold above 90 % for 30 s, "
        "since 2026-09-21 14:08:20 UTC"
    )


def test_the_charts_are_linked_at_the_time_of_the_incident() -> None:
    begin, end = round((NOON_S - 900) * 1000), round((NOON_S + 600) * 1000)
    assert links(message_of(notice(said(kind="resolve"))))["Charts"] == (
        f"https://sonde.example/hosts/web-1?from={begin}&to={end}"
    )


def test_the_runbook_is_linked() -> None:
    assert links(message_of(notice()))["Runbook"] == "https://wiki.example/cpu?a=1&b=2"


def test_without_an_address_of_the_dashboard_there_is_no_link_to_it() -> None:
    assert list(links(message_of(notice(dashboard_url="")))) == ["Runbook"]


def test_an_incident_outlives_its_rule() -> None:
    told = facts(message_of(notice(said(judged_by=None))))
    assert told["Threshold"] == "90 %"


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window("avg", 300), "average of cpu.total over 5 min is 97.2 %"),
        (Window("min", 300), "minimum of cpu.total over 5 min is 97.2 %"),
        (Window("p95", 300), "95th percentile of cpu.total over 5 min is 97.2 %"),
        (Window("rate", 300), "change of cpu.total per second over 5 min is 97.2 %/s"),
        (Window("increase", 600), "increase of cpu.total within 10 min is 97.2 %"),
        (Window("time_left", 21600), "time until cpu.total reaches its maximum, by the trend of 6 h is 1 min 37 s"),
    ],
)
def test_the_window_is_said(window: Window, words: str) -> None:
    assert words in message_of(notice(said(judged_by=replace(BUSY, window=window)))).summary


def test_a_second_condition_is_said_with_its_own_unit() -> None:
    judged = replace(BUSY, also=Also("memory.available", "below", 10 * 2**30))
    told = facts(message_of(notice(said(metric="memory.used_percent", judged_by=judged))))
    assert told["Threshold"] == "above 90 % for 30 s, and memory.available below 10 GiB"


def test_missing_data_is_said_to_be_missing() -> None:
    assert "cpu.total has no data, since" in message_of(notice(said(value=None))).summary


def test_a_silent_host_is_said_in_words_of_its_own() -> None:
    down = said(metric=HOST_DOWN, unit="s", value=150.0, threshold=60.0, rule_name="Host down", judged_by=None)
    assert "nothing heard for 2 min 30 s, threshold 1 min" in message_of(notice(down)).summary


def test_an_alert_about_sonde_itself_names_no_host() -> None:
    held = said(
        host="", metric=CHANNEL_HELD, unit="s", value=90.0, instance="ops", rule="held", rule_name="Channel held"
    )
    message = message_of(notice(held))
    assert message.headline == "🔴 Critical: Channel held (ops)"
    assert "nothing could be sent on channel ops for 1 min 30 s" in message.summary
    assert "Host" not in facts(message)
    assert links(message)["Alerts"] == "https://sonde.example/alerts"


def test_what_is_in_the_past_says_so_and_nothing_of_now() -> None:
    message = message_of(notice(said(kind="past"), form="past"))
    assert "says nothing about now" in plain(message)
    assert "Firing on" not in facts(message)


def test_an_end_says_where_it_goes_on() -> None:
    assert "Still firing on 3 of 120 hosts." in plain(message_of(notice(said(kind="resolve"))))
    over = notice(said(kind="resolve"), extents={"busy": Extent(0, 120)})
    assert "Still firing" not in plain(message_of(over))


def test_who_acknowledged_is_said() -> None:
    assert "Acknowledged by Ada." in plain(message_of(notice(said(acknowledged_by="Ada"))))


def test_an_alert_that_comes_and_goes_says_why_it_stays() -> None:
    assert "Comes and goes often" in plain(message_of(notice(said(flapping=True))))


@pytest.mark.parametrize(
    ("form", "headline"),
    [
        ("alert", "🔴 2 alerts on 2 hosts: 1 critical, 1 warning"),
        ("storm", "🔴 Many alerts at once: 2 alerts on 2 hosts: 1 critical, 1 warning"),
        ("digest", "🔴 While notifications were held: 2 alerts on 2 hosts: 1 critical, 1 warning"),
        ("reminder", "🔴 Still firing: 2 alerts on 2 hosts: 1 critical, 1 warning"),
    ],
)
def test_each_form_of_many_has_its_headline(form: str, headline: str) -> None:
    both = (said(1), said(2, host="db-1", rule="full", rule_name="File system full", severity="warning"))
    assert message_of(notice(*both, form=form)).headline == headline


def test_many_of_one_rule_are_called_by_it() -> None:
    told = notice(said(1), said(2, "resolve", host="web-2"))
    assert message_of(told).headline == "🔴 CPU busy on 2 hosts: 1 critical, 1 resolved"


def test_a_few_incidents_have_a_line_each() -> None:
    lines = message_of(notice(said(1), said(2, "resolve", host="web-2"))).lines
    assert [line.subject for line in lines] == ["Critical: CPU busy on web-1", "Resolved (critical): CPU busy on web-2"]


def test_thousands_are_told_by_rule_with_the_names_of_some() -> None:
    items = [said(at, host=f"web-{at}") for at in range(1, 3001)]
    message = message_of(notice(*items, form="storm", extents={"busy": Extent(3000, 3200)}))
    named = ", ".join(f"web-{at}" for at in range(1, 11))
    assert [str(line) for line in message.lines] == [f"🔴 CPU busy: critical on 3,000 hosts: {named} and 2,990 more"]
    assert "CPU busy fires on 3,000 of 3,200 hosts." in plain(message)


def test_what_has_no_line_is_counted() -> None:
    items = [said(at, host=f"web-{at}", rule=f"rule-{at}") for at in range(1, 26)]
    assert message_of(notice(*items, form="storm")).more == "and 5 more alerts of 5 rules"


def test_names_with_line_breaks_and_control_characters_stay_in_a_line() -> None:
    headline = message_of(notice(said(label="web\r\n\x1b[31m\u202eone"))).headline
    assert headline == "🔴 Critical: CPU busy on web [31m one"


def test_alerts_about_hosts_and_about_sonde_are_told_apart() -> None:
    held = said(2, host="", rule="held", rule_name="Channel held", instance="ops")
    silent = said(3, host="", rule="silent", rule_name="Service of Sonde silent", instance="ingest")
    assert message_of(notice(said(1), held)).headline == "🔴 2 alerts on 1 host and about Sonde itself: 2 critical"
    assert message_of(notice(held, silent)).headline == "🔴 2 alerts about Sonde itself: 2 critical"
