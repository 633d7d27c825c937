"""What this agent samples, how often and of what: process settings, pushed settings and catalogue made one. Pure.

Only `Plans` is not: it holds the plan in force, and wakes those who wait for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from agent.collectors.choice import Choice
from infra.settings import AgentSettings
from schemas.agentconfig import AgentConfig, FamilyConfig
from schemas.catalogue import CATALOGUE
from schemas.metric import Family
from schemas.watches import PushedConfig, Watch


class FamilyPlan(Struct, frozen=True):
    """How one family is sampled."""

    enabled: bool
    watched: bool
    """Only while somebody looks at this host."""
    period_s: float
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Plan(Struct, frozen=True):
    """See the module."""

    sample_interval_s: float
    batch_interval_s: float
    directories: tuple[str, ...]
    families: dict[str, FamilyPlan]
    """Every family of the catalogue."""
    revision: int = 0
    """Of the pushed settings in it."""
    watches: tuple[Watch, ...] = ()


def make_plan(
    settings: AgentSettings, config: AgentConfig | None = None, catalogue: tuple[Family, ...] = CATALOGUE
) -> Plan:
    """The plan for these settings. Families in `config` that this version does not know are passed over."""
    config = config or AgentConfig()
    sample_interval_s = config.sample_interval_s or settings.sample_interval_s
    directories = config.directories
    if directories is None:
        directories = [path for path in settings.directories.split(":") if path]
    return Plan(
        sample_interval_s,
        max(sample_interval_s, config.batch_interval_s or settings.batch_interval_s),
        tuple(dict.fromkeys(directories)),
        {
            family.name: _family(family, config.families.get(family.name, FamilyConfig()), settings, sample_interval_s)
            for family in catalogue
        },
        config.revision,
        tuple(config.watches) if isinstance(config, PushedConfig) else (),
    )


def _family(family: Family, config: FamilyConfig, settings: AgentSettings, sample_interval_s: float) -> FamilyPlan:
    enabled = family.sampled != "never" if config.enabled is None else config.enabled
    # A family of one second is read at every tick, however far apart these are.
    default_s = sample_interval_s if family.period_s == 1 else family.period_s
    if family.name == "directory":
        default_s = settings.directory_interval_s
    return FamilyPlan(
        enabled=enabled,
        watched=family.sampled == "watched" and config.enabled is None,
        period_s=max(sample_interval_s, config.interval_s or default_s),
        include=tuple(config.include or ()),
        exclude=tuple(config.exclude or ()),
    )


class Plans:
    """The plan in force."""

    def __init__(self, plan: Plan) -> None:
        self.current = plan
        self._replaced = asyncio.Event()

    def replace(self, plan: Plan) -> None:
        """Put another plan in force."""
        self.current = plan
        self._replaced.set()
        self._replaced = asyncio.Event()

    async def other_than(self, plan: Plan) -> Plan:
        """Wait until another plan than `plan` is in force."""
        while self.current is plan:
            await self._replaced.wait()
        return self.current


def use_plan(choices: Mapping[str, Choice], families: Mapping[str, FamilyPlan]) -> None:
    """Let every choice follow its family's patterns."""
    for name, choice in choices.items():
        choice.use(families[name].include, families[name].exclude)
