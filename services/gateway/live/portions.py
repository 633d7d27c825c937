"""Snapshots in portions: which hosts each has, and which of them each viewer still lacks.

Portions go round like the stops of a merry-go-round: whoever comes gets on at the next one and is complete when it is
back there. So all who wait at a time share each portion, and nobody waits for somebody slow.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.gateway.live.viewer import Viewer

PORTION_HOSTS = 16
MOST_AT_ONCE = 16
"""Viewers that are given a portion in one step, so that no step takes long."""


class Portions:
    """The hosts of one feed in portions, and who lacks which."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._parts: list[dict[str, None]] = [{}]
        self._place: dict[str, int] = {}
        self._lacks: dict[Viewer, set[int]] = {}
        self._at = 0
        for host in sorted(hosts):
            self.add(host)

    def __contains__(self, host: str) -> bool:
        return host in self._place

    @property
    def hosts(self) -> list[str]:
        return list(self._place)

    @property
    def wanted(self) -> bool:
        """Whether anybody lacks something."""
        return bool(self._lacks)

    def add(self, host: str) -> None:
        """Let `host` be in the last portion. Whoever lacks only others by now must be told of it otherwise."""
        if host in self._place:
            return
        if len(self._parts[-1]) >= PORTION_HOSTS:
            for lacks in self._lacks.values():
                lacks.add(len(self._parts))
            self._parts.append({})
        self._parts[-1][host] = None
        self._place[host] = len(self._parts) - 1

    def discard(self, host: str) -> None:
        place = self._place.pop(host, None)
        if place is not None:
            del self._parts[place][host]

    def want(self, viewer: Viewer) -> None:
        """Let `viewer` get every portion."""
        if not self._lacks:
            self._arrange()
        self._lacks[viewer] = set(range(len(self._parts)))

    def forget(self, viewer: Viewer) -> None:
        self._lacks.pop(viewer, None)

    def lacking(self, viewer: Viewer) -> bool:
        return viewer in self._lacks

    def unbegun(self, viewer: Viewer) -> bool:
        """Whether `viewer` has yet to get its first portion, so that all of them are made later than now."""
        return len(self._lacks.get(viewer, ())) == len(self._parts)

    def step(self) -> tuple[list[str], list[Viewer], list[Viewer]] | None:
        """The hosts of the next portion, the viewers to give it to now, and those of them to whom it is the last.

        None when nobody who lacks something takes anything.
        """
        ready = [viewer for viewer in self._lacks if viewer.ready]
        if not ready:
            return None
        number = len(self._parts)
        for at in (*range(self._at, number), *range(min(self._at, number))):
            takers = [viewer for viewer in ready if at in self._lacks[viewer]][:MOST_AT_ONCE]
            if takers:
                break
        self._at = at
        for viewer in takers:
            self._lacks[viewer].discard(at)
        complete = [viewer for viewer in takers if not self._lacks[viewer]]
        for viewer in complete:
            del self._lacks[viewer]
        return list(self._parts[at]), takers, complete

    def _arrange(self) -> None:
        """Fill the gaps that hosts have left, which is possible while nobody counts portions."""
        if len(self._parts) == 1 + (len(self._place) - 1) // PORTION_HOSTS:
            return
        hosts = sorted(self._place)
        self._place = {host: k // PORTION_HOSTS for k, host in enumerate(hosts)}
        parts = [hosts[k : k + PORTION_HOSTS] for k in range(0, len(hosts), PORTION_HOSTS)] or [[]]
        self._parts = [dict.fromkeys(part) for part in parts]
        self._at = 0
