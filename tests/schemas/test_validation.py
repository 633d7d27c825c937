"""What people read when a value does not validate."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from schemas.agentconfig import NewAgentConfig
from schemas.rules import InvalidField, Rule
from schemas.settings import RuntimeSettings, parse_stored, setting_fault, setting_keys
from schemas.validation import MOST_FAULTS, allowed, invalid_fields, json_fault

RULE = {"id": "hot", "name": "Too hot", "metric": "gpu.temperature"}
RULE_FIELDS = (
    "id, name, metric, host, instance, comparison, warning, critical, for_s, recover_for_s, enabled, runbook_url, "
    "tags, without_tags, not_instances, window, also, no_data, no_data_s, overrides and owner"
)
TEXT = "text without NUL characters"

BODIES: list[tuple[Any, type, str]] = [
    ([], Rule, f"body: None: must be an object with the fields {RULE_FIELDS}"),
    ({**RULE, "id": "Not an id"}, Rule, "id: 'Not an id': must be 1 to 40 characters, each a-z, 0-9 or -"),
    ({**RULE, "name": ""}, Rule, f"name: '': must be {TEXT} (1 to 120 characters)"),
    ({**RULE, "name": "a\0b"}, Rule, f"name: 'a\\x00b': must be {TEXT} (1 to 120 characters)"),
    ({**RULE, "instance": "\0"}, Rule, f"instance: '\\x00': must be {TEXT} (at most 512 characters)"),
    ({**RULE, "for_s": -1}, Rule, "for_s: -1: must be a number from 0 to 604800"),
    ({**RULE, "for_s": "5m"}, Rule, "for_s: '5m': must be a number from 0 to 604800"),
    ({**RULE, "for_s": None}, Rule, "for_s: None: must be a number from 0 to 604800"),
    ({**RULE, "enabled": "yes"}, Rule, "enabled: 'yes': must be true or false"),
    ({**RULE, "metric": 7}, Rule, "metric: 7: must be a string"),
    ({**RULE, "comparison": "equal"}, Rule, 'comparison: \'equal\': must be "above" or "below"'),
    ({**RULE, "comparison": {"is": "above"}}, Rule, 'comparison: None: must be "above" or "below"'),
    ({**RULE, "comparison": ["above"]}, Rule, 'comparison: None: must be "above" or "below"'),
    ({**RULE, "critical": 90}, Rule, "critical: 90: must be an object with the fields raise_at and clear_at, or null"),
    ({**RULE, "critical": {"raise_at": "90", "clear_at": 1}}, Rule, "critical.raise_at: '90': must be a number"),
    ({**RULE, "critical": {"raise_at": 90}}, Rule, "critical.clear_at: None: required; must be a number"),
    ({**RULE, "surprise": 1}, Rule, f"surprise: None: unknown field; known fields are {RULE_FIELDS}"),
    ({"id": "hot", "name": "Too hot"}, Rule, "metric: None: required; must be a string"),
    ({"sample_interval_s": 61}, NewAgentConfig, "sample_interval_s: 61: must be a number from 0.1 to 60, or null"),
    (
        {"directories": ["/a", "b"]},
        NewAgentConfig,
        "directories[1]: 'b': must be an absolute path (at most 500 characters)",
    ),
    (
        {"directories": "/a"},
        NewAgentConfig,
        "directories: '/a': must be a list, each entry an absolute path (at most 500 characters), or null",
    ),
    ({"families": []}, NewAgentConfig, "families: None: must be an object"),
    (
        {"families": {"memory": {}, "cpu": {"interval_s": 0}}},
        NewAgentConfig,
        "families.cpu.interval_s: 0: must be a number from 0.1 to 86400, or null",
    ),
    (
        {"families": {"disk": {"include": ["sda", ""]}}},
        NewAgentConfig,
        f"families.disk.include[1]: '': must be {TEXT} (1 to 200 characters)",
    ),
    (
        {"families": {"cpu": {"often": 1}}},
        NewAgentConfig,
        "families.cpu.often: None: unknown field; known fields are enabled, interval_s, include and exclude",
    ),
]


@pytest.mark.parametrize(("body", "type", "text"), BODIES)
def test_a_bad_body_is_answered_in_words(body: Any, type: Any, text: str) -> None:
    assert [str(fault) for fault in invalid_fields(body, type)] == [text]


def test_a_bad_body_is_answered_with_every_field_that_is_wrong() -> None:
    body = {
        "name": "",
        "metric": 7,
        "for_s": -1,
        "warning": {"raise_at": "75", "clear_up": 1},
        "critical": {"raise_at": 90, "clear_at": 85},
        "surprise": 1,
    }
    assert [fault.field for fault in invalid_fields(body, Rule)] == [
        "id",
        "name",
        "metric",
        "warning.raise_at",
        "warning.clear_at",
        "warning.clear_up",
        "for_s",
        "surprise",
    ]


def test_every_wrong_entry_of_a_list_and_of_an_object_is_named() -> None:
    body = {"directories": ["a", "/b", "c"], "families": {"cpu": {"interval_s": 0}, "gpu": {"enabled": 1}}}
    assert [fault.field for fault in invalid_fields(body, NewAgentConfig)] == [
        "directories[0]",
        "directories[2]",
        "families.cpu.interval_s",
        "families.gpu.enabled",
    ]


def test_of_very_many_wrong_fields_the_first_are_named() -> None:
    body = {**RULE, **{f"x{k}": 1 for k in range(1000)}}
    assert [fault.field for fault in invalid_fields(body, Rule)] == [f"x{k}" for k in range(MOST_FAULTS)]


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (Annotated[int, Meta(ge=0, le=65535)], "a whole number from 0 to 65535"),
        (Annotated[int, Meta(ge=1_000_000)], "a whole number of at least 1000000"),
        (Annotated[float, Meta(le=0.5)], "a number of at most 0.5"),
        (Annotated[float, Meta(gt=0, lt=1)], "a number above 0 and below 1"),
        (Annotated[str, Meta(max_length=5)], "a string of at most 5 characters"),
        (Annotated[int, Meta(description="a port")], "a port"),
        (Literal["auto", "json", "pretty"], 'one of "auto", "json" or "pretty"'),
        (Any, "a JSON value"),
        (list, "a list"),
    ],
)
def test_what_a_type_allows_is_said_in_words(annotation: Any, text: str) -> None:
    assert allowed(annotation) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "JSON is empty or incomplete"),
        (b"{", "JSON is empty or incomplete"),
        (b'{"a": 1,}', "invalid JSON at byte 8"),
        (b"[" * 20_000, "JSON is nested too deeply"),
        (b'"\xff"', "invalid JSON, or not encoded in UTF-8"),
        (b"1e999", "JSON has a number that is too large"),
    ],
)
def test_a_text_that_is_no_json_is_answered_in_words(text: bytes, words: str) -> None:
    with pytest.raises((msgspec.DecodeError, RecursionError, UnicodeDecodeError)) as refused:
        msgspec.json.decode(text)
    assert json_fault(refused.value) == words


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from([Rule, NewAgentConfig, RuntimeSettings]),
    _JSON | st.dictionaries(st.sampled_from(["id", "name", "families", "warning", "directories", "raw_days"]), _JSON),
)
def test_no_text_names_the_validator(type: Any, body: Any) -> None:
    for fault in invalid_fields(body, type):
        assert not any(word in fault.remedy for word in ("Expected", "Object", "regex", "`", "\\"))


@given(
    st.sampled_from([Rule, NewAgentConfig, RuntimeSettings]),
    _JSON | st.dictionaries(st.sampled_from(["id", "name", "metric", "families", "warning", "raw_days"]), _JSON),
)
def test_a_body_has_faults_when_it_does_not_convert(type: Any, body: Any) -> None:
    try:
        msgspec.convert(body, type)
    except msgspec.ValidationError:
        assert invalid_fields(body, type)
    else:
        assert not invalid_fields(body, type)


@pytest.mark.parametrize("key", setting_keys())
def test_every_setting_says_what_it_allows(key: str) -> None:
    fault = setting_fault(key, [], "value")
    assert fault.field == "value"
    assert any(words in fault.remedy for words in (" to ", "http://", "true or false"))


def test_an_address_that_none_can_have_is_told_what_to_name() -> None:
    assert setting_fault("dashboard_url", "http://a..b/", "value").remedy.startswith("must name a host")


def test_a_secret_that_does_not_validate_is_not_repeated() -> None:
    assert "SECRET" not in str(setting_fault("heartbeat_url", "hooks/SECRET", "value"))


def test_a_stored_setting_that_does_not_validate_is_named() -> None:
    with pytest.raises(InvalidField, match=r"^raw_days: 0: must be a whole number from 1 to 3650$"):
        parse_stored("raw_days", "0")
