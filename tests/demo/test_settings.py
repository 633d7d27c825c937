"""A demonstration uses nothing that a real installation has, wherever it is started."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from infra.cli.own_servers import PORT, add_options, demonstration_settings
from infra.settings import ServerSettings, SettingError

REAL = {
    "authority": "/etc/sonde/authority",
    "public_url": "https://sonde.example",
    "bus_host": "10.0.0.1",
    "bus_port": "4222",
    "bus_url": "tls://sonde.example:4222",
    "data": "/var/lib/sonde",
    "port": "8080",
}


def made(*options: str) -> ServerSettings:
    parser = argparse.ArgumentParser()
    add_options(parser, int)
    return demonstration_settings(parser.parse_args(options))


@pytest.mark.parametrize("source", ["environment", "file"])
@pytest.mark.parametrize("name", REAL)
def test_what_a_real_installation_is_set_to_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str
) -> None:
    alone = made("--data", str(tmp_path))
    if source == "environment":
        monkeypatch.setenv(f"SONDE_{name.upper()}", REAL[name])
    else:
        (tmp_path / "sonde.toml").write_text(f'{name} = "{REAL[name]}"\n')
        monkeypatch.setenv("SONDE_CONFIG", str(tmp_path / "sonde.toml"))
    assert made("--data", str(tmp_path)) == alone


@pytest.mark.parametrize(
    ("name", "address"), [("nats_url", "nats://10.0.0.1:4222"), ("database_url", "postgresql://10.0.0.1/sonde")]
)
def test_servers_that_are_there_already_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    monkeypatch.setenv(f"SONDE_{name.upper()}", address)
    with pytest.raises(SettingError, match=f"SONDE_{name.upper()}.*remove this setting"):
        made()


def test_everybody_may_look_at_it_and_it_has_a_port_of_its_own() -> None:
    settings = made()
    assert settings.demonstration
    assert settings.anonymous_viewer
    assert settings.port == PORT != ServerSettings().port
