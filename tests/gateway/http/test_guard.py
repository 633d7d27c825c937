"""Who may ask: the guard's decisions."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from services.gateway.http.guard import LOOPBACK_NAMES, Names, refusal

HERE = {"host": "localhost:8080"}


def status(
    method: str,
    headers: dict[str, str],
    path: str = "/api/v1/rules",
    names: frozenset[str] = frozenset(),
    addresses: bool = False,
) -> int:
    """Status of the refusal, 200 without one."""
    problem = refusal(method, Headers(headers), path.startswith("/api/"), Names(LOOPBACK_NAMES | names, addresses))
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


@pytest.mark.parametrize("length", ["65537", "-1", "1e3", "9" * 5000, "²"])
def test_a_body_that_is_announced_too_large_or_oddly_is_refused(length: str) -> None:
    assert status("POST", {**HERE, "content-length": length}) == 413


@pytest.mark.parametrize("host", ["192.0.2.7:8080", "[2001:db8::1]:8080", "10.0.0.1"])
def test_a_gateway_that_others_reach_answers_under_any_address_since_none_can_be_rebound(host: str) -> None:
    assert status("GET", {"host": host}, addresses=True) == 200
    assert status("GET", {"host": host}) == 421


def test_such_a_gateway_still_answers_under_no_strange_name() -> None:
    assert status("GET", {"host": "192.0.2.7.evil.example"}, addresses=True) == 421
    assert status("GET", {"host": "evil.example"}, addresses=True) == 421
