"""Failures of one address are limited; addresses do not pay for each other, nor take memory without bound."""

import pytest

from infra.addresses import neighbourhood
from services.gateway.identities.throttle import Throttle


def test_a_burst_of_failures_is_allowed_and_then_one_after_the_other() -> None:
    throttle = Throttle(burst=3, refill_s=10)
    for _ in range(3):
        assert throttle.wait_s("a", 0) == 0
        throttle.failed("a", 0)
    assert throttle.wait_s("a", 0) == 10
    assert throttle.wait_s("a", 10) == 0
    throttle.failed("a", 10)
    assert throttle.wait_s("a", 10) == 10


def test_failures_are_forgiven_with_time() -> None:
    throttle = Throttle(burst=3, refill_s=10)
    for _ in range(3):
        throttle.failed("a", 0)
    assert throttle.wait_s("a", 30) == 0
    for _ in range(2):
        throttle.failed("a", 30)
    assert throttle.wait_s("a", 30) == 0


def test_others_do_not_wait() -> None:
    throttle = Throttle(burst=1)
    throttle.failed("a", 0)
    assert throttle.wait_s("b", 0) == 0


def test_only_so_many_addresses_are_remembered() -> None:
    throttle = Throttle(burst=1, most=10)
    for number in range(100):
        throttle.failed(str(number), 0)
    assert [throttle.wait_s(str(number), 0) > 0 for number in (89, 90, 99)] == [False, True, True]


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("x" * 100, "x" * 60),
    ],
)
def test_a_peer_is_an_ipv4_address_or_a_64_of_ipv6(address: str, peer: str) -> None:
    assert neighbourhood(address) == peer
