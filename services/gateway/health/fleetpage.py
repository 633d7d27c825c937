"""`/metrics/fleet`: the latest values of every host that sends, as Prometheus reads them.

A thousand hosts are 130,000 lines. What a host's family says is encoded once per sample and kept; a scrape joins what
is kept, metric by metric, and lets others have their turn in between.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from msgspec import Struct

from schemas.api import HostState
from schemas.catalogue import Family
from schemas.messages import HostFacts
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.units import Value
from services.gateway.health.naming import Exposed, exposition, heading, instance_label, quoted

HOSTS_AT_ONCE = 10
"""Encoded before others have their turn: some 3 ms."""
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_INFO = ("os", "kernel", "architecture", "agent_version")


class _Kept(Struct, frozen=True):
    """One family of one host."""

    times_ms: Mapping[str, int]
    """Of the sample of each instance that was encoded."""
    lines: Sequence[bytes]
    """Of each metric."""


class FleetPage:
    """What is kept of each host."""

    def __init__(self, fleet: Fleet, clock_ms: Callable[[], int]) -> None:
        self._fleet = fleet
        self._clock_ms = clock_ms
        self._exposition = exposition(fleet.catalogue)
        self._kept: dict[str, dict[str, _Kept]] = {}

    async def page(self, open_metrics: bool) -> AsyncIterator[bytes]:
        """The whole, in pieces."""
        states = {host: state for host, state in self._fleet.states(self._clock_ms()).items() if state != "archived"}
        sending = sorted(host for host, state in states.items() if state != "offline")
        self._kept = {host: kept for host, kept in self._kept.items() if host in states}
        for number, host in enumerate(sending):
            self._encode(host)
            if number % HOSTS_AT_ONCE == HOSTS_AT_ONCE - 1:
                await asyncio.sleep(0)
        yield self._hosts(states, open_metrics)
        for family in self._fleet.catalogue:
            kept = [self._kept[host][family.name] for host in sending if family.name in self._kept.get(host, {})]
            for number, metric in enumerate(self._exposition[family.name]):
                lines = b"".join([one.lines[number] for one in kept])
                if lines:
                    yield heading(metric.name, metric.kind, metric.help, open_metrics) + lines
                    await asyncio.sleep(0)
        if open_metrics:
            yield b"# EOF\n"

    def _encode(self, host: str) -> None:
        """Bring what is kept of `host` up to its newest samples."""
        newest = self._fleet.newest(host)
        if newest is None:
            return
        values, times = newest
        before = self._kept.get(host, {})
        kept = {}
        for family in self._fleet.catalogue:
            rows = values.get(family.name)
            if not rows:
                continue
            held = before.get(family.name)
            if held is None or held.times_ms != times[family.name]:
                lines = encoded(host, family, self._exposition[family.name], rows)
                held = _Kept(dict(times[family.name]), lines)
            kept[family.name] = held
        self._kept[host] = kept

    def _hosts(self, states: Mapping[str, HostState], open_metrics: bool) -> bytes:
        """Of hosts as such: also of those that do not send."""
        up, last, info = [], [], []
        for host in sorted(states):
            label = f"{{host={quoted(host)}}}"
            up.append(f"sonde_host_up{label} {int(states[host] != 'offline')}\n")
            seen_ms = self._fleet.newest_ms(host)
            if seen_ms:
                last.append(f"sonde_host_last_sample_timestamp_seconds{label} {seen_ms / 1000!r}\n")
            info.append(f"sonde_host_info{_facts(host, self._fleet.facts(host))} 1\n")
        found = (
            ("sonde_host_up", "Whether the host sends: 0 when it is offline.", up),
            ("sonde_host_last_sample_timestamp_seconds", "When its newest sample was taken.", last),
            ("sonde_host_info", "What the host is; always 1.", info),
        )
        return b"".join(
            heading(name, "gauge", meaning, open_metrics) + "".join(lines).encode()
            for name, meaning, lines in found
            if lines
        )


def _facts(host: str, facts: HostFacts) -> str:
    labels = {"host": host} | {name: getattr(facts, name) for name in _INFO}
    return "{" + ",".join(f"{name}={quoted(value)}" for name, value in labels.items()) + "}"


def encoded(
    host: str, family: Family, metrics: Sequence[Exposed], rows: Mapping[str, Mapping[str, Value]]
) -> list[bytes]:
    """The lines of each metric: one per instance whose value is known."""
    label, of_host = instance_label(family), f"host={quoted(host)}"
    labels = {name: f"{{{of_host},{label}={quoted(name)}}}" if label else f"{{{of_host}}}" for name in rows}
    return [
        "".join(
            f"{metric.name}{labels[instance]} {number(value, metric.factor)}\n"
            for instance, row in rows.items()
            if (value := row.get(metric.metric)) is not None
        ).encode()
        for metric in metrics
    ]


def number(value: float, factor: float) -> str:
    """A value in its base unit, without the noise of binary fractions."""
    return repr(value) if factor == 1 else repr(round(value * factor, 12))


async def compressed(page: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """`page` as gzip has it."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    async for piece in page:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
