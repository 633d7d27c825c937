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
    metrics = by_family(parse_selection({"metrics": "memory,cpu.total"}, CATALOGUE).metrics)
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
        ({"tags": "a b"}, "tags"),
        ({"tags": "x" * 41}, "tags"),
        ({"tags": ",".join(f"t{k}" for k in range(21))}, "tags"),
    ],
)
def test_bad_arguments_are_refused_by_name(parameters: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_selection(parameters, CATALOGUE)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("asked", "given"), [("0.25", 0.25), ("0.49", 0.25), ("1.000001", 1), ("4.9", 2), ("59", 30), ("60", 60)]
)
def test_an_interval_is_rounded_down_to_one_that_viewers_share(asked: str, given: float) -> None:
    assert parse_selection({"interval": asked}, CATALOGUE).interval_s == given


def test_a_selection_shows_hosts_that_have_all_of_its_tags() -> None:
    selection = parse_selection({"tags": "web,eu"}, CATALOGUE)
    assert selection.shows("a", ["eu", "web", "db"])
    assert not selection.shows("a", ["web"])


def test_only_a_few_named_hosts_have_a_detailed_past() -> None:
    assert parse_selection({"hosts": ",".join(f"h{k}" for k in range(8))}, CATALOGUE).detailed
    assert not parse_selection({"hosts": ",".join(f"h{k}" for k in range(9))}, CATALOGUE).detailed
    assert not parse_selection({}, CATALOGUE).detailed
