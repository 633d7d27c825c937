"""What a viewer of the live stream asked for: which hosts, which metrics, how often. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from schemas.api import Values
from schemas.catalogue import Family
from schemas.rules import InvalidField
from schemas.subjects import valid_host
from services.gateway.http.metricpaths import parse_metrics

MetricsShown = Annotated[
    str,
    Meta(description="metrics such as cpu.total, or families such as cpu, separated by commas; empty for all"),
]
"""A query parameter, as are the next ones: which values the answer has."""
HostsShown = Annotated[str, Meta(description="host ids separated by commas; empty for all")]
STEPS_S = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Intervals that there are; others are rounded down, so that viewers share feeds."""
INTERVAL_S = (STEPS_S[0], STEPS_S[-1])
MAX_HOSTS = 1000
MAX_TAGS = 20
DETAILED_HOSTS = 8
"""Up to so many hosts asked for by name, a snapshot's history has every metric."""
MAX_DETAIL = 32
"""Most hosts whose every metric one viewer may watch besides its selection."""


Metrics = frozenset[tuple[str, str]] | None
"""Family and metric; None: all."""


class Selection(Struct, frozen=True):
    """Equal selections share their frames."""

    hosts: frozenset[str] | None
    """None: all, also those to come."""
    metrics: Metrics
    interval_s: float
    tags: frozenset[str] = frozenset()
    """Only hosts that have all of these."""

    def shows(self, host: str, tags: Collection[str]) -> bool:
        """Whether a host with those tags is selected."""
        return (self.hosts is None or host in self.hosts) and self.tags.issubset(tags)

    @property
    def detailed(self) -> bool:
        """Whether so few hosts are named that a snapshot can have every metric of their last minute."""
        return self.hosts is not None and len(self.hosts) <= DETAILED_HOSTS


EVERYTHING = Selection(None, None, 1.0)


def parse_selection(parameters: Mapping[str, str], catalogue: tuple[Family, ...]) -> Selection:
    """The selection in a query's `hosts`, `tags`, `metrics` and `interval`. Raises InvalidField."""
    hosts = parse_hosts(parameters.get("hosts", ""))
    text = parameters.get("metrics", "")
    metrics = None
    if text:
        chosen = parse_metrics(text, catalogue)
        metrics = frozenset((family.name, metric.name) for family, of_family in chosen for metric in of_family)
    return Selection(
        hosts or None, metrics, _interval(parameters.get("interval", "1")), _tags(parameters.get("tags", ""))
    )


def parse_hosts(text: str) -> frozenset[str]:
    """The hosts in a list such as `web-1,web-2`; empty for all. Raises InvalidField."""
    return _hosts("hosts", text, MAX_HOSTS, "; leave it out for all hosts")


def parse_detail(parameters: Mapping[str, str]) -> frozenset[str]:
    """The hosts in a query's `detail`, often none. Raises InvalidField."""
    return _hosts("detail", parameters.get("detail", ""), MAX_DETAIL)


def _hosts(field: str, text: str, most: int, otherwise: str = "") -> frozenset[str]:
    hosts = frozenset(filter(None, text.split(",")))
    if len(hosts) > most:
        raise InvalidField(field, len(hosts), f"must name at most {most} hosts{otherwise}")
    for host in hosts:
        if not valid_host(host):
            raise InvalidField(
                field, host[:60], "must be host ids separated by commas, each 1 to 40 characters of a-z, 0-9 and -"
            )
    return hosts


def _tags(text: str) -> frozenset[str]:
    tags = frozenset(filter(None, text.split(",")))
    if len(tags) > MAX_TAGS:
        raise InvalidField("tags", len(tags), f"must name at most {MAX_TAGS} tags")
    for tag in tags:
        if not re.fullmatch(r"[^\s\x00]{1,40}", tag):
            raise InvalidField(
                "tags", tag[:60], "must be tags separated by commas, each 1 to 40 characters without spaces"
            )
    return tags


def _interval(text: str) -> float:
    """The interval asked for, or the next shorter one that there is."""
    least, most = INTERVAL_S
    if re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text, re.ASCII) and least <= float(text) <= most:
        return STEPS_S[bisect_right(STEPS_S, float(text)) - 1]
    raise InvalidField("interval", text[:60], f"must be a number of seconds from {least:g} to {most:g}")


def by_family(metrics: Metrics) -> dict[str, frozenset[str]] | None:
    """The metrics of each family; None for all."""
    if metrics is None:
        return None
    families: dict[str, set[str]] = {}
    for family, metric in metrics:
        families.setdefault(family, set()).add(metric)
    return {family: frozenset(metrics) for family, metrics in families.items()}


def pick(values: Values, metrics: Mapping[str, frozenset[str]] | None) -> Values:
    """The part of `values` that `metrics`, from `by_family`, names; `values` itself when that is all."""
    if metrics is None:
        return values
    picked: Values = {}
    for family, wanted in metrics.items():
        instances = values.get(family)
        if instances:
            picked[family] = {instance: _picked(row, wanted) for instance, row in instances.items()}
    return picked


def _picked(row: dict[str, float | None], wanted: frozenset[str]) -> dict[str, float | None]:
    if 2 * len(wanted) < len(row):
        return {metric: row[metric] for metric in wanted if metric in row}
    return {metric: value for metric, value in row.items() if metric in wanted}
