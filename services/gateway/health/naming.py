"""What the catalogue's metrics are called and measured in where Prometheus scrapes: base units as suffixes. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from schemas.catalogue import Family, Metric

UNITS: dict[str, tuple[str, float]] = {
    "%": ("ratio", 0.01),
    "B": ("bytes", 1),
    "B/s": ("bytes_per_second", 1),
    "1/s": ("per_second", 1),
    "s": ("seconds", 1),
    "ms": ("seconds", 0.001),
    "°C": ("celsius", 1),
    "W": ("watts", 1),
    "MHz": ("hertz", 1_000_000),
    "Mbit/s": ("bytes_per_second", 125_000),
    "rpm": ("rpm", 1),
    "": ("", 1),
}
"""Unit -> suffix, and what a value is multiplied by."""

COUNTERS = frozenset(
    {
        "memory.oom_kills",
        "gpu.ecc_corrected",
        "gpu.ecc_uncorrected",
        "agent.dropped_total",
        "agent.reconnects",
        "agent.late_ticks",
        "container.restarts",
    }
)
"""What only grows, until something starts anew."""

_LABELS = {"mount": "mountpoint", "disk": "device", "interface": "device"}
"""What an instance is called where others have a word for it; else it is the catalogue's."""
_WHOLE = {"%": "usage", "B": "size", "": "all"}
"""What `total` is called: as a suffix it says that something is a counter."""


class Exposed(Struct, frozen=True):
    """One metric as it is scraped."""

    name: str
    kind: str
    """`gauge` or `counter`."""
    metric: str
    """Its name in the catalogue's family."""
    factor: float
    """What a value is multiplied by."""
    help: str


def exposed(family: Family, metric: Metric) -> Exposed:
    """`metric` of `family`. A unit that is not in the table is its own suffix."""
    plain = re.sub(r"[^a-z0-9]+", "_", metric.unit.lower()).strip("_")
    suffix, factor = UNITS.get(metric.unit, (plain, 1.0))
    counter = f"{family.name}.{metric.name}" in COUNTERS
    name = _WHOLE.get(metric.unit, "all") if metric.name == "total" else metric.name
    if metric.unit == "%":
        name = name.removesuffix("_percent")
    if counter or not suffix:
        name = name.removesuffix("_total")
    if suffix and not name.endswith(suffix):
        name = f"{name}_{suffix}"
    full = f"sonde_{family.name}_{name}" + ("_total" if counter else "")
    return Exposed(full, "counter" if counter else "gauge", metric.name, factor, metric.meaning)


def exposition(catalogue: Sequence[Family]) -> dict[str, list[Exposed]]:
    """Every metric by family, in the catalogue's order."""
    return {family.name: [exposed(family, metric) for metric in family.metrics] for family in catalogue}


def instance_label(family: Family) -> str:
    """The label that tells the rows of a host apart; empty where there is one."""
    return _LABELS.get(family.instance, family.instance)


def quoted(text: str) -> str:
    """A label's value as the format has it."""
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{escaped}"'


def heading(name: str, kind: str, help: str, open_metrics: bool) -> bytes:
    """What stands before the samples of a metric."""
    if open_metrics:
        name = name.removesuffix("_total") if kind == "counter" else name
        text = help.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    else:
        text = help.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n".encode()
