"""When a silent host is called down, and when nobody can tell. Pure.

Silence only means something while we would have heard the host speak. `Hearing` therefore dates the moment from which
everything that arrived on the bus has demonstrably reached us. A lost connection or a restart makes a new one, a
backlog moves it, and every host that has not spoken since then has its full period again.

All times are seconds of one monotonic clock, so no other machine's clock takes part in the verdict.
"""

from __future__ import annotations

import math

from msgspec import Struct

from schemas.messages import AlertTransition
from services.alerts.judge.evaluate import transition_of
from services.alerts.judge.machine import OK, Limits, State, step
from services.alerts.judge.ruleset import CompiledRule

LAG_S = 10.0
"""Catching up with the stream may take this long before it counts as not hearing."""
FULL_SHARE = 0.99
"""A stream filled to this share of its limit may be refusing what hosts publish."""
REFRESH_MS = 30_000
"""How often a host that simply stays down is written again."""


class Probe(Struct, frozen=True):
    """The end of the stream at one moment: with all up to `last_seq` processed, everything until `at_s` was heard."""

    last_seq: int
    at_s: float
    full: bool


class Hearing(Struct):
    """Since when everything has reached us, and when each host was last heard."""

    heard_s: dict[str, float]
    since_s: float = math.inf
    """Infinite while we are deaf."""
    probe: Probe | None = None

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
        return None if math.isinf(self.since_s) else probe.at_s


def silence_s(hearing: Hearing, limits: Limits, state: State, host: str, at_s: float) -> float | None:
    """Seconds of silence of `host` at `at_s`; None while they prove nothing.

    A host not heard since we began to hear must stay silent for as long again as its present level took.
    """
    heard_s = hearing.heard_s.get(host, -math.inf)
    silence = max(0.0, at_s - max(heard_s, hearing.since_s))
    if heard_s >= hearing.since_s or silence >= limits.raises(state.level):
        return round(silence, 1)
    return None


def judge_host(
    check: CompiledRule, hearing: Hearing, state: State, host: str, at_s: float, now_ms: int
) -> tuple[State, AlertTransition | None]:
    """The state of a host.down rule for `host` as of `at_s`, which was `now_ms` on the wall clock."""
    after, change = step(check.limits, state, silence_s(hearing, check.limits, state, host, at_s), now_ms)
    if change is None:
        same = after.phase == state.phase and after.clocks == state.clocks
        return (state if same and after.last_ms - state.last_ms < REFRESH_MS else after), None
    transition = transition_of(check, host, "", change)
    heard_s = hearing.heard_s.get(host)
    if change.kind == "fire" and heard_s is not None:
        transition.since = round(now_ms / 1000 - (at_s - heard_s), 3)
    return after, transition


def judge_hosts(
    check: CompiledRule, hearing: Hearing, states: dict[str, State], at_s: float, now_ms: int
) -> tuple[dict[str, State], list[AlertTransition]]:
    """New states by host, where they differ, and transitions; `states` are those of this rule, by host."""
    changed: dict[str, State] = {}
    transitions: list[AlertTransition] = []
    for host in hearing.heard_s:
        if check.covers(host, ""):
            before = states.get(host, OK)
            after, transition = judge_host(check, hearing, before, host, at_s, now_ms)
            if after is not before:
                changed[host] = after
            if transition is not None:
                transitions.append(transition)
    return changed, transitions
