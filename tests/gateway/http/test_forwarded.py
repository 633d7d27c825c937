"""Whose request it is behind proxies: laws, and the spellings of the field."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from infra.addresses import networks_of
from services.gateway.http.forwarded import HEADERS, Asker, Contradiction, asker_of, node_address

PROXY, CLIENT = "10.0.0.5", "203.0.113.9"
PROXIES = networks_of("10.0.0.0/24,2001:db8::5")

text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=60)
addresses = st.ip_addresses().map(str).filter(lambda address: not ipaddress.ip_address(address).is_reserved)
strangers = st.ip_addresses(v=4, network="203.0.113.0/24").map(str)
proxies = st.ip_addresses(v=4, network="10.0.0.0/24").map(str)
told = st.lists(st.tuples(st.sampled_from(HEADERS), text), max_size=6)


def headers(*pairs: tuple[str, str]) -> Headers:
    return Headers(
        raw=[(name.encode(), value.encode("latin-1")) for name, value in (("host", "sonde.example"), *pairs)]
    )


def ask(*pairs: tuple[str, str], peer: str = PROXY, in_front: bool = False) -> Asker:
    return asker_of(peer, "http", headers(*pairs), PROXIES, in_front)


@given(peer=strangers, said=told)
def test_what_strangers_say_of_themselves_changes_nothing(peer: str, said: list[tuple[str, str]]) -> None:
    assert ask(*said, peer=peer) == Asker(peer, "http", "sonde.example")


@given(made_up=st.lists(st.one_of(text, addresses), max_size=4), client=strangers, way=st.lists(proxies, max_size=3))
def test_whatever_a_client_makes_up_its_address_is_the_one_that_the_first_trusted_proxy_saw(
    made_up: list[str], client: str, way: list[str]
) -> None:
    assert ask(("x-forwarded-for", ", ".join([*made_up, client, *way]))).address == client
    forwarded = ", ".join(f"for={hop}" for hop in (client, *way))
    assert ask(("forwarded", forwarded)).address == client


@given(said=told)
def test_an_address_is_always_one_or_the_peers_whatever_comes(said: list[tuple[str, str]]) -> None:
    try:
        asker = ask(*said)
    except Contradiction:
        return
    assert ipaddress.ip_address(asker.address)
    assert asker.scheme in ("http", "https")


def test_a_proxy_that_says_nothing_stands_for_itself() -> None:
    assert ask() == Asker(PROXY, "http", "sonde.example")
    assert ask(in_front=True) == Asker(PROXY, "http", "sonde.example")


def test_name_and_scheme_are_those_that_the_nearest_proxy_wrote() -> None:
    said = (
        ("x-forwarded-for", CLIENT),
        ("x-forwarded-proto", "http, HTTPS"),
        ("x-forwarded-host", "evil, a.example:8443"),
    )
    assert ask(*said) == Asker(CLIENT, "https", "a.example:8443", proxied=True)


def test_several_lines_of_a_header_are_one_list() -> None:
    assert ask(("x-forwarded-for", "127.0.0.1"), ("x-forwarded-for", CLIENT)).address == CLIENT


def test_forwarded_tells_all_three() -> None:
    line = f'for="[2001:db8::9]:4711";proto=http, for={CLIENT};proto=https;host="a.example:8443";by=10.0.0.5'
    assert ask(("forwarded", line)) == Asker(CLIENT, "https", "a.example:8443", proxied=True)


def test_quotes_may_hold_what_separates() -> None:
    assert ask(("forwarded", f'for="a,b;c\\",", for={CLIENT}')).address == CLIENT


@pytest.mark.parametrize("hop", ["unknown", "_hidden", "", "localhost", "1.2.3", "fe80::1%eth0", "[::1", '"'])
def test_a_hop_that_is_no_address_hides_whoever_is_behind_it(hop: str) -> None:
    assert ask(("x-forwarded-for", f"{CLIENT}, {hop}")).address == PROXY
    assert ask(("x-forwarded-for", f"{CLIENT}, {hop}, 10.0.0.7")).address == "10.0.0.7"


def test_two_kinds_of_headers_that_disagree_are_refused_since_one_is_made_up() -> None:
    with pytest.raises(Contradiction):
        ask(("x-forwarded-for", CLIENT), ("forwarded", "for=127.0.0.1"))
    with pytest.raises(Contradiction):
        ask(("x-forwarded-for", CLIENT), ("forwarded", f"for={CLIENT};host=evil.example"))
    assert ask(("x-forwarded-for", CLIENT), ("forwarded", f"for={CLIENT}")).address == CLIENT


def test_what_a_proxy_in_front_passes_on_was_encrypted_unless_it_says_otherwise() -> None:
    assert ask(("x-forwarded-for", CLIENT), in_front=True).scheme == "https"
    assert ask(("x-forwarded-for", CLIENT), ("x-forwarded-proto", "http"), in_front=True).scheme == "http"
    assert ask(("x-forwarded-for", CLIENT)).scheme == "http"


def test_a_scheme_that_is_none_of_the_webs_is_not_believed() -> None:
    assert ask(("x-forwarded-for", CLIENT), ("x-forwarded-proto", "javascript")).scheme == "http"


def test_an_ipv4_address_is_the_same_in_ipv6() -> None:
    assert ask(("x-forwarded-for", f"::ffff:{CLIENT}"), peer=f"::ffff:{PROXY}").address == CLIENT


@given(addresses)
def test_ports_and_brackets_do_not_hide_an_address(address: str) -> None:
    plain = node_address(address)
    bracketed = f"[{address}]" if ":" in address else address
    assert plain
    assert node_address(f"{bracketed}:4711") == plain
