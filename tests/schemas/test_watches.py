"""What agents are told to watch for."""

from __future__ import annotations

from schemas.rules import Override, Rule, Threshold, Window
from schemas.virtual import HOST_DOWN
from schemas.watches import MOST_WATCHES, Watch, watches_of

BUSY = Rule("busy", "Busy", "cpu.total", warning=Threshold(75, 65), critical=Threshold(90, 80), for_s=30)
NO_TAGS: frozenset[str] = frozenset()


def test_each_level_of_a_rule_is_watched_with_where_it_ends() -> None:
    assert watches_of([BUSY], "web-1", NO_TAGS) == [Watch("cpu.total", True, [(75, 65), (90, 80)], 30, 0)]


def test_a_rule_about_other_hosts_is_not_watched() -> None:
    other = Rule("other", "Other", "cpu.total", host="db-*", warning=Threshold(1, 0))
    tagged = Rule("tagged", "Tagged", "cpu.total", tags=["prod"], warning=Threshold(1, 0))
    assert watches_of([other, tagged], "web-1", NO_TAGS) == []
    assert len(watches_of([other, tagged], "db-1", frozenset({"prod"}))) == 2


def test_an_override_is_what_its_hosts_watch() -> None:
    rule = Rule(
        "busy",
        "Busy",
        "cpu.total",
        warning=Threshold(75, 65),
        overrides=[Override(hosts=["web-1"], warning=Threshold(50, 40)), Override(hosts=["web-2"], enabled=False)],
    )
    assert [watch.levels for watch in watches_of([rule], "web-1", NO_TAGS)] == [[(50, 40)]]
    assert watches_of([rule], "web-2", NO_TAGS) == []


def test_rules_that_are_off_or_about_windows_or_about_no_sample_are_not_watched() -> None:
    off = Rule("off", "Off", "cpu.total", warning=Threshold(1, 0), enabled=False)
    mean = Rule("mean", "Mean", "cpu.total", warning=Threshold(1, 0), window=Window("avg", 60))
    down = Rule("down", "Down", HOST_DOWN, critical=Threshold(60, 60))
    assert watches_of([off, mean, down], "web-1", NO_TAGS) == []


def test_of_too_many_those_that_are_due_soonest_are_kept() -> None:
    rules = [Rule(f"r{n}", "R", "cpu.total", warning=Threshold(1, 0), for_s=600 - n) for n in range(MOST_WATCHES + 5)]
    kept = watches_of(rules, "web-1", NO_TAGS)
    assert len(kept) == MOST_WATCHES
    assert max(watch.for_s for watch in kept) == 595
