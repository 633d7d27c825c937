"""Runtime settings come from rows, with defaults for the rest."""

import msgspec
import pytest

from schemas.rules import InvalidField
from schemas.settings import (
    DESCRIPTIONS,
    SECRETS,
    RuntimeSettings,
    StoredSettings,
    check_settings,
    parse_setting,
    setting_keys,
)


def test_rows_override_defaults_and_unknown_rows_are_passed_over() -> None:
    stored = StoredSettings()
    assert stored.take({"raw_days": "14", "from_the_future": '"x"'}) == []
    assert stored.settings == RuntimeSettings(raw_days=14)


def test_an_invalid_row_leaves_what_was_in_force_and_the_others_count() -> None:
    stored = StoredSettings()
    stored.take({"raw_days": "14"})
    stored.take({"raw_days": "0", "max_viewers": "5"})
    assert stored.settings == RuntimeSettings(raw_days=14, max_viewers=5)


def test_without_a_row_before_it_an_invalid_one_leaves_the_default() -> None:
    stored = StoredSettings()
    stored.take({"raw_days": "0"})
    assert stored.settings == RuntimeSettings()


def test_an_invalid_row_is_news_once() -> None:
    stored = StoredSettings()
    taken = [len(stored.take({"raw_days": text})) for text in ("0", "0", "-1", "7", "0")]
    assert taken == [1, 0, 1, 0, 1]


def test_what_is_wrong_with_a_row_is_known_as_long_as_it_is() -> None:
    stored = StoredSettings()
    stored.take({"raw_days": "0"})
    assert stored.invalid["raw_days"].remedy == "must be a whole number from 1 to 3650"
    stored.take({"raw_days": "7"})
    assert stored.invalid == {}


NUMBERS = "1" * 5000
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize("key", setting_keys())
@pytest.mark.parametrize("text", ["[null]", "[]", NUMBERS, DEEP, "1e999", "{", ""])
def test_no_text_in_a_row_ends_the_reading(key: str, text: str) -> None:
    stored = StoredSettings()
    stored.take({key: text})
    assert stored.settings == RuntimeSettings()
    assert list(stored.invalid) == [key]


@pytest.mark.parametrize("key", setting_keys())
def test_null_in_a_row_is_the_default_whatever_was_in_force(key: str) -> None:
    stored = StoredSettings()
    stored.take({"max_viewers": "7", "dashboard_url": '"https://sonde.example"'})
    assert stored.take({key: "null"}) == []
    assert stored.settings == RuntimeSettings()
    assert not stored.invalid


def test_an_invalid_secret_is_not_repeated() -> None:
    stored = StoredSettings()
    stored.take({"heartbeat_url": '"hooks/SECRET"'})
    assert "SECRET" not in str(stored.invalid)


def test_every_setting_is_described() -> None:
    assert set(DESCRIPTIONS) == set(setting_keys())
    assert set(setting_keys()) >= SECRETS


@pytest.mark.parametrize("key", setting_keys())
def test_no_description_names_a_key(key: str) -> None:
    assert not [other for other in setting_keys() if other in DESCRIPTIONS[key]]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("raw_days", 0),
        ("raw_days", "7"),
        ("raw_days", 2.5),
        ("heartbeat_url", "ftp://x"),
        ("dashboard_url", "https://sonde.example\n"),
        ("dashboard_url", "https://"),
        ("heartbeat_url", "http://xn--/"),
        ("heartbeat_url", "http://hooks.example:99999/"),
        ("max_viewers", None),
    ],
)
def test_an_invalid_value_is_refused(key: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        parse_setting(key, value)


def keeping(raw: int, minute: int, hour: int) -> RuntimeSettings:
    return RuntimeSettings(raw_days=raw, minute_days=minute, hour_days=hour)


def test_the_defaults_make_sense_together() -> None:
    check_settings(RuntimeSettings())


def test_equal_spans_make_sense() -> None:
    check_settings(keeping(7, 7, 7))


@pytest.mark.parametrize(
    ("settings", "shorter", "longer", "value", "limit"),
    [
        (keeping(31, 30, 730), "raw_days", "minute_days", 31, 30),
        (keeping(7, 731, 730), "minute_days", "hour_days", 731, 730),
    ],
)
def test_what_a_roll_up_replaces_may_not_outlive_it(
    settings: RuntimeSettings, shorter: str, longer: str, value: int, limit: int
) -> None:
    with pytest.raises(InvalidField) as caught:
        check_settings(settings)
    assert (caught.value.field, caught.value.value) == (shorter, value)
    assert f"{longer}, which is {limit}" in caught.value.remedy
    assert f"raise {longer} to at least {value}" in caught.value.remedy
