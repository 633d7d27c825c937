"""Runtime settings come from rows, with defaults for the rest."""

import msgspec
import pytest

from schemas.settings import DESCRIPTIONS, SECRETS, parse_setting, setting_keys, settings_from_rows


def test_rows_override_defaults_and_unknown_rows_are_passed_over() -> None:
    settings = settings_from_rows({"raw_days": "14", "from_the_future": '"x"'})
    assert settings.raw_days == 14
    assert settings.slack_webhook_url == ""


def test_every_setting_is_described() -> None:
    assert set(DESCRIPTIONS) == set(setting_keys())
    assert set(setting_keys()) >= SECRETS


@pytest.mark.parametrize(
    ("key", "value"),
    [("raw_days", 0), ("raw_days", "7"), ("raw_days", 2.5), ("slack_webhook_url", "ftp://x"), ("max_viewers", None)],
)
def test_an_invalid_value_is_refused(key: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        parse_setting(key, value)
