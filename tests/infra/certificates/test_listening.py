"""What the settings of TLS mean, and which are refused."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.certificates.listening import Tls, local_gateway, prepare, require_encryption, tls_of
from infra.certificates.names import interface_addresses, listener_names, machine_names
from infra.settings import ServerSettings, SettingError
from tests.certificates import given


def refused(certificate: object = "", key: object = "", **settings: Any) -> str:
    """The one line that refuses these settings."""
    told = {"tls": "files", **settings}
    with pytest.raises(SettingError) as error:
        prepare(ServerSettings(tls_certificate=str(certificate), tls_key=str(key), **told))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_encryption(host: str) -> None:
    require_encryption("http_host", host, ServerSettings())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", "", "localhost.example"])  # noqa: S104
def test_any_other_address_needs_it_and_the_remedies_are_named(host: str) -> None:
    with pytest.raises(SettingError) as told:
        require_encryption("bus_host", host, ServerSettings())
    assert str(told.value).startswith(f"SONDE_BUS_HOST: {host!r}: ")
    assert all(word in str(told.value) for word in ("SONDE_TLS", "own", "files", "in-front", "127.0.0.1"))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("tls", ["own", "files", "in-front"])
def test_with_tls_every_address_will_do(tls: Any) -> None:
    require_encryption("http_host", "0.0.0.0", ServerSettings(tls=tls))  # noqa: S104


def test_own_certificates_are_in_the_data_directory(tmp_path: Path) -> None:
    tls = prepare(ServerSettings(data=str(tmp_path), tls="own"))
    assert tls.ca == str(tmp_path / "certificates" / "ca.pem")
    assert all(Path(path).exists() for path in (tls.certificate, tls.key, tls.ca))


def test_given_files_are_taken_as_they_are(tmp_path: Path) -> None:
    files = given(tmp_path)
    settings = ServerSettings(tls="files", tls_certificate=files.certificate, tls_key=files.key)
    assert prepare(settings) == Tls(files.certificate, files.key)


def test_both_files_must_be_named() -> None:
    assert refused().startswith("SONDE_TLS_CERTIFICATE: empty, and SONDE_TLS is files; give")
    assert refused("/some.pem").startswith("SONDE_TLS_KEY: empty, and SONDE_TLS is files; give")


def test_files_without_the_setting_that_uses_them_are_told() -> None:
    assert refused("/some.pem", tls="none").startswith("SONDE_TLS_CERTIFICATE: '/some.pem': not used, because")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    files = given(tmp_path)
    assert refused(tmp_path / "no.pem", files.key).startswith(
        f"SONDE_TLS_CERTIFICATE: '{tmp_path / 'no.pem'}': no such file or directory; give"
    )
    assert refused(files.certificate, tmp_path).startswith(f"SONDE_TLS_KEY: '{tmp_path}': is a directory; give")


def test_a_file_with_something_else_is_named(tmp_path: Path) -> None:
    files = given(tmp_path)
    assert refused(files.key, files.key).startswith(f"SONDE_TLS_CERTIFICATE: '{files.key}': not a certificate chain")
    assert refused(files.certificate, files.ca).startswith(f"SONDE_TLS_KEY: '{files.ca}': not a private key")


def test_a_key_with_a_password_is_refused_rather_than_asked_for(tmp_path: Path) -> None:
    files = given(tmp_path)
    locked = tmp_path / "locked.key"
    command = ["openssl", "pkcs8", "-topk8", "-in", files.key, "-out", str(locked), "-passout", "pass:secret"]
    subprocess.run(command, check=True, capture_output=True)
    assert "not a private key without a password" in refused(files.certificate, locked)


def test_files_that_do_not_belong_together_are_told(tmp_path: Path) -> None:
    files, others = given(tmp_path, "a"), given(tmp_path, "b")
    assert "not the key of the first certificate" in refused(files.certificate, others.key)


def test_a_certificate_out_of_its_time_is_told(tmp_path: Path) -> None:
    old, early = given(tmp_path, "old", timedelta(days=91)), given(tmp_path, "early", -timedelta(days=2))
    assert ": expired on " in refused(old.certificate, old.key)
    assert ": valid only from " in refused(early.certificate, early.key)


def test_a_certificate_that_openssl_refuses_is_told(tmp_path: Path) -> None:
    weak, key = str(tmp_path / "weak.pem"), str(tmp_path / "weak.key")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:512", "-nodes", "-keyout", key, "-out", weak, "-subj", "/CN=x"]
    subprocess.run(make, check=True, capture_output=True)
    assert "OpenSSL refuses it" in refused(weak, key)


def test_what_is_in_front_needs_no_files() -> None:
    assert tls_of(ServerSettings(tls="in-front")) == Tls()


def test_the_names_are_those_of_the_machine_and_of_the_settings() -> None:
    settings = ServerSettings(
        http_host="0.0.0.0",  # noqa: S104
        bus_host="192.0.2.7",
        public_url="https://Monitor.Example:8443",
        bus_url="tls://bus.example:4222,tls://[2001:db8::1]:4222",
    )
    names = listener_names(settings)
    wanted = {"localhost", "127.0.0.1", "::1", "192.0.2.7", "monitor.example", "bus.example", "2001:db8::1"}
    assert wanted | set(machine_names()) | set(interface_addresses()) == set(names)
    assert len(names) == len(set(names))


def test_names_that_no_certificate_can_have_are_left_out() -> None:
    assert "bücher" not in "".join(listener_names(ServerSettings(http_host="bücher.example")))
    assert "xn--bcher-kva.example" in listener_names(ServerSettings(http_host="bücher.example"))
    assert not [name for name in listener_names(ServerSettings(http_host="fe80::1%eth0")) if "%" in name]


@pytest.mark.parametrize(
    ("host", "tls", "address"),
    [
        ("127.0.0.1", "none", "http://127.0.0.1:8080"),
        ("::1", "none", "http://[::1]:8080"),
        ("::", "own", "https://[::1]:8080"),
        ("0.0.0.0", "files", "https://127.0.0.1:8080"),  # noqa: S104
        ("192.0.2.7", "in-front", "http://192.0.2.7:8080"),
    ],
)
def test_this_machine_reaches_its_gateway_at(host: str, tls: Any, address: str) -> None:
    assert local_gateway(ServerSettings(http_host=host, tls=tls)) == address
