"""What the gateway refused of those who would log in, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from services.gateway.people.passwords import Hashing
from services.gateway.people.throttle import LoginThrottle


@dataclass(frozen=True)
class LoginMetrics(Collector):
    """Counts since the gateway started; of wrong names and passwords `GET /refused` tells."""

    logins: LoginThrottle
    hashing: Hashing

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(
            "sonde_logins_throttled",
            "Tries of a name or an address that had too many.",
            self.logins.refused,
        )
        yield CounterMetricFamily(
            "sonde_passwords_refused", "Passwords not looked at, as too many waited.", self.hashing.refused
        )
