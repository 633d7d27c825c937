"""The alert machine: `step(limits, state, value, time) -> (state, change or none)`. Pure.

One state per (rule, host, instance). A level (warning, critical) is active or not; for each level one clock says since
when the values have called for the opposite. Only a clock that has run long enough changes the active level, so a value
that swings between warning and critical still fires as a warning, and falling back obeys the clearing thresholds:

    demanded = highest level whose raise_at is reached
    held     = highest level, not above the active one, whose clear_at is not reached yet
    target   = the higher of the two

Values above the active level must last `for_s`, values below it `recover_for_s`, both in sample time. A null is no
evidence: it neither holds nor clears, and the clocks run on. After more than `gap_ms` without any value nobody knows
what happened in between: running clocks start again at the next value; an active level stays.

An alert that comes and goes is slower to be over: from its `FLAP_FIRES`th fire within `FLAP_WITHIN_MS` on, each one
doubles how long the recovery must hold, so that it stays one alert.

A sample not newer than the last one seen changes nothing, and a quiet sample leaves a quiet state as it is, so neither
replaying nor cutting the same samples into other batches makes a difference.
"""

from __future__ import annotations

import math

import msgspec
from msgspec import Struct

from schemas.messages import AlertState, Severity, TransitionKind
from schemas.rules import Rule, Threshold

NONE, WARNING, CRITICAL = 0, 1, 2
SEVERITIES: tuple[Severity, Severity, Severity] = ("warning", "warning", "critical")
"""Severity by level; level 0 has none and stands for the lowest."""

GAP_MS = 120_000
"""Shortest silence that restarts a clock: the slowest sampling an agent allows is 60 s, plus jitter and a lost tick."""
GAP_PERIODS = 3

FLAP_FIRES = 4
FLAP_WITHIN_MS = 3_600_000
FLAP_LEAST_MS = 60_000
"""What is doubled where a rule asks for no recovery at all."""
FLAP_MOST_MS = 1_800_000
FIRES_KEPT = 10


class Limits(Struct, frozen=True):
    """A rule's numbers as the machine wants them. Thresholds are signed so that worse is always higher; an absent level
    has infinite ones: never reached, always cleared."""

    sign: int
    raise_at: tuple[float, float]
    """For warning and critical, times `sign`."""
    clear_at: tuple[float, float]
    for_ms: int
    recover_for_ms: int
    gap_ms: int = GAP_MS

    def lowest(self) -> float:
        """The value at which the first level begins, in the rule's own sign."""
        return self.sign * min(self.raise_at)

    def raises(self, level: int) -> float:
        """Where `level` begins; where the lowest one does for level 0 or an absent level."""
        signed = self.raise_at[level - 1] if level else math.inf
        return self.lowest() if math.isinf(signed) else self.sign * signed


class State(Struct, frozen=True, omit_defaults=True):
    """What is remembered between two samples; kept in `alert_states` as JSON, so fields are only ever added."""

    level: int = NONE
    clocks: tuple[int, int] = (0, 0)
    """For warning and critical: first sample time of the unbroken run that calls for changing that level; 0: none."""
    last_ms: int = 0
    """Sample time of the last value that counted."""
    value: float | None = None
    """That value."""
    since_ms: int = 0
    """Sample time at which it first fired; 0 while nothing is active."""
    peak: float | None = None
    """Worst value since it fired."""
    peak_ms: int = 0
    threshold: float = 0
    """Where `shown_level` begins, as of the last value."""
    absent_ms: int = 0
    """Sample time at which it was first missing, or without a value where that means something; 0: it is there."""
    fires: tuple[int, ...] = ()
    """Sample times at which it fired lately, as of when it fired last."""
    period_ms: int = 0
    """How often its host samples it where settings made that another period than the catalogue's; else 0."""
    lacking: bool = False
    """It is active because there was no value."""

    @property
    def phase(self) -> AlertState:
        if self.level == NONE:
            return "pending" if self.clocks[0] else "ok"
        return "recovering" if any(self.clocks[: self.level]) else "firing"

    @property
    def shown_level(self) -> int:
        """The level that readers see."""
        return shown_level(self.level, self.clocks)

    @property
    def quiet(self) -> bool:
        """Nothing active and no clock running: only a value at a raising threshold matters now."""
        return self.level == NONE and not self.clocks[0]

    @property
    def flapping(self) -> bool:
        return len(self.fires) >= FLAP_FIRES


def shown_level(level: int, clocks: tuple[int, int]) -> int:
    """The active level, or else the highest one that is pending."""
    return level or (CRITICAL if clocks[1] else WARNING if clocks[0] else NONE)


OK = State()


class Change(Struct, frozen=True):
    """A transition, before it is known of which rule and host."""

    kind: TransitionKind
    time_ms: int
    severity: Severity
    value: float | None
    threshold: float
    since_ms: int
    """When it first fired; on fire, when the condition began."""
    peak: float | None
    peak_ms: int
    flapping: bool = False


def limits_of(rule: Rule, period_s: float = 0) -> Limits:
    """The numbers of `rule`; `period_s` is how often its metric is sampled by default."""
    sign = 1 if rule.comparison == "above" else -1

    def signed(threshold: Threshold | None) -> tuple[float, float]:
        return (sign * threshold.raise_at, sign * threshold.clear_at) if threshold else (math.inf, math.inf)

    warning, critical = signed(rule.warning), signed(rule.critical)
    return Limits(
        sign,
        (warning[0], critical[0]),
        (warning[1], critical[1]),
        round(rule.for_s * 1000),
        round(rule.recover_for_s * 1000),
        max(GAP_MS, round(GAP_PERIODS * period_s * 1000)),
    )


def limits_at(limits: Limits, period_ms: int) -> Limits:
    """`limits` for a host that samples the metric every `period_ms`; 0: as often as usual."""
    gap_ms = GAP_PERIODS * period_ms
    return msgspec.structs.replace(limits, gap_ms=gap_ms) if gap_ms > limits.gap_ms else limits


def step(
    limits: Limits, state: State, value: float | None, time_ms: int, holds: bool = True
) -> tuple[State, Change | None]:
    """`state` after `value` was sampled at `time_ms`, and the one change that it causes, if any.

    Where the rule has a second condition, `holds` says whether that was so, too.
    """
    if value is None or time_ms <= state.last_ms:
        return state, None
    active = state.level
    worse = limits.sign * value
    target = _target(limits, active, worse) if holds else NONE
    if target == NONE and state.quiet:
        return state, None
    restart = time_ms - state.last_ms > limits.gap_ms
    clocks = _clocks(limits, state, target, 0 if restart else time_ms, time_ms)
    level = _level(limits, active, clocks, time_ms, recover_ms(limits, state))
    fires = _fires(state, time_ms) if level and not active else state.fires
    left = (
        clocks[0] if (target >= WARNING) != (level >= WARNING) else 0,
        clocks[1] if (target >= CRITICAL) != (level >= CRITICAL) else 0,
    )
    new_peak = level != NONE and (active == NONE or state.peak is None or worse > limits.sign * state.peak)
    after = State(
        level,
        left,
        time_ms,
        value,
        (state.since_ms if active else time_ms) if level else 0,
        (value if new_peak else state.peak) if level else None,
        (time_ms if new_peak else state.peak_ms) if level else 0,
        limits.raises(shown_level(level, left)),
        fires=fires,
        period_ms=state.period_ms,
    )
    if level == active:
        return after, None
    if level > active:
        since_ms = state.since_ms if active else clocks[0]
        kind: TransitionKind = "escalate" if active else "fire"
        return after, Change(
            kind,
            time_ms,
            SEVERITIES[level],
            value,
            limits.raises(level),
            since_ms,
            after.peak,
            after.peak_ms,
            after.flapping,
        )
    cleared = next((clear for clear in limits.clear_at[level:] if not math.isinf(clear)), limits.sign * state.threshold)
    kind, severity = ("deescalate", SEVERITIES[level]) if level else ("resolve", SEVERITIES[active])
    return after, Change(
        kind,
        time_ms,
        severity,
        value,
        limits.sign * cleared,
        state.since_ms,
        state.peak,
        state.peak_ms,
        after.flapping,
    )


def _target(limits: Limits, active: int, worse: float) -> int:
    """The level that `worse`, a signed value, calls for while `active` is on."""
    for level in (CRITICAL, WARNING):
        if worse >= limits.raise_at[level - 1] or (level <= active and worse > limits.clear_at[level - 1]):
            return level
    return NONE


def _clocks(limits: Limits, state: State, target: int, keep: int, time_ms: int) -> tuple[int, int]:
    """The clocks with this sample counted in; `keep` 0 starts all of them anew."""
    warning, critical = state.clocks if keep else (0, 0)
    warning = (warning or time_ms) if (target >= WARNING) != (state.level >= WARNING) else 0
    critical = (critical or time_ms) if (target >= CRITICAL) != (state.level >= CRITICAL) else 0
    if math.isinf(limits.raise_at[0]) and state.level != WARNING:
        # Without a warning level nothing may stop half-way there, even if an edit of the rule has just removed it.
        warning = critical
    return warning, critical


def _level(limits: Limits, active: int, clocks: tuple[int, int], time_ms: int, recover_for_ms: int) -> int:
    """The level that is active once every clock that has run its time took effect."""
    for level in (CRITICAL, WARNING):
        if level > active and clocks[level - 1] and time_ms - clocks[level - 1] >= limits.for_ms:
            return level
    for level in (WARNING, CRITICAL):
        if level <= active and clocks[level - 1] and time_ms - clocks[level - 1] >= recover_for_ms:
            return level - 1
    return active


def recover_ms(limits: Limits, state: State) -> int:
    """How long the recovery must hold, longer the oftener the alert has come lately."""
    if not state.flapping:
        return limits.recover_for_ms
    doubled = max(limits.recover_for_ms, FLAP_LEAST_MS) << (len(state.fires) - FLAP_FIRES + 1)
    return max(limits.recover_for_ms, min(FLAP_MOST_MS, doubled))


def _fires(state: State, time_ms: int) -> tuple[int, ...]:
    """When it fired lately, now included."""
    lately = [fired_ms for fired_ms in state.fires if time_ms - fired_ms <= FLAP_WITHIN_MS]
    return (*lately[1 - FIRES_KEPT :], time_ms)


def lack(limits: Limits, state: State, fires: bool, wait_ms: int, time_ms: int) -> tuple[State, Change | None]:
    """`state` after a sample at `time_ms` that has no value; `wait_ms` of that counts as something.

    Namely as the lowest level that the rule has when it `fires`, else as all being well.
    """
    if time_ms <= state.last_ms or (state.lacking if fires else state.quiet):
        return state, None
    if not state.absent_ms:
        return msgspec.structs.replace(state, absent_ms=time_ms), None
    if time_ms - state.absent_ms < wait_ms:
        return state, None
    if not fires:
        after = State(last_ms=time_ms, fires=state.fires, period_ms=state.period_ms)
        change = gone(state, time_ms)
        return after, None if change is None else msgspec.structs.replace(change, kind="resolve")
    if state.level:
        return msgspec.structs.replace(state, lacking=True, last_ms=time_ms, clocks=(0, 0)), None
    level = CRITICAL if math.isinf(limits.raise_at[0]) else WARNING
    at = limits.raises(level)
    after = State(
        level, (0, 0), time_ms, None, time_ms, threshold=at, absent_ms=state.absent_ms, lacking=True,
        fires=_fires(state, time_ms), period_ms=state.period_ms,
    )  # fmt: skip
    return after, Change("fire", time_ms, SEVERITIES[level], None, at, state.absent_ms, None, 0, after.flapping)


def miss(limits: Limits, state: State, time_ms: int) -> tuple[State | None, Change | None]:
    """`state` after its host sampled at `time_ms` without this instance, or without the whole family.

    Missing for longer than `gap_ms` it is gone: None, and a change if it was active.
    """
    if time_ms <= max(state.last_ms, state.absent_ms):
        return state, None
    if not state.absent_ms:
        return msgspec.structs.replace(state, absent_ms=time_ms), None
    if time_ms - state.absent_ms <= limits.gap_ms:
        return state, None
    return None, gone(state, time_ms)


def gone(state: State, time_ms: int) -> Change | None:
    """The end of an alert whose subject or rule is no more; None when nothing was active."""
    if state.level == NONE:
        return None
    severity = SEVERITIES[state.level]
    return Change(
        "gone", time_ms, severity, None, state.threshold, state.since_ms, state.peak, state.peak_ms, state.flapping
    )
