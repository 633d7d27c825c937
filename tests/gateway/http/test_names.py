"""Names of the gateway, and the origins that are its own."""

from __future__ import annotations

import pytest

from infra.settings import ServerSettings, SettingError, load_settings
from services.gateway.http.names import LOOPBACK_NAMES, Names, host_name, names_of_gateway, origin_of, same_origin

HERE = Names(LOOPBACK_NAMES)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("x:443", "x"),
        ("Sonde.Example.ORG", "sonde.example.org"),
        ("sonde.example.org.", "sonde.example.org"),
        ("sonde.example.org.:8443", "sonde.example.org"),
        ("[::1]", "::1"),
        ("[0:0:0:0:0:0:0:1]:80", "::1"),
        ("[::ffff:127.0.0.1]", "127.0.0.1"),
        ("", ""),
        ("[", ""),
        (":80", ""),
    ],
)
def test_a_host_header_names_a_host_whatever_its_port_case_and_last_dot(host: str, name: str) -> None:
    assert host_name(host) == name


def test_names_come_from_process_settings_alone() -> None:
    settings = ServerSettings(public_url="https://sonde.example:8443", allowed_names="Other.Example, 192.0.2.7")
    names = names_of_gateway(settings)
    for name in ("localhost", "127.0.0.1", "::1", "sonde.example", "other.example", "192.0.2.7"):
        assert names.allow(name), name
    for name in ("", "evil.example", "192.0.2.8", "x.sonde.example"):
        assert not names.allow(name), name


@pytest.mark.parametrize("text", ["https://sonde.example", "sonde.example:443", "a b", "*.example", "a/b", "-x"])
def test_what_is_no_list_of_names_stops_the_process_with_a_remedy(text: str) -> None:
    with pytest.raises(SettingError, match=r"SONDE_ALLOWED_NAMES.*without scheme and port"):
        load_settings(ServerSettings, {"SONDE_ALLOWED_NAMES": text})


@pytest.mark.parametrize(
    ("text", "reason"), [("10.0.0.1/8", "host bits"), ("proxy", "does not appear"), ("0.0.0.0/0", "every address")]
)
def test_what_is_no_list_of_proxies_stops_the_process_with_a_remedy(text: str, reason: str) -> None:
    with pytest.raises(SettingError, match=f"SONDE_TRUSTED_PROXIES.*{reason}"):
        load_settings(ServerSettings, {"SONDE_TRUSTED_PROXIES": text})


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "ours"),
    [
        ("http://localhost", "http", "localhost:80", True),
        ("https://sonde.example", "https", "sonde.example:443", True),
        ("https://sonde.example:443", "https", "sonde.example", True),
        ("https://Sonde.Example", "https", "SONDE.example.", True),
        ("http://[::1]:8080", "http", "[::1]:8080", True),
        ("https://sonde.example", "http", "sonde.example", True),  # a proxy that does not say that it encrypts
        ("http://sonde.example", "https", "sonde.example", False),
        ("http://localhost:3000", "http", "localhost:8080", False),
        ("https://localhost:8443", "http", "localhost", False),
        ("null", "http", "localhost", False),
        ("", "http", "localhost", False),
        ("http://", "http", "", False),
        ("file://", "http", "localhost", False),
        ("http://localhost@evil.example", "http", "localhost", False),
        ("http://evil.example", "http", "localhost", False),
        ("http://localhost/path", "http", "localhost", False),
        ("http://localhost:x", "http", "localhost", False),
    ],
)
def test_a_page_is_ours_when_scheme_name_and_port_are(origin: str, scheme: str, host: str, ours: bool) -> None:
    assert same_origin(origin, scheme, host, HERE) is ours


def test_pages_at_the_public_address_are_ours_even_where_a_proxy_hides_the_name() -> None:
    """As nginx does that is told `proxy_pass` and nothing more."""
    names = names_of_gateway(ServerSettings(public_url="https://sonde.example"))
    assert same_origin("https://sonde.example", "http", "127.0.0.1:8080", names)
    assert not same_origin("http://sonde.example", "http", "127.0.0.1:8080", names)
    assert not same_origin("https://sonde.example:8443", "http", "127.0.0.1:8080", names)
    assert not same_origin("https://sonde.example", "http", "127.0.0.1:8080", HERE)


def test_an_origin_is_scheme_and_host_without_default_ports() -> None:
    assert origin_of("https://a.example:443") == ("https", "a.example")
    assert origin_of("https://a.example:8443") == ("https", "a.example 8443")
