"""JSON of hosts, their last minute and their samples, encoded once for all feeds that show the same metrics.

What is kept of a host counts until something of it changes.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from infra.clock import now_ms
from schemas.api import LiveSample
from services.gateway.fleet.memory import Fleet
from services.gateway.fleet.selection import Metrics, Selection, by_family, pick

_encode = msgspec.json.Encoder().encode

_Kept = dict[str, tuple[int, bytes]]
"""Host -> what `Fleet.change` said when it was encoded, and the JSON."""


class Fragments:
    """What has been encoded of a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._hosts: dict[Metrics, _Kept] = {}
        self._pasts: dict[tuple[Metrics, bool], _Kept] = {}
        self._families: dict[Metrics, dict[str, frozenset[str]] | None] = {}

    def samples(self, samples: list[LiveSample], metrics: Metrics) -> list[tuple[int, bytes]]:
        """Time and JSON of each sample that has anything of `metrics`."""
        families = self._by_family(metrics)
        answer = []
        for sample in samples:
            values = pick(sample.families, families)
            if values:
                answer.append((sample.time, _encode(LiveSample(sample.host, sample.time, values))))
        return answer

    def host(self, name: str, metrics: Metrics) -> bytes:
        """JSON of a host with the values of `metrics`. KeyError when it is unknown."""
        kept, change = self._hosts.setdefault(metrics, {}), self.fleet.change(name)
        known = kept.get(name)
        if known is None or known[0] != change:
            body = self.fleet.host(name, now_ms(), self._by_family(metrics))
            known = kept[name] = (change, _encode(body))
        return known[1]

    def past(self, name: str, selection: Selection) -> bytes:
        """JSON of what a snapshot for `selection` has of a host's last minute. KeyError when it is unknown."""
        detailed = selection.detailed
        metrics = selection.metrics if detailed else None
        kept, change = self._pasts.setdefault((metrics, detailed), {}), self.fleet.change(name)
        known = kept.get(name)
        if known is None or known[0] != change:
            body = self.fleet.past(name, detailed, self._by_family(metrics))
            known = kept[name] = (change, _encode(body))
        return known[1]

    def keep(self, selections: Collection[Selection]) -> None:
        """Forget what only other selections need, and hosts that are gone."""
        metrics = {selection.metrics for selection in selections}
        pasts = {(s.metrics if s.detailed else None, s.detailed) for s in selections}
        self._hosts = {key: self._present(kept) for key, kept in self._hosts.items() if key in metrics}
        self._pasts = {key: self._present(kept) for key, kept in self._pasts.items() if key in pasts}
        self._families = {key: value for key, value in self._families.items() if key in metrics}

    def _present(self, kept: _Kept) -> _Kept:
        return {host: known for host, known in kept.items() if host in self.fleet}

    def _by_family(self, metrics: Metrics) -> dict[str, frozenset[str]] | None:
        if metrics not in self._families:
            self._families[metrics] = by_family(metrics)
        return self._families[metrics]
