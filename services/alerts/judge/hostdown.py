"""When a silent host is called down, and when nobody can tell. Pure.

Silence only means something while we would have heard the host speak. `Hearing` therefore dates the moment from which
everything that arrived on the bus has demonstrably reached us. A lost connection or a restart makes a new one, a
backlog moves it, and every host that has not spoken since then has its full period again.

How long a host may be silent is the rule's to say, but never less than a few of the host's own intervals; a host that
the bus has seen leave is called down sooner. All seconds here are of one monotonic clock, so no other machine's clock
takes part in the verdict, and no step of ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from schemas.messages import AlertTransition
from services.alerts.judge.evaluate import Key, transition_of
from services.alerts.judge.machine import OK, Limits, State, step
from services.alerts.judge.ruleset import CompiledRule, RuleSet

LAG_S = 10.0
"""Catching up with the stream may take this long before it counts as not hearing."""
FULL_SHARE = 0.99
"""A stream filled to this share of its limit may be refusing what hosts publish."""
REFRESH_MS = 30_000
"""How often a host that simply stays down is written again."""
INTERVALS = 3.0
"""Of a host's own, which it may be silent whatever the rule says."""
LONGEST_INTERVAL_S = 3600.0
LEFT_S = 20.0
"""How long a host that the bus has seen leave may be away: an agent that is restarted is back sooner."""
KEPT_SHARE = 0.7
"""Of a longer interval, each time that it has passed: batches that are sent early do not make the next one late."""


class Probe(Struct, frozen=True):
    """The end of the stream at one moment: with all up to `last_seq` processed, everything until `at_s` was heard."""

    last_seq: int
    at_s: float
    full: bool


class Hearing(Struct):
    """Since when everything has reached us, and when each host was last heard."""

    heard_s: dict[str, float]
    interval_s: dict[str, float] = field(default_factory=dict)
    """About how long each host lets pass between two batches."""
    agreed_s: dict[str, float] = field(default_factory=dict)
    """The longer of the intervals that each host says it keeps, for its samples and for its batches."""
    left_s: dict[str, float] = field(default_factory=dict)
    """When the bus saw a host leave that it has not seen since."""
    since_s: float = math.inf
    """Infinite while we are deaf."""
    reached_s: float | None = None
    """Until when all has been heard, and what was silent could be judged; None: never yet."""
    probe: Probe | None = None

    def hear(self, host: str, at_s: float, times: list[int]) -> None:
        """Note a batch with samples taken at `times`, in milliseconds."""
        passed_s = max(0.0, at_s - self.heard_s.get(host, at_s))
        self.heard_s[host] = at_s
        self.left_s.pop(host, None)
        rows = len(times)
        if rows > 1:
            spans_s = (times[-1] - times[0]) / 1000 * rows / (rows - 1)
            before_s = self.interval_s.get(host, 0.0)
            kept_s = before_s * KEPT_SHARE ** (passed_s / before_s) if before_s else 0.0
            self.interval_s[host] = min(LONGEST_INTERVAL_S, max(spans_s, kept_s))

    def keep(self, heard_s: dict[str, float]) -> None:
        """From now on there are these hosts, heard last then, and no others."""
        self.heard_s = heard_s
        for known in (self.interval_s, self.left_s):
            for host in [host for host in known if host not in heard_s]:
                del known[host]

    def reached(self, seq: int, now_s: float) -> float | None:
        """The time until which everything has been heard, once all up to the probed end (`seq`) is processed."""
        probe = self.probe
        if probe is None or seq < probe.last_seq:
            return None
        self.probe = None
        if probe.full:
            self.since_s = math.inf
        elif now_s - probe.at_s > LAG_S or math.isinf(self.since_s):
            self.since_s = now_s
        if math.isinf(self.since_s):
            return None
        self.reached_s = probe.at_s
        return probe.at_s


def silence_s(hearing: Hearing, limits: Limits, state: State, host: str, at_s: float) -> float | None:
    """Seconds of silence of `host` at `at_s`; None while they prove nothing.

    A host not heard since we began to hear must stay silent for as long again as its present level took.
    """
    heard_s = hearing.heard_s.get(host, -math.inf)
    silence = max(0.0, at_s - max(heard_s, hearing.since_s))
    if heard_s >= hearing.since_s or silence >= limits.raises(state.level):
        return round(silence, 1)
    return None


def limits_for(hearing: Hearing, limits: Limits, host: str, at_s: float) -> Limits:
    """The rule's limits for `host`: at least a few of its own intervals; the lowest less once the bus saw it leave."""
    interval_s = max(hearing.interval_s.get(host, 0.0), min(LONGEST_INTERVAL_S, hearing.agreed_s.get(host, 0.0)))
    warning, critical = (max(at, INTERVALS * interval_s) for at in limits.raise_at)
    left_s = hearing.left_s.get(host)
    if left_s is not None and at_s - left_s >= LEFT_S:
        if math.isinf(warning):
            critical = min(critical, LEFT_S)
        else:
            warning = min(warning, LEFT_S)
    if (warning, critical) == limits.raise_at:
        return limits
    clear_at = (_cleared(limits, 0, warning), _cleared(limits, 1, critical))
    return msgspec.structs.replace(limits, raise_at=(warning, critical), clear_at=clear_at)


def _cleared(limits: Limits, level: int, raise_s: float) -> float:
    """Where a level ends: as far below its beginning as the rule has it."""
    if math.isinf(raise_s):
        return limits.clear_at[level]
    return max(0.0, raise_s - (limits.raise_at[level] - limits.clear_at[level]))


def judge_host(
    check: CompiledRule, hearing: Hearing, state: State, host: str, at_s: float, judged_ms: int, now_ms: int
) -> tuple[State, AlertTransition | None]:
    """The state of a host.down rule for `host` as of `at_s`, which counts as `judged_ms` and is `now_ms` for people."""
    limits = limits_for(hearing, check.limits, host, at_s)
    after, change = step(limits, state, silence_s(hearing, limits, state, host, at_s), judged_ms)
    if change is None:
        same = after.phase == state.phase and after.clocks == state.clocks
        return (state if same and after.last_ms - state.last_ms < REFRESH_MS else after), None
    transition = transition_of(check, host, "", change)
    transition.time = now_ms / 1000
    heard_s = hearing.heard_s.get(host)
    if change.kind == "fire" and heard_s is not None:
        transition.since = round(now_ms / 1000 - (at_s - heard_s), 3)
    else:
        transition.since = (now_ms - (judged_ms - change.since_ms)) / 1000
    if change.peak_ms:
        transition.peak_time = (now_ms - (judged_ms - change.peak_ms)) / 1000
    return after, transition


def judge_hosts(
    rules: RuleSet,
    hearing: Hearing,
    states: Mapping[str, Mapping[Key, State]],
    at_s: float,
    judged_ms: int,
    now_ms: int,
) -> tuple[dict[str, dict[Key, State | None]], list[AlertTransition]]:
    """New states by host, where they differ, and transitions."""
    changed: dict[str, dict[Key, State | None]] = {}
    transitions: list[AlertTransition] = []
    for host, heard_s in hearing.heard_s.items():
        of_host = rules.of(host)
        if not of_host.down:
            continue
        mine = states.get(host, {})
        silent_s = at_s - max(heard_s, hearing.since_s)
        if silent_s < of_host.patience_s and host not in hearing.left_s and of_host.down_keys.isdisjoint(mine):
            continue
        for check in of_host.down:
            key: Key = (check.rule.id, "")
            before = mine.get(key, OK)
            after, transition = judge_host(check, hearing, before, host, at_s, judged_ms, now_ms)
            if after is not before:
                changed.setdefault(host, {})[key] = after
            if transition is not None:
                transitions.append(transition)
    return changed, transitions
