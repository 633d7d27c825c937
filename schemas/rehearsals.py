"""Rehearsals: what is asked, what is told while one goes on, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from schemas.catalogue import CATALOGUE, Family
from schemas.messages import Severity
from schemas.rulechecks import check_rule, measured
from schemas.rules import InvalidField, InvalidFields, Rule

REHEARSAL_ASK = "rehearsals.ask"
"""Where one is asked for, as `RehearsalOrder`."""
REHEARSAL_CANCEL = "rehearsals.cancel"
"""Where one is called off: its id."""
MOST_DAYS = 31
MOST_EPISODES = 1000
"""Listed in one answer; those beyond are counted."""

RehearsalId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z", description="16 hexadecimal digits")]
State = Literal["waiting", "running", "done", "failed", "cancelled"]


def rehearsal_told(id: str) -> str:
    """Subject on which the alerts service tells how a rehearsal goes, as `Rehearsal`."""
    return f"rehearsals.told.{id}"


class NewRehearsal(Struct, frozen=True, forbid_unknown_fields=True):
    """What people ask."""

    rule: Rule
    """A draft, or an existing rule with changes; whether it is enabled makes no difference."""
    days: Annotated[float, Meta(gt=0, le=MOST_DAYS)] = 7
    """How far back from now."""


class RehearsalOrder(Struct, frozen=True):
    """The same with its id, as JSON on the bus."""

    id: str
    rule: Rule
    days: float


class Episode(Struct, frozen=True):
    """Once that the rule would have fired. Times are in Unix seconds."""

    host: str
    instance: str
    severity: Severity
    """The gravest that it had."""
    fired: float
    ended: float | None
    """Null: it still fires at the end of the range."""
    ending: Literal["resolve", "gone"] | None
    """`gone`: there were no values any more."""
    duration_s: float
    """Until its end, or until the end of the range."""
    value: float | None
    """When it fired; null where it fired as there was none."""
    threshold: float
    peak: float | None
    """The worst value while it fired."""
    peak_time: float | None
    resolution: Literal["raw", "minute"]
    """`minute`: raw samples of that time are gone, it was judged by one value a minute."""


class Outcome(Struct, frozen=True):
    """What a rule would have done in a range. Times are in Unix seconds."""

    start: float
    """The later of what was asked and of what is still stored."""
    end: float
    exact_from: float
    """From here on every raw sample counts; before, only one value a minute is left."""
    unit: str
    fired: int
    """How often, all in all."""
    critical: int
    """How many of those were critical at some time."""
    hosts_fired: int
    hosts: int
    """That the rule looks at."""
    hosts_played: int
    """Fewer where the time was up before."""
    series: int
    """Of those hosts: one for each instance that the rule is about."""
    complete: bool
    """False: the time was up before all hosts were played."""
    episodes: list[Episode]
    """The latest first, at most a thousand, fewer where names are long."""
    samples_read: int
    """Raw samples that were looked at; the others cannot have mattered by what their minutes say."""
    took_s: float


class Rehearsal(Struct, frozen=True):
    """How a rehearsal goes, also as JSON on the bus."""

    id: str
    state: State
    progress: float = 0
    """Share of the hosts that were played."""
    reason: str = ""
    """Why it failed."""
    outcome: Outcome | None = None
    """Null unless it is done."""


def check_rehearsal(rule: Rule, catalogue: tuple[Family, ...] = CATALOGUE) -> Rule:
    """`rule` as it can be rehearsed. Raises InvalidFields."""
    check_rule(rule, catalogue)
    if measured(rule.metric, catalogue).metric is None:
        remedy = (
            "cannot be rehearsed: it is found out from when messages arrive, which is not stored; "
            "use a metric that hosts sample"
        )
        raise InvalidFields([InvalidField("rule.metric", rule.metric, remedy)])
    return replace(rule, enabled=True)
