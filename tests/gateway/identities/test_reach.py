"""What machines are told about where everything is, and why others cannot reach it."""

import pytest
from msgspec import structs

from infra.settings import ServerSettings
from services.gateway.identities.reach import Reach, reach_of

ANYWHERE = "0.0.0.0"  # noqa: S104 -- never bound
LOOPBACK = ServerSettings(nats_url="nats://127.0.0.1:5555", port=8080, bus_port=5555)
OPEN = ServerSettings(
    http_host="192.0.2.7", bus_host="192.0.2.7", bus_port=4222, tls="files", nats_url="tls://127.0.0.1:4222"
)


def test_on_loopback_the_obstacle_names_the_settings_to_change() -> None:
    reach = reach_of(LOOPBACK)
    assert (reach.url, reach.bus) == ("http://127.0.0.1:8080", ("nats://127.0.0.1:5555",))
    for name in ("SONDE_HTTP_HOST", "SONDE_BUS_HOST", "SONDE_TLS"):
        assert name in reach.obstacle
    assert reach.line("sonde_x") == ""


def test_on_an_address_of_its_own_machines_reach_both_by_it() -> None:
    reach = reach_of(OPEN)
    assert (reach.url, reach.bus, reach.obstacle) == ("https://192.0.2.7:8080", ("tls://192.0.2.7:4222",), "")


def test_a_public_name_stands_for_both() -> None:
    reach = reach_of(structs.replace(OPEN, public_url="https://sonde.example/", http_host=ANYWHERE, bus_host=ANYWHERE))
    assert (reach.url, reach.bus, reach.obstacle) == ("https://sonde.example", ("tls://sonde.example:4222",), "")


def test_several_addresses_of_the_bus_are_told_as_they_are_set() -> None:
    assert reach_of(structs.replace(OPEN, bus_url="tls://a:1,tls://b:2")).bus == ("tls://a:1", "tls://b:2")


def test_everywhere_without_a_name_is_an_obstacle() -> None:
    assert "SONDE_PUBLIC_URL" in reach_of(structs.replace(OPEN, http_host=ANYWHERE)).obstacle


def test_a_bus_on_loopback_behind_a_public_gateway_is_an_obstacle() -> None:
    settings = structs.replace(LOOPBACK, public_url="https://sonde.example", tls="in-front")
    assert "SONDE_BUS_HOST" in reach_of(settings).obstacle


def test_users_and_passwords_in_the_gateways_own_address_are_not_told() -> None:
    reach = reach_of(ServerSettings(nats_url="nats://gateway:secret@bus.example:4222"))
    assert reach.bus == ("nats://bus.example:4222",)


def test_ipv6_addresses_have_brackets() -> None:
    settings = structs.replace(OPEN, http_host="2001:db8::1", bus_host="2001:db8::1")
    assert reach_of(settings).url == "https://[2001:db8::1]:8080"
    assert reach_of(settings).bus == ("tls://[2001:db8::1]:4222",)


@pytest.mark.parametrize(
    ("pinned", "line"),
    [
        ("", "curl -fsS https://s.example/install.sh | sh -s -- --token sonde_x"),
        ("abc=", "curl -fsSk --pinnedpubkey 'sha256//abc=' https://s.example/install.sh | sh -s -- --token sonde_x"),
    ],
)
def test_the_line_to_paste_pins_a_certificate_authority_of_our_own(pinned: str, line: str) -> None:
    assert Reach("https://s.example", (), pin=pinned).line("sonde_x") == line
