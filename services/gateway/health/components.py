"""What is found of each part of Sonde, as people are told: what is wrong, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from schemas.api import HostState
from schemas.health import MISSING_AFTER_S, Component, Disk, Heartbeat, Instance, Status, StreamFill
from schemas.rules import InvalidField
from schemas.subjects import STREAMS
from services.gateway.health.heartbeats import Heard

LAG_LIMIT_S = {"ingest": 60.0, "alerts": 60.0, "retention": 900.0, "gateway": 1.0}
ERRORS_LIMIT = 3
"""Failures within a minute."""
PRUNED_WITHIN_S = 3 * 3600
NOTIFIED_WITHIN_S = 120
DUE_SLOTS = 1000
DUE_SLOTS_OF_A_HOST = 12
NAMED_HOSTS = 3
FULL_SHARE = 0.9
"""Of what a stream may hold."""
REFUSING = frozenset(stream.name for stream in STREAMS if stream.discard_new)
"""Streams that take no more when they are full; of the others the oldest messages make room."""
LOW_BYTES, LOW_SHARE = 2 * 2**30, 0.05
"""A disk is short of space when less than both is free."""
FULL_BYTES = 64 * 2**20
"""With less, PostgreSQL and nats-server may stop."""
_GIB = 2**30


class Silence(Struct, frozen=True):
    """How long a service has not been heard."""

    seconds: float | None
    """None: we are away from the bus and cannot hear it."""
    ever: bool
    """Whether it was heard since the gateway has been listening."""


def service(name: str, heard: Sequence[Heard], silence: Silence) -> Component:
    """A service by its heartbeats."""
    instances = [Instance(_status(one, silence), round(one.silent_s, 1), one.heartbeat) for one in heard]
    if silence.seconds is None:
        return Component(name, "unknown", "the gateway is away from the bus and cannot hear it", instances)
    present = [one.heartbeat for one in heard if not one.missing]
    if not present:
        if silence.seconds <= MISSING_AFTER_S and not silence.ever:
            return Component(name, "unknown", f"listening for {silence.seconds:.0f} s, not heard yet", instances)
        for_s = f"no heartbeat for {silence.seconds:.0f} s"
        return Component(name, "down", f"{for_s}; check that `sonde {name}` runs", instances)
    found = [f"{_where(said)}: {text}" for said in present if (text := _trouble(said))]
    if all(said.standby for said in present):
        found.append("every instance stands by: another process has its lock in the database; end that one")
    found += [
        f"{_where(one.heartbeat)}: no heartbeat for {one.silent_s:.0f} s; check that process"
        for one in heard
        if one.missing
    ]
    if found:
        return Component(name, "degraded", "; ".join(found), instances)
    return Component(name, "ok", "; ".join(_well(said) for said in present if not said.standby), instances)


def _status(one: Heard, silence: Silence) -> Status:
    if silence.seconds is None:
        return "unknown"
    if one.missing:
        return "down"
    return "degraded" if _trouble(one.heartbeat) else "ok"


def _where(said: Heartbeat) -> str:
    return f"{said.host} (pid {said.pid})"


def _trouble(said: Heartbeat) -> str:
    """What is wrong with an instance that is heard; empty when nothing is."""
    lag_s, limit_s = said.work.lag_s, LAG_LIMIT_S[said.service]
    last = f"; last error: {said.last_error}" if said.last_error else ""
    see = f"; see the log of `sonde {said.service}`"
    if said.standby:
        return ""
    if lag_s is not None and lag_s > limit_s:
        what = {
            "ingest": f"{_messages(said)} behind, {lag_s:.0f} s",
            "alerts": f"{_messages(said)} behind, {lag_s:.0f} s",
            "retention": f"roll-ups are {_ago(lag_s)} behind",
            "gateway": f"its event loop was {lag_s:.1f} s late; the machine is too busy",
        }[said.service]
        return f"{what}{last}{see}"
    if said.service != "gateway" and said.last_success is None and said.uptime_s > limit_s:
        return f"nothing done since it started {_ago(said.uptime_s)} ago{last}{see}"
    if said.work.outward is not None and said.work.outward.failing:
        return f"the dead man's switch is not told: {said.work.outward.failing}{see}"
    if said.errors_last_minute >= ERRORS_LIMIT:
        return f"{said.errors_last_minute} failures within a minute{last}{see}"
    return ""


def _messages(said: Heartbeat) -> str:
    return f"{sum(said.work.behind.values())} messages"


def _well(said: Heartbeat) -> str:
    work = said.work
    match said.service:
        case "gateway":
            return f"{work.viewers or 0} viewers; event loop at most {1000 * (work.lag_s or 0):.0f} ms late"
        case "retention":
            done = "first roll-up under way" if work.lag_s is None else f"rolled up {_ago(work.lag_s)} ago"
            return done if work.last_run is None else f"{done}; pruned {_ago((said.time - work.last_run) / 1000)} ago"
        case "alerts":
            return "; ".join([f"{_messages(said)} behind", *_told(said)])
        case _:
            return f"{_messages(said)} behind"


def _told(said: Heartbeat) -> list[str]:
    """How soon people are told, and when the dead man's switch last was."""
    work, found = said.work, []
    if work.told_s is not None:
        found.append(f"people told after {work.told_s.median:.1f} s, 99 of 100 within {work.told_s.p99:.1f} s")
    if work.outward is not None and work.outward.last_success is not None:
        found.append(f"dead man's switch told {_ago((said.time - work.outward.last_success) / 1000)} ago")
    return found


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def retention(component: Component, pruned_s: float | None, due_slots: int, hosts: int) -> Component:
    """The service with what the tables say: when it last pruned, and how many slots are to be rolled up."""
    found = [] if component.status in ("ok", "unknown") else [component.detail]
    if due_slots > DUE_SLOTS + DUE_SLOTS_OF_A_HOST * hosts:
        found.append(f"{due_slots} ten-minute slots wait for their roll-up; see the log of `sonde retention`")
    if pruned_s is not None and pruned_s > PRUNED_WITHIN_S:
        found.append(f"last pruned {_ago(pruned_s)} ago, expected hourly; see the log of `sonde retention`")
    if not found:
        return component
    status: Status = "down" if component.status == "down" else "degraded"
    return Component(component.name, status, "; ".join(found), component.instances)


class Delivering(Struct, frozen=True):
    """A channel as its newest messages show it."""

    channel: str
    held: str = ""
    """Why nothing is sent there until somebody mends it; empty: it is."""
    refused: str = ""
    """What it answered when it refused its last message; empty: it did not."""
    failing_s: float = 0
    """How long nothing has got through; 0: the last message did, or there was none."""
    answer: str = ""
    """The last one."""
    lost: int = 0
    """Messages that it refused within a day."""


def notifications(channels: Sequence[Delivering]) -> Component:
    """The channels that people are told on."""
    found = [f"{one.channel} is held, nothing is sent there: {one.held}" for one in channels if one.held]
    found += [f"{one.channel} refused a message: {one.refused}" for one in channels if one.refused and not one.held]
    found += [
        f"{one.channel} has failed for {_ago(one.failing_s)}: {one.answer}"
        for one in channels
        if one.failing_s > NOTIFIED_WITHIN_S and not one.held
    ]
    lost = f"{sum(one.lost for one in channels)} lost within a day"
    if found:
        return Component("notifications", "degraded", f"{'; '.join(found)}; {lost}; test the channel in the settings")
    if not channels:
        return Component("notifications", "ok", "no channel: nobody is told of alerts; add one in the settings")
    several = "1 channel" if len(channels) == 1 else f"{len(channels)} channels"
    return Component("notifications", "ok", f"{several}; {lost}")


def agents(states: Mapping[str, HostState]) -> Component:
    """The fleet as far as it sends. A machine that is down is no fault of Sonde's; none at all that sends may be."""
    by_state: dict[str, list[str]] = {}
    for host, state in sorted(states.items()):
        by_state.setdefault(state, []).append(host)
    expected = [host for host, state in states.items() if state != "archived"]
    if not expected:
        return Component("agents", "ok", "no host yet; add one on the fleet page")
    silent = by_state.get("offline", [])
    if len(silent) == len(expected):
        text = f"none of {len(expected)} hosts sends; check the bus, and `sonde agent status` on one of them"
        return Component("agents", "down", text)
    text = ", ".join(f"{len(by_state.get(state, []))} {state}" for state in ("up", "late", "offline"))
    return Component("agents", "ok", text + (f" ({_some(silent)})" if silent else ""))


def settings(invalid: Mapping[str, InvalidField]) -> Component:
    """The runtime settings as far as they can be used."""
    if not invalid:
        return Component("settings", "ok", "all can be used")
    wrong = "; ".join(f"{key} {fault.remedy}" for key, fault in sorted(invalid.items()))
    text = f"stored settings cannot be used, others are in force: {wrong}; set them again, or back to the default"
    return Component("settings", "degraded", text)


def _some(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:NAMED_HOSTS])
    return shown if len(names) <= NAMED_HOSTS else f"{shown} and {len(names) - NAMED_HOSTS} more"


def disk(disks: Sequence[Disk], fills: Sequence[StreamFill], guard: str) -> Component:
    """Space for all that Sonde keeps; `guard`: why retention dropped raw days early, empty when it did not."""
    full = [f"the disk of the {it.what} is full: {_size(it.free_bytes)} free" for it in disks if _is_full(it)]
    low = [
        f"the disk of the {it.what} has {_size(it.free_bytes)} of {_size(it.size_bytes)} free"
        for it in disks
        if not _is_full(it) and it.free_bytes < min(LOW_BYTES, LOW_SHARE * it.size_bytes)
    ]
    low += [
        f"stream {fill.name} is {100 * fill.bytes / fill.most_bytes:.0f} % full, agents will keep their batches"
        for fill in fills
        if fill.name in REFUSING and fill.most_bytes > 0 and fill.bytes > FULL_SHARE * fill.most_bytes
    ]
    if guard:
        low.append(f"retention drops raw days early: {guard}")
    if full or low:
        found = "; ".join([*full, *low, "free space, or give it a larger disk"])
        return Component("disk", "down" if full else "degraded", found)
    shown = [f"{it.what} {_size(it.free_bytes)} free" for it in disks]
    return Component("disk", "ok", ", ".join(shown) or "its disks are those of other machines")


def _is_full(disk: Disk) -> bool:
    return disk.free_bytes < FULL_BYTES


def _size(number: int) -> str:
    return f"{number / _GIB:.1f} GiB" if number >= _GIB else f"{number / 2**20:.0f} MiB"


def overall(components: Sequence[Component]) -> Status:
    """`down` without database or bus; `degraded` when anything else is not well; else `ok`."""
    statuses = {component.name: component.status for component in components}
    if "down" in (statuses.get("database"), statuses.get("bus")):
        return "down"
    return "ok" if set(statuses.values()) <= {"ok"} else "degraded"
