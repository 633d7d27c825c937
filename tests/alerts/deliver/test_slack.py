from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import AlertTransition
from services.alerts.deliver.slack import Answer, classify, escape, render, render_plain, wait_before_retry_s
from tests.alerts.builders import NOON_MS, rule, transition

NOON_S = NOON_MS / 1000

RESOLVED = transition(kind="resolve", value=20, threshold=65, since=NOON_S - 3900, peak=97.3, peak_time=NOON_S - 60)


def message(told: AlertTransition = RESOLVED, dashboard_url: str = "", **changes: Any) -> dict[str, Any]:
    return render(told, rule(**changes), dashboard_url)


def fields(sent: dict[str, Any]) -> dict[str, str]:
    """Field name -> text of a message."""
    pairs = (field["text"].split("\n", 1) for field in sent["blocks"][1]["fields"])
    return {name.strip("*"): value for name, value in pairs}


def test_a_message_leads_with_severity_rule_and_host() -> None:
    header = message(transition())["blocks"][0]["text"]
    assert header == {"type": "plain_text", "text": "🟠 Warning: CPU busy on web-1"}


@pytest.mark.parametrize(
    ("kind", "severity", "words"),
    [
        ("fire", "critical", "🔴 Critical: "),
        ("escalate", "critical", "🔴 Escalated to critical: "),
        ("deescalate", "warning", "🟠 Down to warning: "),
        ("resolve", "critical", "🟢 Resolved (critical): "),
        ("gone", "warning", "⚪ Gone (warning): "),
    ],
)
def test_each_change_has_its_own_words(kind: Any, severity: Any, words: str) -> None:
    assert message(transition(kind=kind, severity=severity))["text"].startswith(words)


def test_a_firing_message_has_value_threshold_window_and_since() -> None:
    facts = fields(message(transition()))
    assert {name: facts[name] for name in ("Host", "Metric", "Value", "Threshold", "Held for")} == {
        "Host": "web-1",
        "Metric": "cpu.total",
        "Value": "81.5 %",
        "Threshold": "75 %",
        "Held for": "30 s",
    }
    assert facts["Since"].startswith(f"<!date^{int(NOON_S - 30)}^")


def test_a_resolving_message_has_duration_peak_and_when() -> None:
    facts = fields(message())
    assert facts["Duration"] == "1 h 5 min"
    assert facts["Peak"].startswith("97.3 % at <!date^")
    assert facts["Cleared at"] == "65 %"
    assert facts["Until"].startswith(f"<!date^{int(NOON_S)}^")


def test_the_top_level_text_says_it_all() -> None:
    assert message(transition())["text"] == (
        "🟠 Warning: CPU busy on web-1, cpu.total is 81.5 %, threshold 75 %, since 2026-09-21 14:12:50 UTC"
    )


def test_an_instance_is_named_with_its_metric() -> None:
    told = transition(metric="filesystem.used_percent", instance="/var")
    assert fields(message(told))["Metric"] == "filesystem.used_percent /var"


def test_a_dashboard_address_makes_a_link_to_the_host() -> None:
    links = message(dashboard_url="http://sonde.example/")["blocks"][2]["elements"][0]["text"]
    assert links == "<http://sonde.example/hosts/web-1|Open web-1>"


def test_without_addresses_there_are_no_links() -> None:
    assert len(message()["blocks"]) == 2


def test_a_runbook_is_linked_with_what_would_end_the_link_encoded() -> None:
    links = message(runbook_url="https://wiki/a|b>c?x=1&y=2")["blocks"][2]["elements"][0]["text"]
    assert links == "<https://wiki/a%7Cb%3Ec?x=1&amp;y=2|Runbook>"


def test_a_message_outlives_its_rule() -> None:
    assert "Held for" not in fields(render(transition(), None, ""))


def test_control_characters_of_slack_are_escaped_everywhere() -> None:
    told = transition(rule_name="<!channel> & co", instance="<@U123>")
    assert "<!channel>" not in json.dumps(message(told))
    assert "<@U123>" not in json.dumps(message(told))
    assert "&lt;!channel&gt; &amp; co" in message(told)["text"]


def test_the_plain_message_is_text_only() -> None:
    assert list(render_plain(transition())) == ["text"]


@given(st.text(max_size=120), st.text(max_size=512))
def test_any_names_stay_within_slacks_limits(name: str, instance: str) -> None:
    told = transition(rule_name=name, instance=instance, kind="resolve")
    sent = message(told, dashboard_url="http://sonde.example", runbook_url="http://wiki/" + "&" * 480)
    assert len(sent["blocks"][0]["text"]["text"]) <= 150
    assert len(sent["blocks"][1]["fields"]) <= 10
    assert all(len(field["text"]) <= 2000 for field in sent["blocks"][1]["fields"])
    assert len(sent["blocks"][2]["elements"][0]["text"]) <= 3000
    assert len(sent["text"]) <= 3000


@given(st.text(alphabet="a&<>é", max_size=60), st.integers(1, 80))
def test_cutting_never_breaks_an_escape(text: str, most: int) -> None:
    cut = escape(text, most)
    assert len(cut) <= most
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", cut)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, "ok", "sent"),
        (0, "ConnectError", "again"),
        (429, "", "again"),
        (500, "rollup_error", "again"),
        (503, "<html>", "again"),
        (400, "invalid_payload", "payload"),
        (400, "invalid_blocks", "payload"),
        (403, "invalid_token", "dead"),
        (403, "action_prohibited", "dead"),
        (404, "no_service", "dead"),
        (400, "no_service", "dead"),
        (410, "channel_is_archived", "dead"),
        (302, "", "dead"),
        (200, "<html>log in first", "dead"),
    ],
)
def test_each_answer_has_its_class(status: int, body: str, verdict: str) -> None:
    assert classify(Answer(status, body)) == verdict


def test_retry_after_is_obeyed() -> None:
    assert 30 <= wait_before_retry_s(Answer(429, "", 30), 1, random.Random(1)) <= 31


def test_waits_grow_with_jitter_up_to_a_minute() -> None:
    for attempts in range(1, 40):
        longest = min(60, 2 ** (attempts - 1))
        assert longest / 2 <= wait_before_retry_s(Answer(503, ""), attempts, random.Random(attempts)) <= longest
