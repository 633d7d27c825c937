"""What the gateway tells agents to sample, as JSON in the KV bucket CONFIG and on `config.<host>`.

Everything in it is optional: what is not set is as the agent's process settings and the catalogue say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from schemas.catalogue import CATALOGUE, family_named
from schemas.matching import NO_NUL, TEXT
from schemas.metric import Family
from schemas.rules import InvalidField, InvalidFields

Pattern = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL, description=TEXT)]
"""A shell pattern (`*`, `?`, `[...]`) for instance names."""
Directory = Annotated[str, Meta(pattern=r"^/[^\x00]*\Z", max_length=500, description="an absolute path")]
MOST_PATTERNS = 100
MOST_DIRECTORIES = 20


class FamilyConfig(Struct, frozen=True, omit_defaults=True):
    """How one family is sampled."""

    enabled: bool | None = None
    interval_s: Annotated[float, Meta(ge=0.1, le=86400)] | None = None
    """Seconds between two samples; never more often than the sampling interval."""
    include: list[Pattern] | None = None
    """Only instances that match one of these, also such as are left out by default."""
    exclude: list[Pattern] | None = None
    """No instance that matches one of these."""


class AgentConfig(Struct, frozen=True, omit_defaults=True):
    """Settings for one agent, or for the whole fleet."""

    revision: int = 0
    """Ascends with every change; the agent reports the one in force."""
    sample_interval_s: Annotated[float, Meta(ge=0.1, le=60)] | None = None
    batch_interval_s: Annotated[float, Meta(ge=0.5, le=300)] | None = None
    directories: list[Directory] | None = None
    """Directories whose size is measured."""
    families: dict[str, FamilyConfig] = {}


class NewFamilyConfig(FamilyConfig, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A family in what people send: a field that means nothing is an error, where an agent passes over it."""


class NewAgentConfig(AgentConfig, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What people send. Its `revision` is not theirs to set."""

    families: dict[str, NewFamilyConfig] = {}  # type: ignore[assignment]  # a dict of what it was a dict of


def check_agent_config(config: AgentConfig, catalogue: tuple[Family, ...] = CATALOGUE) -> None:
    """Raise InvalidFields unless `config` makes sense."""
    faults = list(_faults(config, catalogue))
    if faults:
        raise InvalidFields(faults)


def _faults(config: AgentConfig, catalogue: tuple[Family, ...]) -> Iterator[InvalidField]:
    if config.revision:
        yield InvalidField("revision", config.revision, "remove this field; the gateway numbers the revisions")
    if config.directories is not None and len(config.directories) > MOST_DIRECTORIES:
        yield InvalidField("directories", len(config.directories), f"list at most {MOST_DIRECTORIES} directories")
    for name, family_config in config.families.items():
        try:
            family = family_named(name, catalogue)
        except KeyError:
            known = ", ".join(family.name for family in catalogue)
            yield InvalidField(f"families.{name}", name, f"unknown family; use one of {known}")
        else:
            yield from _pattern_faults(family, family_config)


def _pattern_faults(family: Family, config: FamilyConfig) -> Iterator[InvalidField]:
    selects = bool(family.instance) and family.name != "directory"
    for field, patterns in (("include", config.include), ("exclude", config.exclude)):
        path = f"families.{family.name}.{field}"
        if patterns and not selects:
            yield InvalidField(
                path, patterns, f"remove this field; the family {family.name} has no instances to select"
            )
        elif patterns and len(patterns) > MOST_PATTERNS:
            yield InvalidField(path, len(patterns), f"list at most {MOST_PATTERNS} patterns")


def merged(fleet: AgentConfig, host: AgentConfig) -> AgentConfig:
    """What one host gets: its own settings where it has any, else the fleet's; the revision is the later of the two."""
    families = {
        name: _over(fleet.families.get(name, FamilyConfig()), host.families.get(name, FamilyConfig()))
        for name in fleet.families | host.families
    }
    changes = {
        name: value
        for name in ("sample_interval_s", "batch_interval_s", "directories")
        if (value := getattr(host, name)) is not None
    }
    revision = max(fleet.revision, host.revision)
    return msgspec.structs.replace(fleet, **changes, families=families, revision=revision)


def _over(fleet: FamilyConfig, host: FamilyConfig) -> FamilyConfig:
    changes = {name: value for name in fleet.__struct_fields__ if (value := getattr(host, name)) is not None}
    return msgspec.structs.replace(fleet, **changes)
