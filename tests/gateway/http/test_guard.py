"""Who may ask: the guard's decisions."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from services.gateway.http.forwarded import Asker
from services.gateway.http.guard import FROM_OTHER_SITES, refusal, seen
from services.gateway.http.names import LOOPBACK_NAMES, Names

HERE = {"host": "localhost:8080"}


def status(
    method: str,
    headers: dict[str, str],
    path: str = "/api/v1/rules",
    names: frozenset[str] = frozenset(),
    addresses: bool = False,
    scheme: str = "http",
) -> int:
    """Status of the refusal, 200 without one."""
    scope = {"method": method, "path": path, "scheme": scheme}
    problem = refusal(scope, Headers(headers), Names(LOOPBACK_NAMES | names, addresses))
    return problem.status if problem else 200


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "[::1]"]
)
def test_every_loopback_name_is_answered(host: str) -> None:
    assert status("GET", {"host": host}) == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:80",
        "[::2]",
        "[",
        "10.0.0.1",
        "a@localhost.x",
    ],
)
def test_any_other_name_is_refused_because_it_may_be_rebound(host: str) -> None:
    assert status("GET", {"host": host}) == 421


def test_the_name_people_use_can_be_allowed() -> None:
    assert status("GET", {"host": "sonde.example:443"}, names=frozenset({"sonde.example"})) == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8080"}, 200),
        ({"origin": "http://LocalHost:8080", "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://localhost:3000"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "file://"}, 403),
        ({"origin": "http://localhost:8080", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_changes_are_taken_from_our_own_pages_and_from_programs_only(
    method: str, headers: dict[str, str], expected: int
) -> None:
    assert status(method, {**HERE, **headers}) == expected


def test_pages_of_other_sites_may_link_to_the_dashboard_but_not_use_the_api() -> None:
    foreign = {**HERE, "sec-fetch-site": "cross-site"}
    assert status("GET", foreign, "/hosts/web-1") == 200
    assert status("GET", foreign, "/api/v1/live") == 403


@pytest.mark.parametrize("length", ["524289", "-1", "1e3", "9" * 5000, "²"])
def test_a_body_that_is_announced_too_large_or_oddly_is_refused(length: str) -> None:
    assert status("POST", {**HERE, "content-length": length}) == 413


@pytest.mark.parametrize("host", ["192.0.2.7:8080", "[2001:db8::1]:8080", "10.0.0.1"])
def test_a_gateway_that_others_reach_answers_under_any_address_since_none_can_be_rebound(host: str) -> None:
    assert status("GET", {"host": host}, addresses=True) == 200
    assert status("GET", {"host": host}) == 421


def test_such_a_gateway_still_answers_under_no_strange_name() -> None:
    assert status("GET", {"host": "192.0.2.7.evil.example"}, addresses=True) == 421
    assert status("GET", {"host": "evil.example"}, addresses=True) == 421


def test_a_request_with_two_host_headers_is_refused() -> None:
    headers = Headers(raw=[(b"host", b"localhost"), (b"host", b"evil.example")])
    problem = refusal({"method": "GET", "path": "/", "scheme": "http"}, headers, Names(LOOPBACK_NAMES))
    assert problem is not None
    assert problem.status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_change_that_comes_with_a_cookie_says_from_which_page(method: str) -> None:
    cookie = {**HERE, "cookie": "session=1"}
    assert status(method, cookie) == 403
    assert status(method, {**cookie, "origin": "http://localhost:8080"}) == 200
    assert status(method, {**cookie, "sec-fetch-site": "same-origin"}) == 200
    assert status(method, {**cookie, "origin": "http://evil.example", "sec-fetch-site": "same-origin"}) == 403


def test_reading_with_a_cookie_needs_no_origin_since_old_browsers_send_none() -> None:
    assert status("GET", {**HERE, "cookie": "session=1"}) == 200


@pytest.mark.parametrize("path", sorted(FROM_OTHER_SITES))
def test_an_identity_provider_may_send_people_back_but_not_change_anything(path: str) -> None:
    foreign = {**HERE, "sec-fetch-site": "cross-site"}
    assert status("GET", foreign, path) == 200
    assert status("POST", foreign, path) == 403
    assert status("GET", foreign, path + "/more") == 403


def test_over_tls_a_page_that_is_not_encrypted_is_foreign() -> None:
    assert status("POST", {**HERE, "origin": "http://localhost:8080"}, scheme="https") == 403
    assert status("POST", {**HERE, "origin": "https://localhost:8080"}, scheme="https") == 200


def test_behind_the_guard_a_request_looks_as_it_did_before_a_proxy_had_it() -> None:
    headers = [(b"host", b"127.0.0.1:8080"), (b"x-forwarded-for", b"192.0.2.7"), (b"accept", b"*/*")]
    scope = {"client": ("127.0.0.1", 5), "scheme": "http", "headers": headers}
    shown = seen(scope, Asker("192.0.2.7", "https", "sonde.example", proxied=True))
    assert shown["client"] == ("192.0.2.7", 0)
    assert shown["scheme"] == "https"
    assert shown["headers"] == [(b"host", b"sonde.example"), (b"accept", b"*/*")]


def test_what_nobody_trusted_passed_on_keeps_its_own_address_and_loses_the_headers() -> None:
    headers = [(b"host", b"localhost"), (b"forwarded", b"for=127.0.0.1"), (b"x-real-ip", b"::1")]
    scope = {"client": ("192.0.2.7", 5), "scheme": "http", "headers": headers}
    shown = seen(scope, Asker("192.0.2.7", "http", "localhost"))
    assert shown["client"] == ("192.0.2.7", 5)
    assert shown["headers"] == [(b"host", b"localhost")]
