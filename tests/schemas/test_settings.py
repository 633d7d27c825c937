"""Runtime settings come from rows, with defaults for the rest."""

import msgspec
import pytest

from schemas.rules import InvalidField
from schemas.settings import (
    DESCRIPTIONS,
    SECRETS,
    RuntimeSettings,
    check_settings,
    parse_setting,
    setting_keys,
    settings_from_rows,
)


def test_rows_override_defaults_and_unknown_rows_are_passed_over() -> None:
    settings = settings_from_rows({"raw_days": "14", "from_the_future": '"x"'})
    assert settings.raw_days == 14
    assert settings.slack_webhook_url == ""


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
        ("slack_webhook_url", "ftp://x"),
        ("dashboard_url", "https://sonde.example\n"),
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
