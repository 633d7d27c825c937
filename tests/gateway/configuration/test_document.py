"""The document: what is written is read back the same; everything that is wrong is named by its path."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.agentconfig import NewAgentConfig, NewFamilyConfig
from schemas.catalogue import CATALOGUE
from schemas.channels import Channel, Email, Slack, Webhook
from schemas.configuration import FLEET
from schemas.matching import Matcher
from schemas.routes import Hours, Route, Span
from schemas.rules import InvalidFields, Rule, Threshold
from services.gateway.configuration.differences import differences
from services.gateway.configuration.document import plain_rule, read, written
from services.gateway.configuration.items import Items
from services.gateway.configuration.store import Stored
from services.gateway.configuration.telling import plain_channel, plain_route, with_stored_secrets

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
LABEL = TEXT.map(lambda text: "".join(one for one in text if ord(one) >= 32 and one != "\x7f").strip())
TAG = st.from_regex(r"[^\s,\x00]{1,8}", fullmatch=True).filter(
    lambda tag: not any(0xD800 <= ord(one) < 0xE000 for one in tag)
)
HOST = st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)
NUMBER = st.floats(-1e12, 1e12)


@st.composite
def rules(draw: st.DrawFn) -> Any:
    low, high = sorted((draw(NUMBER), draw(NUMBER)))
    name = draw(TEXT.filter(bool))
    return plain_rule(
        Rule(
            "r",
            name,
            "network.received",
            instance=draw(TEXT.filter(bool)),
            warning=draw(st.sampled_from([None, Threshold(low, low)])),
            critical=Threshold(high, low),
            for_s=draw(st.floats(0, 600)),
            enabled=draw(st.booleans()),
            runbook_url=draw(st.sampled_from(["", "https://runbook.example/ü?a=b#c"])),
        )
    )


FAMILIES = st.dictionaries(
    st.sampled_from(["disk", "network", "filesystem"]),
    st.builds(
        NewFamilyConfig,
        enabled=st.sampled_from([None, True, False]),
        interval_s=st.one_of(st.none(), st.floats(0.1, 100)),
        include=st.one_of(st.none(), st.lists(TEXT.filter(bool), max_size=3)),
    ),
)
AGENTS = st.builds(
    NewAgentConfig,
    sample_interval_s=st.one_of(st.none(), st.floats(0.1, 60)),
    directories=st.one_of(st.none(), st.lists(TEXT.map(lambda text: f"/{text}"), max_size=3)),
    families=FAMILIES,
).map(msgspec.to_builtins)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "raw_days": st.integers(1, 30),
        "disk_free_percent": st.floats(0, 90),
        "dashboard_url": st.sampled_from(["", "https://sonde.example/ü"]),
    },
)
HOSTS = st.fixed_dictionaries({"label": LABEL, "tags": st.lists(TAG, max_size=5, unique=True), "note": TEXT})


WORD = st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)
MATCHERS = st.builds(
    Matcher,
    hosts=st.lists(HOST.map(lambda host: f"{host}*"), max_size=2),
    tags=st.lists(TAG, max_size=2),
    instances=st.lists(TEXT.filter(bool), max_size=2),
    severity=st.sampled_from(["any", "warning", "critical"]),
)
ROUTES = st.builds(
    Route,
    id=st.just("r"),
    name=TEXT.filter(bool),
    channels=st.lists(WORD, max_size=2),
    match=MATCHERS,
    repeat_s=st.floats(60, 3600),
    hours=st.one_of(
        st.none(), st.builds(Hours, st.just([Span(["mon"], "09:00", "17:00")]), critical_passes=st.booleans())
    ),
    owner=TEXT,
).map(plain_route)
CHANNELS = st.builds(
    Channel,
    id=st.just("c"),
    name=TEXT.filter(bool),
    target=st.one_of(
        st.builds(Slack, TEXT),
        st.builds(Webhook, TEXT, TEXT),
        st.builds(Email, WORD, WORD, st.lists(WORD, min_size=1, max_size=2), port=st.integers(1, 65535), password=TEXT),
    ),
    enabled=st.booleans(),
    fallback=TEXT,
    owner=TEXT,
).map(plain_channel)


@st.composite
def configurations(draw: st.DrawFn) -> Items:
    items: Items = {("setting", key): value for key, value in draw(SETTINGS).items()}
    items |= {("rule", name): rule for name, rule in draw(st.dictionaries(HOST, rules(), max_size=3)).items()}
    names = st.one_of(st.just(FLEET), HOST)
    items |= {("agent", name): config for name, config in draw(st.dictionaries(names, AGENTS, max_size=3)).items()}
    items |= {("route", name): route for name, route in draw(st.dictionaries(HOST, ROUTES, max_size=3)).items()}
    items |= {("channel", name): to for name, to in draw(st.dictionaries(HOST, CHANNELS, max_size=3)).items()}
    items |= {("host", name): said for name, said in draw(st.dictionaries(HOST, HOSTS, max_size=3)).items()}
    return items


@given(configurations())
def test_what_is_exported_differs_in_nothing_when_it_is_imported(items: Items) -> None:
    stored = Stored(items)
    wanted = with_stored_secrets(items, read(written(stored.shown(), ["A remark."]).encode(), CATALOGUE))
    hosts = {name for _, name in items}
    found = list(differences(items, wanted, hosts, prune=True))
    assert [each for each in found if each.what != "unchanged"] == []


def test_a_document_is_written_like_this() -> None:
    rule = plain_rule(Rule("cpu", "CPU", "cpu.total", critical=Threshold(90, 80)))
    text = written(
        {("host", "web-1"): {"label": "Shop", "tags": ["a"], "note": ""}, ("rule", "cpu"): rule}, ["Remark."]
    )
    assert "# Remark.\n" in text
    assert "version = 1\n" in text
    assert '[hosts.web-1]\nlabel = "Shop"\ntags = [\n    "a",\n]\n' in text
    assert "[rules.cpu.critical]\nraise_at = 90" in text


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (b"\xff", ["body"]),
        (b"a = ", ["body"]),
        (b"a = " + b"[" * 10_000, ["body"]),
        (b"", ["version"]),
        (b"version = 2", ["version"]),
        (b"version = true", ["version"]),
        (b"version = 1\nmore = 1", ["more"]),
        (b"version = 1\nrules = 1", ["rules"]),
        (b"version = 1\nagents.other = {}", ["agents.other"]),
        (b"version = 1\nsettings.raw_days = 0\nsettings.nothing = 1", ["settings.raw_days", "settings.nothing"]),
        (b"version = 1\nsettings.raw_days = 2026-01-01", ["settings.raw_days"]),
        (b"version = 1\nsettings.disk_free_percent = nan", ["settings.disk_free_percent"]),
        (b"version = 1\nrules.cpu = 1", ["rules.cpu"]),
        (b'version = 1\nrules.cpu = {id = "x"}', ["rules.cpu.id"]),
        (b'version = 1\nrules.cpu = {name = "", metric = "cpu.total"}', ["rules.cpu.name"]),
        (b'version = 1\nrules.CPU = {name = "a", metric = "cpu.total"}', ["rules.CPU.id"]),
        (b"version = 1\nagents.fleet.sample_interval_s = 0", ["agents.fleet.sample_interval_s"]),
        (b"version = 1\nagents.fleet.families.none.enabled = true", ["agents.fleet.families.none"]),
        (b"version = 1\nagents.hosts.WEB.sample_interval_s = 1", ["agents.hosts.WEB"]),
        (b'version = 1\nhosts.web-1.tags = ["two words"]', ["hosts.web-1.tags[0]"]),
        (b"version = 1\nhosts.web-1.colour = 1", ["hosts.web-1.colour"]),
    ],
)
def test_everything_that_is_wrong_is_named_by_its_path(text: bytes, paths: list[str]) -> None:
    with pytest.raises(InvalidFields) as caught:
        read(text, CATALOGUE)
    assert [fault.field for fault in caught.value.faults] == paths


def test_a_secret_that_is_wrong_is_not_repeated() -> None:
    with pytest.raises(InvalidFields) as caught:
        read(b'version = 1\nsettings.heartbeat_url = "hooks/SECRET"', CATALOGUE)
    assert "SECRET" not in str(caught.value)


RAW: Items = {("setting", "raw_days"): 3}


def test_what_the_document_lacks_stays_unless_it_is_to_be_pruned() -> None:
    assert list(differences(RAW, {}, [])) == []
    [pruned] = differences(RAW, {}, [], prune=True)
    assert (pruned.what, pruned.before, pruned.after) == ("deleted", 3, None)


def test_a_secret_is_never_pruned_and_never_shown() -> None:
    stored: Items = {("setting", "heartbeat_url"): "https://hooks.example/SECRET"}
    assert list(differences(stored, {}, [], prune=True)) == []
    [changed] = differences(stored, {("setting", "heartbeat_url"): "https://hooks.example/OTHER"}, [])
    assert (changed.what, changed.before, changed.after) == ("changed", {"set": True}, {"set": True})


def test_of_a_host_that_is_not_here_nothing_can_be_said() -> None:
    wanted: Items = {
        ("host", "web-1"): {"label": "x", "tags": [], "note": ""},
        ("agent", "web-1"): {"sample_interval_s": 2.0},
    }
    assert [(each.kind, each.what) for each in differences({}, wanted, [])] == [
        ("agent", "skipped"),
        ("host", "skipped"),
    ]
    assert [each.what for each in differences({}, wanted, ["web-1"])] == ["created", "created"]
