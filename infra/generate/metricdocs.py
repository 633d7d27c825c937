"""docs/metrics.md from the catalogue: `python -m infra.generate.metricdocs` writes it, a test fails if it is stale."""

from __future__ import annotations

from pathlib import Path

from schemas.catalogue import CATALOGUE, Family, Metric
from schemas.virtual import VIRTUAL, VirtualMetric

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"

INTRODUCTION = """\
# Metrics

Every metric that Sonde collects, made from the catalogue in `schemas/catalogue.py`. A table of the same name as the
family holds one row per host (and instance) and time, each value as a whole number of its *step*; the view
`metrics_<family>` shows the same in the units below. A value that could not be read is null, never 0.

*Code* is the metric's number in batches on the bus ([bus.md](bus.md)): unique within its family and never reused. A
family has no code; batches carry its name. *Label* is what people read after the family's label. `GET /api/v1/metrics`
returns all of this page as JSON.
"""


VIRTUAL_METRICS = """\
## Virtual metrics

What no agent samples and alert rules can be about all the same ([alerts.md](alerts.md)): the alerts service finds it
out itself. None is in a table, and none is ever negative.

| metric | about | one per | unit | meaning |
|---|---|---|---|---|"""


def page(catalogue: tuple[Family, ...] = CATALOGUE) -> str:
    """The whole page."""
    sections = [section for family in catalogue for section in _family(family)]
    return "\n".join([INTRODUCTION, *sections, VIRTUAL_METRICS, *map(_virtual, VIRTUAL), ""])


def _virtual(metric: VirtualMetric) -> str:
    about = "a host" if metric.about == "host" else "Sonde itself"
    each = "host" if metric.about == "host" else metric.instance
    return f"| `{metric.path}` | {about} | {each} | {metric.unit} | {metric.meaning} |"


_SAMPLED = {"always": "", "watched": " while somebody looks at the host", "never": " once it is enabled"}


def _family(family: Family) -> list[str]:
    rows = f"one row per {family.instance}" if family.instance else "one row"
    return [
        f"## {family.name}",
        "",
        f"{family.label}: {family.meaning} Every {family.period_s:g} s{_SAMPLED[family.sampled]}, {rows}.",
        "",
        "| metric | code | label | unit | step | meaning |",
        "|---|---|---|---|---|---|",
        *(_metric(family, metric) for metric in family.metrics),
        "",
    ]


def _metric(family: Family, metric: Metric) -> str:
    unit = metric.unit or "count"
    path = f"`{family.name}.{metric.name}`"
    return f"| {path} | {metric.code} | {metric.label} | {unit} | {metric.resolution:g} | {metric.meaning} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
