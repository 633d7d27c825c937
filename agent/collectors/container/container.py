"""Containers of the Docker engine: which there are from its API, what they use from their control groups.

Where a container's control group cannot be seen (another cgroup version, a remote root), the engine is asked for its
statistics instead, which costs it about a millisecond each. Networks are read from the main process's namespace.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from agent.collectors.container.dockerapi import EngineError, get_json
from agent.collectors.rates import per_second, share_percent
from agent.collectors.readings import Instances, Labels, Reading, Values

MOST = 200
"""Containers looked at; of more, the first by name."""
INSPECT_EVERY_S = 60.0
"""How often a container whose state did not change is looked at again for its restarts."""
AT_ONCE = 4
"""Questions to the engine at a time."""
NO_LIMIT_BYTES = 2**60
"""What the engine tells as limit where there is none is the machine's memory, or about the largest number."""


class Use(NamedTuple):
    """Counters and gauges of one container; None where unknown. Times in seconds, the rest in bytes."""

    cpu_s: float | None = None
    memory: int | None = None
    limit: int | None = None
    read: int | None = None
    written: int | None = None
    received: int | None = None
    sent: int | None = None
    pids: int | None = None


class Known(NamedTuple):
    """What inspecting told of one container."""

    state: str
    inspected_s: float
    pid: int
    restarts: int | None


def values(running: bool, restarts: int | None, before: Use | None, now: Use, elapsed_s: float) -> Values:
    """The family's metrics from two readings; without an earlier one the rates are null."""
    earlier = before or Use()

    def rate(then: float | None, current: float | None) -> float | None:
        return None if then is None or current is None else per_second(then, current, elapsed_s)

    cores = rate(earlier.cpu_s, now.cpu_s)
    return {
        "cpu": None if cores is None else 100 * cores,
        "memory": now.memory,
        "memory_limit": now.limit,
        "memory_percent": share_percent(now.memory, now.limit) if now.memory is not None and now.limit else None,
        "received": rate(earlier.received, now.received),
        "sent": rate(earlier.sent, now.sent),
        "read": rate(earlier.read, now.read),
        "write": rate(earlier.written, now.written),
        "pids": now.pids,
        "running": int(running),
        "restarts": restarts,
    }


def use_of_group(directory: Path) -> Use | None:
    """What a version 2 control group has used; None where there is none."""
    stat = _pairs(directory / "cpu.stat")
    if "usage_usec" not in stat:
        return None
    current, limit = _number(directory / "memory.current"), _number(directory / "memory.max")
    cache = _pairs(directory / "memory.stat").get("inactive_file", 0)
    read = written = 0
    for line in _text(directory / "io.stat").splitlines():
        fields = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
        read += int(fields.get("rbytes", 0))
        written += int(fields.get("wbytes", 0))
    return Use(
        cpu_s=stat["usage_usec"] / 1e6,
        memory=None if current is None else max(0, current - cache),
        limit=limit,
        read=read,
        written=written,
        pids=_number(directory / "pids.current"),
    )


def use_of_answer(answer: dict[str, Any]) -> Use:
    """The same from the engine's statistics; fields that this engine or platform lacks are None."""
    memory = answer.get("memory_stats") or {}
    detail = memory.get("stats") or {}
    cache = detail.get("inactive_file", detail.get("total_inactive_file", 0))
    used, limit = memory.get("usage"), memory.get("limit")
    blocks = (answer.get("blkio_stats") or {}).get("io_service_bytes_recursive") or []
    networks = (answer.get("networks") or {}).values()
    total = ((answer.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")

    def block_bytes(kind: str) -> int:
        return sum(entry["value"] for entry in blocks if str(entry.get("op", "")).lower() == kind)

    return Use(
        cpu_s=None if total is None else total / 1e9,
        memory=None if used is None else max(0, used - cache),
        limit=limit if limit and limit < NO_LIMIT_BYTES else None,
        read=block_bytes("read"),
        written=block_bytes("write"),
        received=sum(network.get("rx_bytes", 0) for network in networks),
        sent=sum(network.get("tx_bytes", 0) for network in networks),
        pids=(answer.get("pids_stats") or {}).get("current"),
    )


def traffic(net_dev: str) -> tuple[int, int]:
    """Bytes received and sent over all interfaces but loopback, of a /proc/<pid>/net/dev."""
    received = sent = 0
    for line in net_dev.splitlines()[2:]:
        name, colon, rest = line.partition(":")
        words = rest.split()
        if colon and name.strip() != "lo" and len(words) > 8:
            received += int(words[0])
            sent += int(words[8])
    return received, sent


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _pairs(path: Path) -> dict[str, int]:
    return {words[0]: int(words[1]) for line in _text(path).splitlines() if len(words := line.split()) == 2}


class Containers:
    """A source (`agent.collectors.source.Source`). Holds the previous counters, and what inspecting told."""

    def __init__(
        self,
        socket: str,
        wanted: Callable[[str], bool],
        proc: str = "/proc",
        sys: str = "/sys",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._socket = socket
        self._wanted = wanted
        self._proc = Path(proc)
        self._groups = Path(sys, "fs/cgroup")
        self._clock = clock
        self._known: dict[str, Known] = {}
        self._before: dict[str, tuple[float, Use]] = {}

    async def collect(self) -> Reading | None:
        """See `Source`; None where there is no engine. Raises EngineError when it does not list its containers."""
        if not _is_there(self._socket):
            return None
        listed = await get_json(self._socket, "/containers/json?all=1")
        found = {name: entry for entry in listed if self._wanted(name := _name(entry))}
        chosen = {name: found[name] for name in sorted(found)[:MOST]}
        limit = asyncio.Semaphore(AT_ONCE)
        instances: Instances = {}

        async def read(name: str, entry: dict[str, Any]) -> None:
            async with limit:
                instances[name] = await self._values(entry)

        async with asyncio.TaskGroup() as group:
            for name, entry in chosen.items():
                group.create_task(read(name, entry))
        ids = {entry["Id"] for entry in chosen.values()}
        self._known = {key: known for key, known in self._known.items() if key in ids}
        self._before = {key: before for key, before in self._before.items() if key in ids}
        labels: Labels = {name: _labels(entry) for name, entry in chosen.items()}
        return Reading({name: instances[name] for name in chosen}, labels)

    def close(self) -> None:
        """Nothing stays open between two readings."""

    async def _values(self, entry: dict[str, Any]) -> Values:
        """One container; a question that the engine does not answer costs what it would have told."""
        key, running = entry["Id"], entry.get("State") == "running"
        known = await self._inspected(key, str(entry.get("State", "")))
        restarts = known.restarts if known else None
        if not running:
            self._before.pop(key, None)
            return {"running": 0, "restarts": restarts}
        use = await self._use(key, known.pid if known else 0)
        now_s = self._clock()
        before_s, before = self._before.get(key, (now_s, None))
        self._before[key] = (now_s, use)
        return values(running, restarts, before, use, now_s - before_s)

    async def _inspected(self, key: str, state: str) -> Known | None:
        known = self._known.get(key)
        if known and known.state == state and self._clock() - known.inspected_s < INSPECT_EVERY_S:
            return known
        try:
            answer = await get_json(self._socket, f"/containers/{key}/json")
        except EngineError:  # gone since it was listed, or the engine is busy
            return known
        pid = (answer.get("State") or {}).get("Pid") or 0
        known = self._known[key] = Known(state, self._clock(), pid, answer.get("RestartCount"))
        return known

    async def _use(self, key: str, pid: int) -> Use:
        group = self._group_of(pid)
        use = use_of_group(group) if group else None
        if use is not None:
            net_dev = _text(self._proc / str(pid) / "net" / "dev")
            received, sent = traffic(net_dev) if net_dev else (None, None)
            return use._replace(received=received, sent=sent)
        try:
            return use_of_answer(await get_json(self._socket, f"/containers/{key}/stats?stream=false&one-shot=true"))
        except EngineError:
            return Use()

    def _group_of(self, pid: int) -> Path | None:
        """The version 2 control group of a process; None where it cannot be known."""
        for line in _text(self._proc / str(pid) / "cgroup").splitlines() if pid else ():
            if line.startswith("0::/") and len(line) > 4:
                return self._groups / line[4:]
        return None


def _is_there(path: str) -> bool:
    return Path(path).exists()


def _name(entry: dict[str, Any]) -> str:
    names = entry.get("Names") or []
    return str(names[0]).lstrip("/") if names else str(entry["Id"])[:12]


def _labels(entry: dict[str, Any]) -> dict[str, str]:
    labels = {
        "image": str(entry.get("Image", ""))[:200],
        "id": str(entry["Id"])[:12],
        "state": str(entry.get("State", "")),
    }
    project = (entry.get("Labels") or {}).get("com.docker.compose.project")
    return labels | ({"project": str(project)[:100]} if project else {})
