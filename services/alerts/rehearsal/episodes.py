"""What transitions tell of: each time that a rule fired, from its fire to its end. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import msgspec

from schemas.messages import AlertTransition
from schemas.rehearsals import MOST_EPISODES, Episode
from services.alerts.rehearsal.play import Line

TOLD_BYTES = 400_000
"""Of episodes in one answer; the bus carries 512 KiB."""


def episodes_of(line: Line) -> list[Episode]:
    """Those of one instance, in order."""
    found: list[Episode] = []
    begun: list[AlertTransition] = []
    for transition in line.transitions:
        begun.append(transition)
        if transition.kind in ("resolve", "gone"):
            found.append(_episode(line, begun, transition))
            begun = []
    if begun:
        found.append(_episode(line, begun, None))
    return found


def _episode(line: Line, transitions: Sequence[AlertTransition], last: AlertTransition | None) -> Episode:
    fire = transitions[0]
    ended_s = last.time if last is not None else line.minutes.to_ms / 1000
    state = line.state
    peak, peak_s = (
        (last.peak, last.peak_time) if last else (state.peak, state.peak_ms / 1000 if state.peak_ms else None)
    )
    severities = [transition.severity for transition in transitions if transition is not last]
    return Episode(
        line.host,
        line.instance,
        "critical" if "critical" in severities else "warning",
        fire.time,
        last.time if last is not None else None,
        ("gone" if last.kind == "gone" else "resolve") if last is not None else None,
        round(max(0.0, ended_s - fire.time), 3),
        fire.value,
        fire.threshold,
        peak,
        peak_s,
        "raw" if fire.time * 1000 >= line.minutes.exact_from_ms else "minute",
    )


def latest(episodes: Iterable[Episode]) -> list[Episode]:
    """As many as one answer lists at most, the latest first."""
    return sorted(episodes, key=lambda one: (-one.fired, one.host, one.instance))[:MOST_EPISODES]


def told(episodes: Iterable[Episode]) -> list[Episode]:
    """Of the latest so many as fit into one message: names may be long."""
    listed = latest(episodes)
    bytes_at = itertools.accumulate(len(msgspec.json.encode(episode)) + 1 for episode in listed)
    return listed[: sum(size <= TOLD_BYTES for size in bytes_at)]
