"""Rules that make no sense are refused with field, value and remedy."""

import msgspec
import pytest

from schemas.rulechecks import check_rule
from schemas.rules import InvalidFields, Rule, Threshold, default_rules

GOOD = Rule("cpu", "CPU", "cpu.total", critical=Threshold(90, 80))


def test_default_rules_make_sense() -> None:
    rules = default_rules()
    for rule in rules:
        check_rule(rule)
    assert len({rule.id for rule in rules}) == len(rules)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"metric": "cpu.nothing"}, "metric"),
        ({"metric": "nothing"}, "metric"),
        ({"host": "a b"}, "host"),
        ({"instance": ""}, "instance"),
        ({"critical": None}, "critical"),
        ({"critical": Threshold(80, 90)}, "critical.clear_at"),
        ({"critical": Threshold(float("nan"), 0)}, "critical"),
        ({"critical": Threshold(float("inf"), 0)}, "critical"),
        ({"warning": Threshold(95, 90)}, "warning.raise_at"),
        ({"comparison": "below"}, "critical.clear_at"),
        ({"metric": "host.down", "comparison": "below", "critical": Threshold(1, 2)}, "comparison"),
        ({"runbook_url": "javascript:alert(1)"}, "runbook_url"),
        ({"instance": "eth0"}, "instance"),
        ({"metric": "memory.used", "instance": "0"}, "instance"),
        ({"metric": "host.down", "instance": "web-1"}, "instance"),
        ({"metric": "host.down", "critical": Threshold(-5, -5)}, "critical.raise_at"),
        ({"metric": "host.down", "critical": Threshold(0, 0)}, "critical.raise_at"),
        ({"critical": Threshold(100.01, 90)}, "critical.raise_at"),
        ({"comparison": "below", "critical": Threshold(-0.01, 5)}, "critical.raise_at"),
        ({"metric": "gpu.temperature", "critical": Threshold(3277, 90)}, "critical.raise_at"),
        ({"warning": Threshold(-900, -900), "critical": Threshold(900, 80)}, "critical.raise_at"),
    ],
)
def test_a_senseless_rule_names_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        check_rule(msgspec.structs.replace(GOOD, **changes))
    (fault,) = caught.value.faults
    assert fault.field == field
    assert fault.remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"critical": Threshold(100, 90)},
        {"comparison": "below", "critical": Threshold(0, 5)},
        {"metric": "agent.cpu", "critical": Threshold(250, 200)},
        {"metric": "network.received", "instance": "eth0"},
        {"metric": "host.down", "critical": Threshold(0.5, 0)},
    ],
)
def test_a_rule_that_can_fire_makes_sense(changes: dict[str, object]) -> None:
    check_rule(msgspec.structs.replace(GOOD, **changes))


def test_a_rule_in_force_may_have_one_threshold_out_of_reach() -> None:
    half = msgspec.structs.replace(GOOD, warning=Threshold(75, 65), critical=Threshold(101, 90))
    with pytest.raises(InvalidFields):
        check_rule(half)
    check_rule(half, in_force=True)


def test_a_rule_in_force_whose_thresholds_are_all_out_of_reach_makes_no_sense() -> None:
    for changes in ({"critical": Threshold(101, 90)}, {"metric": "host.down", "critical": Threshold(-5, -5)}):
        with pytest.raises(InvalidFields):
            check_rule(msgspec.structs.replace(GOOD, **changes), in_force=True)


def test_a_senseless_rule_names_all_its_fields() -> None:
    changes = {"host": "a b", "warning": Threshold(95, 96), "critical": Threshold(90, 91), "runbook_url": "ftp://x"}
    with pytest.raises(InvalidFields) as caught:
        check_rule(msgspec.structs.replace(GOOD, **changes))
    assert [fault.field for fault in caught.value.faults] == [
        "host",
        "warning.clear_at",
        "critical.clear_at",
        "warning.raise_at",
        "runbook_url",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"A b","name":"n","metric":"cpu.total"}',
        b'{"id":"a","name":"","metric":"cpu.total"}',
        b'{"id":"a","name":"n","metric":"cpu.total","for_s":-1}',
        b'{"id":"a","name":"n","metric":"cpu.total","colour":"red"}',
        b'{"id":"a","name":"n"}',
    ],
)
def test_a_rule_of_the_wrong_type_does_not_decode(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=Rule)
