"""Process settings: invalid values stop, unknown names are said once and ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.settings import AgentSettings, ServerSettings, SettingError, load_settings


@pytest.mark.parametrize("kind", [AgentSettings, ServerSettings])
def test_an_unknown_setting_is_named_and_ignored(kind: type[AgentSettings], capsys: pytest.CaptureFixture[str]) -> None:
    name = f"SONDE_OF_A_LATER_{kind.__name__.upper()}"
    assert load_settings(kind, {name: "1", "SONDE_LOG_FORMAT": "json"}).log_format == "json"
    said = capsys.readouterr().err
    assert said.startswith(f"sonde: {name}: unknown setting, ignored; docs/settings.md lists those that exist")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SONDE_NATS_ULR", "SONDE_NATS_URL"),
        ("SONDE_SAMPLE_INTERVALL_S", "SONDE_SAMPLE_INTERVAL_S"),
        ("SONDE_TOKENFILE", "SONDE_TOKEN_FILE"),
    ],
)
def test_a_typing_error_is_answered_with_what_may_be_meant(
    name: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    load_settings(AgentSettings, {name: "1"})
    assert capsys.readouterr().err == f"sonde: {name}: unknown setting, ignored; is {meant} meant?\n"


def test_it_is_said_once_however_often_settings_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in (AgentSettings, ServerSettings):
        load_settings(kind, {"SONDE_SAID_ONCE": "1"})
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_in_a_file_it_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sonde.toml"
    path.write_text('sample_intervals_s = 2\nhost = "web-1"\nof_later = 1\n')
    assert load_settings(AgentSettings, {"SONDE_CONFIG": str(path)}).host == "web-1"
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"sonde: {path}: sample_intervals_s: unknown setting, ignored; is sample_interval_s meant?"
    assert second.startswith(f"sonde: {path}: of_later: unknown setting, ignored; docs/settings.md lists")


def test_an_invalid_value_stops_beside_an_unknown_name() -> None:
    with pytest.raises(SettingError, match="SONDE_SAMPLE_INTERVAL_S"):
        load_settings(AgentSettings, {"SONDE_SAMPLE_INTERVAL_S": "0", "SONDE_BESIDE": "1"})


def test_an_agent_takes_several_addresses_of_the_bus() -> None:
    urls = "tls://a.example:4222,tls://b.example:4222"
    assert load_settings(AgentSettings, {"SONDE_NATS_URL": urls}).nats_url == urls
    with pytest.raises(SettingError, match="write nats://HOST:4222"):
        load_settings(AgentSettings, {"SONDE_NATS_URL": "tls://a.example:4222,b"})
