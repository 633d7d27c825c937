"""Every message that there can be is one that Slack takes."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.catalogue import CATALOGUE
from schemas.channels import Channel, Slack
from schemas.incidents import Facts
from schemas.rules import Also, Rule, Threshold, Window
from schemas.virtual import VIRTUAL
from services.alerts.deliver.mail import html_of
from services.alerts.deliver.message import plain
from services.alerts.deliver.slackblocks import blocks_of, text_of
from services.alerts.deliver.slackbot import standing
from services.alerts.deliver.trials import trial_message
from services.alerts.deliver.wording import message_of
from services.alerts.notice import Extent, Notice, Said
from tests.alerts.blockkit import POST_FIELDS, WEBHOOK_FIELDS, Refused, check
from tests.alerts.deliver.notices import NOON_S, notice, said

KINDS = ("fire", "escalate", "deescalate", "resolve", "gone", "repeat", "past")
FORMS = ("alert", "reminder", "storm", "digest", "past")
PATHS = [f"{family.name}.{metric.name}" for family in CATALOGUE for metric in family.metrics] + [
    virtual.path for virtual in VIRTUAL
]
UNITS = ("%", "B", "B/s", "s", "1/s", "1/min", "", "°C", "W", "MHz", "ms")

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
nasty = st.sampled_from(["", "<!channel>", "<@U123> & co", "a|b", "🔴" * 200, "&" * 512, "\n\r\t", "x" * 512, "*_~`"])
words = any_text | nasty
times = st.floats(0, 4e9)
numbers = st.floats(allow_nan=True, allow_infinity=True)
severities = st.sampled_from(("warning", "critical"))
hosts = st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True) | st.just("")

windows = st.builds(
    Window,
    st.sampled_from(("last", "avg", "min", "max", "p95", "rate", "increase", "time_left")),
    st.floats(0, 86400),
    st.none() | st.floats(-1e15, 1e15),
)
rules = st.builds(
    Rule,
    id=st.just("busy"),
    name=words,
    metric=st.sampled_from(PATHS),
    comparison=st.sampled_from(("above", "below")),
    warning=st.just(Threshold(1, 1)),
    for_s=st.floats(0, 604800),
    recover_for_s=st.floats(0, 604800),
    runbook_url=st.just("") | words.map(lambda text: f"https://wiki.example/{text}"[:500]),
    window=windows,
    also=st.none() | st.builds(Also, st.sampled_from(PATHS), st.sampled_from(("above", "below")), numbers),
)
facts = st.builds(
    Facts,
    rule_name=words,
    metric=st.sampled_from(PATHS),
    unit=st.sampled_from(UNITS),
    severity=severities,
    worst=severities,
    value=st.none() | numbers,
    threshold=numbers,
    since=times,
    changed=times,
    peak=st.none() | numbers,
    peak_time=st.none() | times,
    ending=st.sampled_from((None, "resolve", "gone")),
    rule=st.none() | rules,
    flapping=st.booleans(),
)
items = st.builds(
    Said,
    incident=st.integers(1, 2**60),
    kind=st.sampled_from(KINDS),
    host=hosts,
    label=words,
    rule=st.sampled_from(("busy", "full", "down", "blind")),
    instance=words,
    opened=times,
    closed=st.none() | times,
    facts=facts,
    tags=st.lists(words, max_size=20),
    acknowledged_by=words,
)
extents = st.dictionaries(
    st.sampled_from(("busy", "full", "down")), st.builds(Extent, st.integers(0, 10**6), st.integers(0, 10**6))
)
addresses = st.sampled_from(("", "https://sonde.example", "http://[::1]:8080/", "https://" + "ä" * 60 + ".example/x y"))
notices = st.builds(
    Notice,
    number=st.integers(1, 2**60),
    form=st.sampled_from(FORMS),
    made=times,
    items=st.lists(items, min_size=1, max_size=4),
    extents=extents,
    next_reminder=st.none() | times,
    dashboard_url=addresses,
)
any_notice = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@any_notice
@given(notices)
def test_slack_takes_every_message(made: Notice) -> None:
    check(blocks_of(message_of(made)), WEBHOOK_FIELDS)


@any_notice
@given(notices)
def test_slack_takes_every_message_as_text_only(made: Notice) -> None:
    check(text_of(message_of(made)), WEBHOOK_FIELDS)


@any_notice
@given(notices, st.integers(0, 300))
def test_slack_takes_every_message_that_is_brought_up_to_date(made: Notice, over: int) -> None:
    reference = {"ts": "1.2", "channel": "C1", "room": "C1", "incidents": over}
    told = replace(made, items=[replace(item, reference=reference) for item in made.items])
    check({**blocks_of(standing(reference, told)), "channel": "C1"}, POST_FIELDS)


@any_notice
@given(notices)
def test_every_message_has_words_for_mail_and_no_markup_of_others(made: Notice) -> None:
    message = message_of(made)
    assert plain(message).strip()
    page = html_of(message)
    assert "<script" not in page
    assert page.count("<p") == page.count("</p>")


@pytest.mark.parametrize("number", [2, 20, 21, 10_000])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_slack_takes_messages_of_many_incidents_with_the_longest_names(kind: Any, form: Any, number: int) -> None:
    long = "<&>" * 200
    told = [
        said(at, kind, host=f"web-{at % 1000}", label=long, instance=long, rule=f"rule-{at % 30}", rule_name=long)
        for at in range(number)
    ]
    check(blocks_of(message_of(notice(*told, form=form))), WEBHOOK_FIELDS)
    check(text_of(message_of(notice(*told, form=form))), WEBHOOK_FIELDS)


def test_slack_takes_a_message_of_ten_thousand_that_is_brought_up_to_date() -> None:
    long = "<&>" * 200
    reference = {"ts": "1.2", "channel": "C1", "room": "C1", "incidents": 20_000}
    told = [
        replace(
            said(at, "fire", host=f"web-{at}", label=long, rule=f"rule-{at % 30}", rule_name=long), reference=reference
        )
        for at in range(10_000)
    ]
    made = notice(*[replace(item, kind="resolve") for item in told[:20]], beside=told[20:])
    check({**blocks_of(standing(reference, made)), "channel": "C1"}, POST_FIELDS)


def test_slack_takes_a_test_message() -> None:
    message = trial_message(Channel("ops", "Ops <&> " * 12, Slack("http://x/")), NOON_S)
    check(blocks_of(message), WEBHOOK_FIELDS)
    check(text_of(message), WEBHOOK_FIELDS)


def section(**changes: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "words", **changes}}


BROKEN = [
    {},
    {"text": ""},
    {"text": "x", "colour": "red"},
    {"text": "x" * 4001},
    {"text": "a & b"},
    {"text": "x", "blocks": []},
    {"text": "x", "blocks": [section()] * 51},
    {"text": "x", "blocks": [{"type": "marquee"}]},
    {"text": "x", "blocks": [{"type": "section"}]},
    {"text": "x", "blocks": [section(text="")]},
    {"text": "x", "blocks": [section(text="x" * 3001)]},
    {"text": "x", "blocks": [section(text="<!here>")]},
    {"text": "x", "blocks": [section(text="<@U1>")]},
    {"text": "x", "blocks": [section(text="<https://a b|x>")]},
    {"text": "x", "blocks": [section(text="<!date^0^{date}|x>")]},
    {"text": "x", "blocks": [section(colour="red")]},
    {"text": "x", "blocks": [{"type": "section", "fields": [section()["text"]] * 11}]},
    {"text": "x", "blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}]},
    {"text": "x", "blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]},
    {"text": "x", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "🔴" * 76}}]},
    {"text": "x", "blocks": [{"type": "context", "elements": []}]},
]


@pytest.mark.parametrize("payload", BROKEN)
def test_what_breaks_slacks_rules_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        check(payload, WEBHOOK_FIELDS)


def test_numbers_that_are_none_are_said_to_be_none() -> None:
    message = message_of(notice(said(value=math.nan, peak=math.inf)))
    assert "no value" in plain(message)
