"""What a viewer of the live stream asked for: which hosts, which metrics, how often. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
INTERVAL_S = (0.25, 60.0)
MAX_HOSTS = 1000
MAX_DETAIL = 32
"""Most hosts whose every metric one viewer may watch besides its selection."""


class Selection(Struct, frozen=True):
    """Equal selections share their frames."""

    hosts: frozenset[str] | None
    """None: all, also those to come."""
    metrics: frozenset[tuple[str, str]] | None
    """Family and metric; None: all."""
    interval_s: float

    def has_host(self, host: str) -> bool:
        return self.hosts is None or host in self.hosts


def parse_selection(parameters: Mapping[str, str], catalogue: tuple[Family, ...]) -> Selection:
    """The selection in a query's `hosts`, `metrics` and `interval`. Raises InvalidField."""
    hosts = parse_hosts(parameters.get("hosts", ""))
    text = parameters.get("metrics", "")
    metrics = None
    if text:
        chosen = parse_metrics(text, catalogue)
        metrics = frozenset((family.name, metric.name) for family, of_family in chosen for metric in of_family)
    return Selection(hosts or None, metrics, _interval(parameters.get("interval", "1")))


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


def _interval(text: str) -> float:
    least, most = INTERVAL_S
    if re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text, re.ASCII) and least <= float(text) <= most:
        return float(text)
    raise InvalidField("interval", text[:60], f"must be a number of seconds from {least:g} to {most:g}")


def by_family(selection: Selection) -> dict[str, frozenset[str]] | None:
    """The selected metrics of each family; None for all."""
    if selection.metrics is None:
        return None
    families: dict[str, set[str]] = {}
    for family, metric in selection.metrics:
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
            picked[family] = {
                instance: {metric: value for metric, value in row.items() if metric in wanted}
                for instance, row in instances.items()
            }
    return picked
