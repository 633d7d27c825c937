"""Which rules look at which hosts, and how."""

from __future__ import annotations

from schemas.rules import Override, Rule, Threshold
from services.alerts.judge.ruleset import RuleSet
from tests.alerts.builders import rule


def raises(made: RuleSet, host: str) -> dict[str, float | None]:
    """Of each rule that looks at `host`, where its warning begins."""
    checks = made.of(host).by_id.values()
    return {check.rule.id: check.rule.warning.raise_at if check.rule.warning else None for check in checks}


def of(*rules: Rule, **tags: str) -> RuleSet:
    made = RuleSet(rules)
    made.set_tags({host.replace("_", "-"): frozenset(given.split()) for host, given in tags.items()})
    return made


def test_a_rule_for_all_looks_at_every_host() -> None:
    assert list(raises(of(rule()), "web-1")) == ["busy"]


def test_a_pattern_of_hosts_chooses_by_name() -> None:
    made = of(rule(host="web-*"))
    assert [bool(raises(made, host)) for host in ("web-1", "db-1")] == [True, False]


def test_all_tags_must_be_on_the_host() -> None:
    made = of(rule(tags=["prod", "eu"]), web_1="prod eu x", web_2="prod")
    assert [bool(raises(made, host)) for host in ("web-1", "web-2", "web-3")] == [True, False, False]


def test_none_of_the_unwanted_tags_may_be() -> None:
    made = of(rule(without_tags=["lab", "old"]), web_1="lab", web_2="prod")
    assert [bool(raises(made, host)) for host in ("web-1", "web-2", "web-3")] == [False, True, True]


def test_tags_that_change_choose_anew() -> None:
    made = of(rule(tags=["prod"]))
    assert raises(made, "web-1") == {}
    made.set_tags({"web-1": frozenset(["prod"])})
    assert list(raises(made, "web-1")) == ["busy"]
    made.set_tags({})
    assert raises(made, "web-1") == {}


def test_an_override_changes_what_it_names_for_the_hosts_that_it_names() -> None:
    made = of(rule(overrides=[Override(hosts=["db-*"], warning=Threshold(85, 80), for_s=5)]))
    assert raises(made, "db-1") == {"busy": 85}
    assert raises(made, "web-1") == {"busy": 75}
    assert made.of("db-1").by_id["busy"].limits.for_ms == 5000
    assert made.of("db-1").by_id["busy"].rule.critical == rule().critical


def test_an_override_by_tags_needs_all_of_them() -> None:
    made = of(rule(overrides=[Override(tags=["db", "big"], warning=Threshold(85, 80))]), a="db big", b="db")
    assert [raises(made, host)["busy"] for host in ("a", "b")] == [85, 75]


def test_of_several_overrides_the_first_that_fits_is_taken() -> None:
    both = [Override(hosts=["db-1"], warning=Threshold(80, 75)), Override(hosts=["db-*"], warning=Threshold(85, 80))]
    made = of(rule(overrides=both))
    assert [raises(made, host)["busy"] for host in ("db-1", "db-2")] == [80, 85]


def test_an_override_can_switch_a_rule_off() -> None:
    made = of(rule(overrides=[Override(hosts=["db-1"], enabled=False)]))
    assert [bool(raises(made, host)) for host in ("db-1", "db-2")] == [False, True]


def test_an_override_can_switch_a_rule_on_that_is_off() -> None:
    made = of(rule(enabled=False, overrides=[Override(hosts=["db-1"], enabled=True)]))
    assert [bool(raises(made, host)) for host in ("db-1", "db-2")] == [True, False]


def test_hosts_that_are_judged_alike_share_what_is_prepared_for_them() -> None:
    made = of(rule())
    assert made.of("web-1") is made.of("web-2")


def test_rules_about_sonde_look_at_no_host() -> None:
    made = of(Rule("blind", "Blind", "monitoring.blind", critical=Threshold(60, 0)))
    assert raises(made, "web-1") == {}
    assert [check.rule.id for check in made.about_sonde] == ["blind"]
