"""What a viewer may ask for."""

from __future__ import annotations

import pytest

from schemas.catalogue import CATALOGUE
from schemas.families import MEMORY
from schemas.rules import InvalidField
from services.gateway.fleet.selection import by_family, parse_selection, pick


def test_nothing_asked_is_everything_once_a_second() -> None:
    selection = parse_selection({}, CATALOGUE)
    assert (selection.hosts, selection.metrics, selection.interval_s) == (None, None, 1)


def test_the_order_of_what_is_asked_makes_no_difference() -> None:
    one = parse_selection({"hosts": "a,b", "metrics": "cpu.total,memory.used", "interval": "2"}, CATALOGUE)
    other = parse_selection({"hosts": "b,a,", "metrics": "memory.used,cpu.total", "interval": "2.0"}, CATALOGUE)
    assert one == other
    assert hash(one) == hash(other)


def test_a_family_is_all_of_its_metrics() -> None:
    metrics = by_family(parse_selection({"metrics": "memory,cpu.total"}, CATALOGUE))
    assert metrics is not None
    assert metrics["cpu"] == {"total"}
    assert metrics["memory"] == {metric.name for metric in MEMORY.metrics}


def test_a_pick_has_the_chosen_metrics_of_the_instances_that_are_there() -> None:
    values = {"cpu": {"": {"total": 1.0, "user": None}}, "disk": {"sda": {"read": 5.0}}}
    assert pick(values, {"cpu": frozenset({"user"}), "gpu": frozenset({"power"})}) == {"cpu": {"": {"user": None}}}
    assert pick(values, None) is values


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"hosts": "Web"}, "hosts"),
        ({"hosts": "a*"}, "hosts"),
        ({"hosts": ",".join(f"h{k}" for k in range(1001))}, "hosts"),
        ({"metrics": "cpu.nothing"}, "metrics"),
        ({"metrics": "nothing"}, "metrics"),
        ({"metrics": ","}, "metrics"),
        ({"metrics": 'cpu."total"; DROP TABLE cpu'}, "metrics"),
        ({"interval": "0.2"}, "interval"),
        ({"interval": "61"}, "interval"),
        ({"interval": "nan"}, "interval"),
        ({"interval": "-1"}, "interval"),
    ],
)
def test_bad_arguments_are_refused_by_name(parameters: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_selection(parameters, CATALOGUE)
    assert refused.value.field == field
