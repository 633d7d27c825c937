"""Metric arguments: dotted paths and families of the catalogue; no other name ever reaches a query. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from schemas.catalogue import Family, Metric, family_named, metric_named
from schemas.rules import InvalidField

MAX_METRICS = 100
_WORDS = "metrics such as cpu.total, or families such as cpu, separated by commas; see GET /api/v1/metrics"
_REMEDY = f"must be {_WORDS}"
MetricNames = Annotated[str, Meta(description=_WORDS)]
"""A query parameter for `parse_metrics`."""


def parse_metrics(text: str, catalogue: tuple[Family, ...]) -> list[tuple[Family, list[Metric]]]:
    """The metrics that `text` names, by family, in the order asked for and each once. Raises InvalidField."""
    chosen: dict[str, tuple[Family, Metric]] = {}
    for name in filter(None, (part.strip() for part in text.split(","))):
        try:
            if "." in name:
                chosen[name] = metric_named(name, catalogue)
            else:
                family = family_named(name, catalogue)
                chosen.update({f"{name}.{metric.name}": (family, metric) for metric in family.metrics})
        except KeyError:
            raise InvalidField("metrics", name[:100], _REMEDY) from None
    if not chosen:
        raise InvalidField("metrics", text[:100], _REMEDY)
    if len(chosen) > MAX_METRICS:
        raise InvalidField("metrics", len(chosen), f"must name at most {MAX_METRICS} metrics")
    by_family: dict[str, tuple[Family, list[Metric]]] = {}
    for family, metric in chosen.values():
        by_family.setdefault(family.name, (family, []))[1].append(metric)
    return list(by_family.values())
