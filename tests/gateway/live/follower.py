"""What a client makes of the stream, as docs/http.md tells it to and web/src/live/store.ts does."""

from __future__ import annotations

from typing import Any

SET_BACK_MS = 60_000
"""No sample is told that is so much older than a host's newest one, unless the host's clock was set back."""


class Follower:
    """Hosts as one viewer of the stream knows them, and the samples that it has seen of each."""

    def __init__(self) -> None:
        self.hosts: dict[str, dict[str, Any]] = {}
        self.samples: dict[str, dict[int, float]] = {}
        """Host -> sample time -> cpu.total."""
        self._named: set[str] | None = None

    def apply(self, name: str, data: Any) -> None:
        if name:  # comments have none
            getattr(self, f"_on_{name}")(data)

    def _on_snapshot(self, data: Any) -> None:
        self._named = self._named or set()
        for host in data["hosts"]:
            self._named.add(host["id"])
            self._put(host)
            past = data["history"][host["id"]]
            for time, value in zip(past["times"], past.get("cpu.total", {}).get("", []), strict=False):
                if value is not None:
                    self.samples[host["id"]].setdefault(time, value)

    def _on_complete(self, data: Any) -> None:
        named = self._named or set()
        self._named = None
        for host in self.hosts.keys() - named:
            self._drop(host)

    def _on_viewers(self, data: Any) -> None:
        """Says nothing of hosts."""

    def _on_health(self, data: Any) -> None:
        """Nor does this."""

    def _on_resync(self, data: Any) -> None:
        self._named = None

    def _on_host(self, data: Any) -> None:
        if self._named is not None:
            self._named.add(data["id"])
        self._put(data)

    def _on_gone(self, data: Any) -> None:
        if self._named is not None:
            self._named.discard(data["host"])
        self._drop(data["host"])

    def _on_frame(self, data: Any) -> None:
        for sample in data["samples"]:
            self._take(sample)

    def _put(self, host: dict[str, Any]) -> None:
        self._note_time(host["id"], host["last_sample"])
        known = self.hosts.get(host["id"])
        if known is not None and (host["last_sample"] or 0) < (known["last_sample"] or 0):
            host = {**host, "latest": known["latest"], "last_sample": known["last_sample"]}
        self.hosts[host["id"]] = host
        self.samples.setdefault(host["id"], {})

    def _note_time(self, name: str, time: int | None) -> None:
        """What is known of a host's past is of times to come, once its clock was set back."""
        known = self.hosts.get(name)
        if known is None or time is None or time >= (known["last_sample"] or 0) - SET_BACK_MS:
            return
        known["last_sample"] = None
        self.samples[name].clear()

    def _drop(self, host: str) -> None:
        self.hosts.pop(host, None)
        self.samples.pop(host, None)

    def _take(self, sample: dict[str, Any]) -> None:
        host = self.hosts.get(sample["host"])
        if host is None:
            return  # a later snapshot has it
        self._note_time(sample["host"], sample["time"])
        self.samples[sample["host"]].setdefault(sample["time"], sample["families"]["cpu"][""]["total"])
        if sample["time"] >= (host["last_sample"] or 0):
            host["last_sample"] = sample["time"]
            host["latest"] = {**host["latest"], **sample["families"]}
