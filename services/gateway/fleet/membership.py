"""Who belongs to the fleet, by the table: whose messages count, who is archived, who was removed."""

from __future__ import annotations

from collections.abc import Mapping


class Membership:
    """Hosts by name, as the table has them; others may have been heard on the bus and be stored a moment later."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._archived: set[str] = set()
        self._gone: dict[str, int] = {}
        """Hosts that were removed, with the id that each had at most: only a later one brings the name back."""

    def ignores(self, host: str) -> bool:
        """Whether what `host` sends counts no more: it was removed, or is archived."""
        return host in self._gone or host in self._archived

    def is_gone(self, host: str) -> bool:
        """Whether `host` was removed, and nobody has enrolled under that name since."""
        return host in self._gone

    def is_archived(self, host: str) -> bool:
        return host in self._archived

    def id_of(self, host: str) -> int:
        """Its id in the table; 0 when that is unknown."""
        return self._ids.get(host, 0)

    def enter(self, host: str, host_id: int, archived: bool) -> bool:
        """Note a row of the table; False when it was read before `host` was removed, and means nothing."""
        if host_id <= self._gone.get(host, -1):
            return False
        self._gone.pop(host, None)
        self._ids[host] = host_id
        (self._archived.add if archived else self._archived.discard)(host)
        return True

    def forget(self, host: str, host_id: int = 0) -> None:
        """Note that `host`, which had `host_id` at most, was removed."""
        self._gone[host] = max(host_id, self._ids.pop(host, 0), self._gone.get(host, 0))
        self._archived.discard(host)

    def unlisted(self, ids: Mapping[str, int]) -> list[str]:
        """Hosts that were in the table, and are not in `ids`, which were read from it now."""
        return [host for host in self._ids if host not in ids]
