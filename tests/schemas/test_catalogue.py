"""The catalogue keeps its own rules."""

import re

import pytest

from schemas.catalogue import CATALOGUE, COLUMN_LIMITS, Family, family_named, metric_named
from schemas.metric import size
from schemas.overview import OVERVIEW, SUMMARY


def test_names_are_snake_case_and_unique() -> None:
    names = [family.name for family in CATALOGUE]
    assert len(set(names)) == len(names)
    for family in CATALOGUE:
        columns = [metric.name for metric in family.metrics]
        assert len(set(columns)) == len(columns)
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in [family.name, *columns])


def test_codes_are_unique_within_a_family() -> None:
    for family in CATALOGUE:
        codes = [metric.code for metric in family.metrics]
        assert len(set(codes)) == len(codes), family.name
        assert all(code > 0 for code in codes)


def test_every_metric_says_what_it_means_and_a_full_percentage_fits_its_column() -> None:
    for family in CATALOGUE:
        for metric in family.metrics:
            assert metric.meaning.endswith(".")
            assert metric.resolution > 0
            if metric.unit == "%":
                assert 100 / metric.resolution <= COLUMN_LIMITS[metric.column][1]


def test_labels_tell_families_and_the_metrics_of_a_family_apart() -> None:
    assert len({family.label for family in CATALOGUE}) == len(CATALOGUE)
    for family in CATALOGUE:
        assert len({metric.label for metric in family.metrics}) == len(family.metrics), family.name


def test_a_label_is_made_of_the_name_unless_given() -> None:
    moon = Family("far_side", "", 1, (size(1, "ice_found", ""), size(2, "h2o", "", label="water")))
    assert (moon.label, [metric.label for metric in moon.metrics]) == ("Far side", ["ice found", "water"])


@pytest.mark.parametrize("path", sorted({*SUMMARY, *OVERVIEW}))
def test_what_stands_for_a_host_is_in_the_catalogue(path: str) -> None:
    metric_named(path)


def test_published_codes_never_change() -> None:
    published = {
        "cpu": {"total": 1, "user": 2, "system": 3, "iowait": 4, "steal": 5, "load1": 9},
        "memory": {"total": 1, "available": 2, "used": 3, "used_percent": 7},
        "filesystem": {"total": 1, "used": 2, "used_percent": 4, "inodes_percent": 7},
        "disk": {"read": 1, "write": 2, "busy": 5},
        "network": {"received": 1, "sent": 2},
        "gpu": {"utilisation": 1, "memory_used": 2, "temperature": 5, "power": 6},
        "directory": {"size": 1, "files": 2},
        "agent": {"cpu": 1, "rss": 2, "dropped_total": 7},
    }
    for name, codes in published.items():
        for metric, code in codes.items():
            assert family_named(name).metric(metric).code == code


def test_a_path_leads_to_its_metric() -> None:
    family, metric = metric_named("filesystem.inodes_percent")
    assert (family.name, metric.unit) == ("filesystem", "%")
    with pytest.raises(KeyError):
        metric_named("filesystem.nothing")
    with pytest.raises(KeyError):
        metric_named("nothing.total")
