"""Rules that make no sense are refused with field, value and remedy."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from schemas.rulechecks import check_rule
from schemas.rules import Also, Function, InvalidFields, NoData, Override, Rule, Threshold, Window, default_rules

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
CLEAR = "critical.clear_at"
SOON = Threshold(60, 90)
OFF = Override(hosts=["web-1"], enabled=False)
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
        ({"warning": Threshold(0, 0), "critical": Threshold(900, 80)}, "critical.raise_at"),
        ({"critical": Threshold(90, -1)}, "critical.clear_at"),
        ({"comparison": "below", "critical": Threshold(5, 101)}, "critical.clear_at"),
        ({"tags": ["prod", "eu"], "without_tags": ["eu"]}, "without_tags"),
        ({"not_instances": ["eth*"]}, "not_instances"),
        ({"metric": "filesystem.used_percent", "not_instances": ["/a", "*"]}, "not_instances"),
        ({"metric": "filesystem.used_percent", "instance": "/a", "not_instances": ["/?"]}, "not_instances"),
        ({"metric": "filesystem.used_percent", "instance": "/a/*", "not_instances": ["/*"]}, "not_instances"),
        ({"metric": "service.silent", "instance": "nginx"}, "instance"),
        ({"metric": "monitoring.blind", "host": "web-*"}, "host"),
        ({"metric": "monitoring.blind", "tags": ["prod"]}, "tags"),
        ({"metric": "channel.held", "overrides": [Override(hosts=["a"], enabled=False)]}, "overrides"),
        ({"metric": "host.down", "no_data": "alert"}, "no_data"),
        ({"metric": "host.down", "window": Window("avg", 60)}, "window.function"),
        ({"window": Window("last", 60)}, "window.seconds"),
        ({"window": Window("avg", 1)}, "window.seconds"),
        ({"window": Window("avg", 7200)}, "window.seconds"),
        ({"window": Window("avg", 60, limit=5)}, "window.limit"),
        ({"window": Window("increase", 60), "critical": Threshold(101, 0)}, "critical.raise_at"),
        ({"metric": "agent.dropped_total", "window": Window("increase", 60), "critical": Threshold(1, -1)}, CLEAR),
        (
            {
                "metric": "agent.dropped_total",
                "window": Window("rate", 60),
                "comparison": "below",
                "critical": Threshold(-1, 0),
            },
            "critical.raise_at",
        ),
        ({"window": Window("time_left", 3600)}, "comparison"),
        ({"window": Window("time_left", 60), "comparison": "below", "critical": Threshold(60, 90)}, "window.seconds"),
        ({"window": Window("time_left", 3600, limit=101), "comparison": "below", "critical": SOON}, "window.limit"),
        ({"window": Window("time_left", 3600, limit=-1), "comparison": "below", "critical": SOON}, "window.limit"),
        ({"also": Also("memory.used", "above", 1)}, "also.metric"),
        ({"also": Also("cpu.total", "above", 1)}, "also.metric"),
        ({"also": Also("cpu.nothing", "above", 1)}, "also.metric"),
        ({"also": Also("cpu.user", "above", 101)}, "also.value"),
        ({"also": Also("cpu.user", "above", float("nan"))}, "also.value"),
        ({"metric": "host.down", "also": Also("cpu.user", "above", 1)}, "also"),
        ({"overrides": [Override(warning=Threshold(60, 50))]}, "overrides[0].hosts"),
        ({"overrides": [Override(hosts=["a"])]}, "overrides[0]"),
        ({"overrides": [Override(hosts=["*"], enabled=False)]}, "overrides[0].enabled"),
        (
            {"host": "web-*", "overrides": [OFF, Override(hosts=["db-*", "web-*"], enabled=False)]},
            "overrides[1].enabled",
        ),
        ({"tags": ["web"], "overrides": [Override(tags=["web"], enabled=False)]}, "overrides[0].enabled"),
        ({"overrides": [Override(hosts=["*"], for_s=5), Override(hosts=["a"], for_s=9)]}, "overrides[1]"),
        ({"overrides": [Override(hosts=["a"], critical=Threshold(101, 90))]}, "overrides[0].critical.raise_at"),
        ({"overrides": [Override(hosts=["a"], warning=Threshold(95, 90))]}, "overrides[0].warning.raise_at"),
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
        {"metric": "host.uptime", "comparison": "below", "critical": Threshold(300, 300)},
        {"metric": "gpu.temperature", "not_instances": ["0"], "instance": "?"},
        {"metric": "monitoring.blind", "critical": Threshold(60, 0)},
        {"metric": "service.silent", "instance": "ingest", "critical": Threshold(60, 30)},
        {"window": Window("p95", 300)},
        {"metric": "memory.oom_kills", "window": Window("increase", 600), "critical": Threshold(1, 0)},
        {"window": Window("rate", 60), "critical": Threshold(-5, -6)},
        {
            "metric": "filesystem.used_percent",
            "comparison": "below",
            "window": Window("time_left", 6 * 3600),
            "critical": Threshold(4 * 3600, 8 * 3600),
        },
        {"metric": "filesystem.used_percent", "also": Also("filesystem.available", "below", 10 * 2**30)},
        {"tags": ["prod"], "without_tags": ["lab"], "no_data": "alert"},
        {"overrides": [Override(hosts=["db-*"], critical=Threshold(95, 90)), Override(tags=["lab"], enabled=False)]},
        {"overrides": [Override(hosts=["db-*"], for_s=5), Override(hosts=["*"], enabled=False)]},
        {"host": "web-?", "overrides": [Override(hosts=["web-1"], enabled=False)]},
        {"metric": "filesystem.used_percent", "instance": "/*", "not_instances": ["/?", "/boot"]},
        {"metric": "service.lag", "instance": "in*"},
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


@pytest.mark.parametrize("text", re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
def test_the_rules_of_the_page_make_sense(text: str) -> None:
    check_rule(msgspec.json.decode(text, type=Rule))


def test_the_page_tells_of_every_function_and_every_meaning_of_missing_values() -> None:
    for words in (*get_args(Function), *get_args(NoData)):
        assert f"`{words}`" in PAGE
