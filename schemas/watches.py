"""What agents look at themselves, so that a value that alerts are about travels at once: made of the rules in force.

An agent judges nothing. It only sends what it has when an alert may begin or end, seconds before it would have; wrong
or missing watches cost nothing but those seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from schemas.agentconfig import AgentConfig
from schemas.rulechecks import overridden, variant_for
from schemas.rules import Rule
from schemas.virtual import virtual_metric

MOST_WATCHES = 40
"""Of one host; ten thousand hosts with as many fill half of the bucket."""


class Watch(Struct, frozen=True, array_like=True):
    """Thresholds of one metric. Positional, as every host has a copy of its own; fields are only added at the end."""

    metric: str
    """Path, such as `cpu.total`."""
    above: bool
    levels: list[tuple[float, float]]
    """Where levels begin and where they end again."""
    for_s: float = 0
    """How long a level must hold before it begins."""
    recover_for_s: float = 0
    instance: str = "*"
    not_instances: list[str] = []


class PushedConfig(AgentConfig, frozen=True, omit_defaults=True):
    """What an agent is told: settings by people, and watches."""

    watches: list[Watch] = field(default_factory=list)


def watches_of(rules: Iterable[Rule], host: str, tags: frozenset[str]) -> list[Watch]:
    """The watches of a host with these tags; of too many those that are due soonest.

    Only rules about the last value: a window moves too slowly for seconds to count.
    """
    found = []
    for rule in rules:
        number = variant_for(rule, host, tags)
        if number < 0 or virtual_metric(rule.metric) is not None:
            continue
        mine = overridden(rule, rule.overrides[number - 1]) if number else rule
        if not mine.enabled or mine.window.function != "last":
            continue
        levels = [(level.raise_at, level.clear_at) for level in (mine.warning, mine.critical) if level is not None]
        found.append(
            Watch(
                mine.metric,
                mine.comparison == "above",
                levels,
                mine.for_s,
                mine.recover_for_s,
                mine.instance,
                mine.not_instances,
            )
        )
    return sorted(found, key=lambda watch: (watch.for_s, watch.metric))[:MOST_WATCHES]
