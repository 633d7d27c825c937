"""The metric catalogue.

Table definitions, batch codec, COPY encoder, API metadata, alertable metrics and the dashboard's TypeScript types all
derive from `CATALOGUE`; adding a metric is an entry in `schemas.families` and a collector's line.
"""

from __future__ import annotations

from schemas.families import (
    AGENT,
    CONTAINER,
    CORE,
    CPU,
    CUSTOM,
    DIRECTORY,
    DISK,
    FILESYSTEM,
    GPU,
    MEMORY,
    NETWORK,
    PRESSURE,
    PROCESS,
    SENSORS,
    SOCKETS,
    UNIT,
)
from schemas.metric import COLUMN_LIMITS, Family, Metric

__all__ = ["CATALOGUE", "COLUMN_LIMITS", "Family", "Metric", "family_named", "metric_named"]

CATALOGUE: tuple[Family, ...] = (
    CPU,
    MEMORY,
    FILESYSTEM,
    DISK,
    NETWORK,
    GPU,
    DIRECTORY,
    AGENT,
    CORE,
    PRESSURE,
    SOCKETS,
    SENSORS,
    CONTAINER,
    PROCESS,
    UNIT,
    CUSTOM,
)


def family_named(name: str, catalogue: tuple[Family, ...] = CATALOGUE) -> Family:
    """The family called `name`; KeyError when the catalogue has none."""
    for family in catalogue:
        if family.name == name:
            return family
    raise KeyError(name)


def metric_named(path: str, catalogue: tuple[Family, ...] = CATALOGUE) -> tuple[Family, Metric]:
    """The family and metric of a dotted path such as `cpu.total`; KeyError when there is none."""
    family_name, _, name = path.partition(".")
    family = family_named(family_name, catalogue)
    return family, family.metric(name)
