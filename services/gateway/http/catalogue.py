"""`/metrics`: the catalogue, so that clients need no list of their own."""

from __future__ import annotations

from msgspec import Struct

from schemas.catalogue import Family
from services.gateway.http.operations import Call, Nothing, Operation


class MetricItem(Struct):
    code: int
    """Number of the metric in batches on the bus, unique within its family; see docs/bus.md."""
    name: str
    label: str
    """Its name for people, to follow the family's."""
    path: str
    unit: str
    resolution: float
    meaning: str


class FamilyItem(Struct):
    name: str
    label: str
    meaning: str
    period_s: float
    instance: str
    sampled: str
    """`always`, `watched` (while somebody looks at the host), or `never` unless settings enable it."""
    metrics: list[MetricItem]


class Catalogue(Struct):
    families: list[FamilyItem]


def describe(catalogue: tuple[Family, ...]) -> Catalogue:
    return Catalogue(
        [
            FamilyItem(
                family.name,
                family.label,
                family.meaning,
                family.period_s,
                family.instance,
                family.sampled,
                [
                    MetricItem(m.code, m.name, m.label, f"{family.name}.{m.name}", m.unit, m.resolution, m.meaning)
                    for m in family.metrics
                ],
            )
            for family in catalogue
        ]
    )


def catalogue_operations(catalogue: tuple[Family, ...]) -> list[Operation]:
    described = describe(catalogue)

    async def get_metrics(_: Call[Nothing, None]) -> Catalogue:
        return described

    return [
        Operation(
            "GET",
            "/metrics",
            get_metrics,
            tag="catalogue",
            summary="Every metric with its unit, resolution and meaning",
            role="viewer",
            answers={200: Catalogue},
        )
    ]
